package systest

import (
	"bufio"
	"bytes"
	coding "encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// stillServes checks that the process is alive and that a fresh client of each protocol is served.
func stillServes(t testing.TB, s *server) {
	t.Helper()
	stillRuns(t, s)
	key := fmt.Sprintf("fresh/%d", time.Now().UnixNano())
	p, err := dialPipe(s.port)
	if err != nil {
		t.Fatalf("a fresh RESP client: %v", err)
	}
	defer p.close()
	if v, err := p.do("SET", key, "by RESP"); v != "OK" {
		t.Fatalf("a fresh RESP client's SET: %v, %v", v, err)
	}
	n := dialFrames(t, s.port)
	defer n.close()
	if resp := n.do(t, wire.OpKVGet, (&wire.KVKey{Key: []byte(key)}).Append(nil)); string(resp.Body) != "by RESP" {
		t.Fatalf("a fresh native client's get: %v %q", resp.Code, resp.Body)
	}
}

// rss returns the resident memory of the server's largest process in bytes, and which that is.
func rss(s *server) (most int64, of string) {
	s.t.Helper()
	for _, p := range s.all() {
		if used := p.rss(); used > most {
			most, of = used, p.program
		}
	}
	return most, of
}

// atMost fails t if a process of the server takes more than limit of memory.
func atMost(t testing.TB, s *server, limit int64, when string) {
	t.Helper()
	if used, of := rss(s); used > limit {
		t.Errorf("%s %s takes %d MiB of memory, over %d MiB", when, of, used>>20, limit>>20)
	} else {
		t.Logf("%s %s takes %d MiB of memory", when, of, used>>20)
	}
}

// says fails t unless text has every one of the parts.
func says(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q does not say %q", text, p)
		}
	}
}

// frames is a native connection that sends whatever it is told.
type frames struct {
	conn net.Conn
	r    *bufio.Reader
	tag  uint64
}

// dialRaw connects and sends nothing.
func dialRaw(t testing.TB, addr string) *frames {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(pipeTimeout)); err != nil {
		t.Fatal(err)
	}
	return &frames{conn: conn, r: bufio.NewReader(conn)}
}

// dialFrames connects and says hello.
func dialFrames(t testing.TB, addr string) *frames {
	t.Helper()
	n := dialRaw(t, addr)
	n.write(t, []byte(wire.Magic))
	resp := n.do(t, wire.OpHello, (&wire.Hello{Version: wire.Version, Info: "systest"}).Append(nil))
	var welcome wire.Welcome
	if err := welcome.Decode(resp.Body); err != nil || resp.Code != wire.OK || welcome.Version != wire.Version {
		t.Fatalf("hello was answered %v %+v, %v", resp.Code, welcome, err)
	}
	return n
}

func (n *frames) close() { _ = n.conn.Close() }

func (n *frames) write(t testing.TB, b []byte) {
	t.Helper()
	if _, err := n.conn.Write(b); err != nil {
		t.Fatalf("write %d bytes: %v", len(b), err)
	}
}

// frame returns a request as it travels.
func (n *frames) frame(op wire.Op, body []byte) []byte {
	n.tag++
	return wire.AppendRequest(nil, &wire.Request{Op: op, Tag: n.tag, Body: body}, 0)
}

// do sends one request and returns its answer.
func (n *frames) do(t testing.TB, op wire.Op, body []byte) wire.Response {
	t.Helper()
	n.write(t, n.frame(op, body))
	tag, resp, err := n.read()
	if err != nil {
		t.Fatalf("%v: %v", op, err)
	}
	if tag != n.tag {
		t.Fatalf("%v has tag %d, the answer %d", op, n.tag, tag)
	}
	return resp
}

func (n *frames) read() (uint64, wire.Response, error) {
	var head [wire.LenSize]byte
	if _, err := io.ReadFull(n.r, head[:]); err != nil {
		return 0, wire.Response{}, err
	}
	size := coding.BigEndian.Uint32(head[:])
	if size > 64<<20 {
		return 0, wire.Response{}, fmt.Errorf("frame of %d bytes", size)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(n.r, b); err != nil {
		return 0, wire.Response{}, err
	}
	var resp wire.Response
	tag, err := wire.DecodeResponse(b, &resp)
	return tag, resp, err
}

// rest returns everything that comes until the server closes the connection.
func (n *frames) rest(t testing.TB) []byte {
	t.Helper()
	b, err := io.ReadAll(n.r)
	if err != nil && !isReset(err) {
		t.Fatalf("the server does not close the connection: %v (after %d bytes)", err, len(b))
	}
	return b
}

// isReset reports whether err says that the other side has closed the connection for good.
func isReset(err error) bool {
	return strings.Contains(err.Error(), "connection reset") || strings.Contains(err.Error(), "broken pipe")
}

// sends writes b to a fresh connection, whether the server takes it all or not, and returns what it says until it closes.
func sends(t testing.TB, addr string, b []byte) []byte {
	t.Helper()
	n := dialRaw(t, addr)
	defer n.close()
	go func() {
		_, _ = io.Copy(n.conn, bytes.NewReader(b))
	}()
	return n.rest(t)
}
