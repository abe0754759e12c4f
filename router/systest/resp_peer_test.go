//go:build peers

package systest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// startRedis runs the redis-server that the machine has, without persistence, until the test ends.
func startRedis(t testing.TB) string {
	t.Helper()
	addr := freeAddr(t)
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("redis-server", "--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatalf("redis-server: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(30 * time.Second); !answersPing(addr); {
		if time.Now().After(deadline) {
			t.Fatal("redis-server does not answer after 30 s")
		}
		time.Sleep(5 * time.Millisecond) // a listener gives no sign before it is there
	}
	return addr
}

// value is a reply: its type's byte, and text or elements. Maps and sets have their elements in a row.
type value struct {
	kind  byte
	text  string
	items []value
}

// String is the reply as a person would want to read it.
func (v value) String() string {
	if v.items == nil {
		return string(v.kind) + strconv.Quote(v.text)
	}
	parts := make([]string, len(v.items))
	for i, x := range v.items {
		parts[i] = x.String()
	}
	return string(v.kind) + "[" + strings.Join(parts, " ") + "]"
}

// null reports whether the reply is one of the three nulls.
func (v value) null() bool { return v.kind == '_' || v.text == "nil" && v.kind != '$' }

// respPeer is a connection to a server that is compared with another.
type respPeer struct {
	t    testing.TB
	name string
	conn net.Conn
	r    *bufio.Reader
}

func dialPeer(t testing.TB, name, addr string) *respPeer {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &respPeer{t, name, conn, bufio.NewReaderSize(conn, 64<<10)}
}

// send writes commands in one piece, without waiting for replies.
func (p *respPeer) send(commands ...[]string) {
	p.t.Helper()
	var b strings.Builder
	for _, words := range commands {
		fmt.Fprintf(&b, "*%d\r\n", len(words))
		for _, w := range words {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
		}
	}
	if _, err := io.WriteString(p.conn, b.String()); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// do sends one command and returns its reply.
func (p *respPeer) do(words ...string) value {
	p.t.Helper()
	p.send(words)
	return p.reply()
}

func (p *respPeer) reply() value {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(20 * time.Second)) // fails on a closed connection only
	v, err := readValue(p.r)
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	return v
}

func readValue(r *bufio.Reader) (value, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return value{}, err
	}
	line = strings.TrimSuffix(line, "\r\n")
	if line == "" {
		return value{}, fmt.Errorf("an empty line where a reply should be")
	}
	v := value{kind: line[0], text: line[1:]}
	switch v.kind {
	case '+', '-', ':', ',', '#', '_', '(':
		return v, nil
	}
	n, err := strconv.Atoi(v.text)
	if err != nil {
		return v, fmt.Errorf("length %q", line)
	}
	if n < 0 {
		return value{kind: '_'}, nil
	}
	switch v.kind {
	case '$', '=':
		b := make([]byte, n+2)
		if _, err := io.ReadFull(r, b); err != nil {
			return v, err
		}
		v.text = string(b[:n])
		return v, nil
	case '%':
		n *= 2
	case '*', '~', '>':
	default:
		return v, fmt.Errorf("unknown type %q", line)
	}
	v.text, v.items = "", make([]value, n)
	for i := range v.items {
		if v.items[i], err = readValue(r); err != nil {
			return v, err
		}
	}
	return v, nil
}
