package systest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// pipe is a RESP2 connection that says exactly what it is told, as fast as the server takes it: commands are gathered
// by send, leave with flush, and are answered by read in the same order.
type pipe struct {
	conn net.Conn
	r    *bufio.Reader
	w    *bufio.Writer
}

// replyError is an error that the server answered; the connection goes on.
type replyError string

func (e replyError) Error() string { return string(e) }

// pipeTimeout is after how long without a byte a pipe takes the server for hung. It only ends broken runs.
const pipeTimeout = 60 * time.Second

func dialPipe(addr string) (*pipe, error) {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return nil, err
	}
	return &pipe{conn: conn, r: bufio.NewReaderSize(conn, 64<<10), w: bufio.NewWriterSize(conn, 64<<10)}, nil
}

func (p *pipe) close() { _ = p.conn.Close() }

// send adds a command to what flush will write. An error of the connection shows in flush.
func (p *pipe) send(args ...string) {
	_ = p.conn.SetWriteDeadline(time.Now().Add(pipeTimeout))
	fmt.Fprintf(p.w, "*%d\r\n", len(args))
	for _, a := range args {
		_, _ = p.w.WriteString("$" + strconv.Itoa(len(a)) + "\r\n")
		_, _ = p.w.WriteString(a)
		_, _ = p.w.WriteString("\r\n")
	}
}

func (p *pipe) flush() error { return p.w.Flush() }

// read returns the next answer: string for a status, int64, []byte or nil for a bulk, []any, or replyError as a value.
// The error is one of the connection.
func (p *pipe) read() (any, error) {
	_ = p.conn.SetReadDeadline(time.Now().Add(pipeTimeout))
	return readReply(p.r)
}

// do sends one command and returns its answer; an error that the server answered is returned as the error.
func (p *pipe) do(args ...string) (any, error) {
	p.send(args...)
	if err := p.flush(); err != nil {
		return nil, err
	}
	v, err := p.read()
	if err != nil {
		return nil, err
	}
	if e, ok := v.(replyError); ok {
		return nil, e
	}
	return v, nil
}

func readReply(r *bufio.Reader) (any, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return nil, fmt.Errorf("malformed line %q in an answer", line)
	}
	kind, text := line[0], string(line[1:len(line)-2])
	switch kind {
	case '+':
		return text, nil
	case '-':
		return replyError(text), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("malformed line %q in an answer", line)
	}
	switch kind {
	case ':':
		return n, nil
	case '$':
		return readBulk(r, n)
	case '*':
		return readArray(r, n)
	}
	return nil, fmt.Errorf("answer of an unknown type: %q", line)
}

func readBulk(r *bufio.Reader, n int64) (any, error) {
	if n == -1 {
		return nil, nil
	}
	if n < 0 || n > 64<<20 {
		return nil, fmt.Errorf("bulk of %d bytes", n)
	}
	b := make([]byte, n+2)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	if string(b[n:]) != "\r\n" {
		return nil, errors.New("bulk does not end in CR LF")
	}
	return b[:n:n], nil
}

func readArray(r *bufio.Reader, n int64) (any, error) {
	if n == -1 {
		return nil, nil
	}
	if n < 0 || n > 1<<20 {
		return nil, fmt.Errorf("array of %d elements", n)
	}
	list := make([]any, n)
	for i := range list {
		v, err := readReply(r)
		if err != nil {
			return nil, err
		}
		list[i] = v
	}
	return list, nil
}
