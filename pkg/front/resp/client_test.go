package resp

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// client is a connection to a testServer that says what it reads as text.
type client struct {
	tb testing.TB
	nc net.Conn
	r  *bufio.Reader
}

func (s *testServer) dial(tb testing.TB) *client {
	tb.Helper()
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = nc.Close() })
	return &client{tb, nc, bufio.NewReader(nc)}
}

// send writes commands in inline form, each a line.
func (c *client) send(lines ...string) {
	c.tb.Helper()
	if _, err := io.WriteString(c.nc, strings.Join(lines, "\r\n")+"\r\n"); err != nil {
		c.tb.Fatal(err)
	}
}

// want sends a command and compares its reply with what is wanted.
func (c *client) want(line, reply string) {
	c.tb.Helper()
	c.send(line)
	if got := c.read(); got != reply {
		c.tb.Errorf("%s: %q, want %q", line, got, reply)
	}
}

// read reads one reply: type and text, elements in brackets.
func (c *client) read() string {
	c.tb.Helper()
	_ = c.nc.SetReadDeadline(time.Now().Add(20 * time.Second)) // fails on a closed connection only
	s, err := readReply(c.r)
	if err != nil {
		return err.Error()
	}
	return s
}

func readReply(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(line, "\r\n")
	kind, text := line[0], line[1:]
	if strings.IndexByte("$*%~>=", kind) < 0 {
		return line, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return "", fmt.Errorf("length %q", line)
	}
	if n < 0 {
		return "nil", nil
	}
	if kind == '$' || kind == '=' {
		b := make([]byte, n+2)
		_, err := io.ReadFull(r, b)
		return string(b[:n]), err
	}
	if kind == '%' {
		n *= 2
	}
	parts := make([]string, n)
	for i := range parts {
		if parts[i], err = readReply(r); err != nil {
			return "", err
		}
	}
	return string(kind) + "[" + strings.Join(parts, " ") + "]", nil
}
