package systest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Bytes that are no protocol, or break one, are answered by a line that says so and a close, and hurt nobody else.
func TestGarbageIsRefusedAndTheServerGoesOn(t *testing.T) {
	s := start(t, "-max-request=1MiB", "-max-value=512KiB")
	const ping = "*1\r\n$4\r\nPING\r\n"
	for _, c := range []struct{ name, bytes, says string }{
		{"high bytes", "\xFF\xFE\xFD\xFC\xFB\xFA\xF9\xF8\xF7\xF6\xF5\xF4\xF3\xF2\xF1\xF0", "-ERR protocol not recognised"},
		{"half a magic", "\xF1LIX\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "-ERR protocol not recognised"},
		{"a PostgreSQL client", "\x00\x00\x00\x08\x04\xd2\x16\x2f\x00\x00\x00\x00\x00\x00\x00\x00", "-ERR protocol not recognised"},
		{"a Kafka client", "\x00\x00\x00\x24\x00\x12\x00\x03\x00\x00\x00\x01\x00\x07rdkafka", ""},
		{"a negative bulk", "*2\r\n$3\r\nGET\r\n$-5\r\n", "-ERR Protocol error: invalid bulk length"},
		{"a bulk that is no number", "*1\r\n$x\r\n", "-ERR Protocol error: invalid bulk length"},
		{"no bulk", "*1\r\n+PING\r\n", "-ERR Protocol error: expected '$', got '+'"},
		{"too many arguments", "*4294967296\r\n", "-ERR Protocol error: invalid multibulk length"},
		{"a count that is no number", "*1a\r\n", "-ERR Protocol error: invalid multibulk length"},
		{"a bulk over the request limit", "*2\r\n$3\r\nGET\r\n$2097152\r\n", "-ERR Protocol error: invalid bulk length"},
		{"a bulk over every limit", "*2\r\n$3\r\nGET\r\n$9223372036854775807\r\n", "-ERR Protocol error: invalid bulk length"},
		{"an endless line", ping + strings.Repeat("x", 70<<10), "-ERR Protocol error: too big inline request"},
		{"an endless count", ping + "*" + strings.Repeat("1", 70<<10), "-ERR Protocol error: too big mbulk count string"},
		{"unbalanced quotes", "SET k \"v\r\n", "-ERR Protocol error: unbalanced quotes in request"},
		{"a request over the limit", "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048570\r\n" + strings.Repeat("v", 1048570) + "\r\n", "-ERR "},
		{"many arguments over the limit", "*30\r\n" + strings.Repeat("$50000\r\n"+strings.Repeat("v", 50000)+"\r\n", 30), "-ERR "},
	} {
		t.Run(c.name, func(t *testing.T) {
			said := string(sends(t, s.port, []byte(c.bytes)))
			said = strings.TrimPrefix(said, "+PONG\r\n")
			if !strings.HasPrefix(said, c.says) || c.says == "" && said != "" {
				t.Errorf("answered %q, not %q", said[:min(len(said), 300)], c.says)
			}
			stillServes(t, s)
		})
	}
	atMost(t, s, 300<<20, "after garbage")
}

// Random bytes, and real requests with some bytes changed, end in an answer or a close and never in a panic.
func TestRandomBytesOnThePort(t *testing.T) {
	s := start(t)
	rng := rand.New(rand.NewPCG(seeded(t), 10))
	n := dialFrames(t, s.port)
	native := append(hello(1), n.frame(wire.OpKVSet, (&wire.KVSet{Key: []byte("k"), Value: []byte("v")}).Append(nil))...)
	native = append(native, n.frame(wire.OpKVTxn, (&wire.KVTxn{Ops: []wire.KVOp{{Op: wire.OpKVGet, Body: []byte{0, 'k'}}}}).Append(nil))...)
	n.close()
	samples := [][]byte{
		native,
		[]byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nEXEC\r\n"),
		[]byte("SET k v\r\nGET k\r\nMGET a b c\r\nHELLO 3\r\nQUIT\r\n"),
		[]byte("PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nvalueGET /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
		[]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
	}
	for range 600 {
		b := bytes.Clone(samples[rng.IntN(len(samples))])
		for range 1 + rng.IntN(4) {
			b[rng.IntN(len(b))] = byte(rng.Uint32())
		}
		if rng.IntN(5) == 0 {
			b = make([]byte, 1+rng.IntN(64))
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
		}
		f := dialRaw(t, s.port)
		_, _ = f.conn.Write(b[:1+rng.IntN(len(b))]) // the server may have closed already
		if rng.IntN(2) == 0 {
			_ = f.conn.(interface{ CloseWrite() error }).CloseWrite()
			f.rest(t)
		}
		f.close()
	}
	stillServes(t, s)
}

// Commands that are too large, but whole, are refused with the limit and the flag that moves it; the connection goes on.
func TestOversizedCommandsAreRefusedAndTheConnectionGoesOn(t *testing.T) {
	s := start(t)
	p, err := dialPipe(s.port)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	long := strings.Repeat("k", wire.MaxKey+1)
	mset := []string{"MSET"}
	mget := []string{"MGET"}
	for i := range wire.MaxBatch + 1 {
		mset = append(mset, fmt.Sprint("k", i), "v")
		mget = append(mget, fmt.Sprint("k", i))
	}
	wide := []string{"MSET"}
	for i := range 3 {
		wide = append(wide, fmt.Sprint("w", i), strings.Repeat("v", 7<<20))
	}
	for _, c := range []struct {
		name string
		args []string
		says []string
	}{
		{"a long key", []string{"SET", long, "v"}, []string{"ERR", "key", "64001", "64000"}},
		{"a long key to read", []string{"GET", long}, []string{"ERR", "key", "64001", "64000"}},
		{"a long key to delete", []string{"DEL", "a", long}, []string{"ERR", "key", "64001", "64000"}},
		{"a long value", []string{"SET", "k", strings.Repeat("v", wire.MaxValue+1)}, []string{"ERR", "value", "8388609", "8388608", "-max-value"}},
		{"a long batch", mset, []string{"ERR", "10001", "10000"}},
		{"a long batch to read", mget, []string{"ERR", "10001", "10000"}},
		{"too much for one command", wide, []string{"ERR", "178257"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := p.do(c.args...)
			if err == nil {
				t.Fatalf("answered %.100v", v)
			}
			says(t, err.Error(), c.says...)
			if v, err := p.do("PING"); v != "PONG" {
				t.Fatalf("PING after it: %v, %v", v, err)
			}
		})
	}
	// A value that grows over the limit in place is refused as well.
	if _, err := p.do("SETRANGE", "grown", fmt.Sprint(wire.MaxValue), "x"); err == nil {
		t.Error("SETRANGE beyond the limit was taken")
	}
	if _, err := p.do("SETBIT", "grown", "4294967295", "1"); err == nil {
		t.Error("SETBIT beyond the limit was taken")
	}
	if v, err := p.do("SET", "whole", strings.Repeat("v", wire.MaxValue)); v != "OK" {
		t.Fatalf("the largest value: %v", err)
	}
	// What APPEND makes is judged where all replicas agree, so by a limit that no flag moves: twice the default.
	if v, err := p.do("APPEND", "whole", strings.Repeat("v", wire.MaxValue)); v != int64(2*wire.MaxValue) {
		t.Errorf("APPEND up to the hard limit: %v, %v", v, err)
	}
	if _, err := p.do("APPEND", "whole", "x"); err == nil {
		t.Error("APPEND beyond the hard limit was taken")
	}
	stillServes(t, s)
}

// HTTP answers what is too large or makes no sense with a status and a problem document.
func TestBadHTTPRequests(t *testing.T) {
	s := start(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		says               []string
	}{
		{"PUT", "/v1/kv/k", strings.Repeat("v", wire.MaxValue+1), 413, []string{"-max-value", "8388608"}},
		{"PUT", "/v1/kv/" + strings.Repeat("k", wire.MaxKey+1), "v", 413, []string{"64000"}},
		{"GET", "/v1/kv/nothing-here", "", 404, []string{"NotFound"}},
		{"GET", "/v1/kv/k?db=16", "", 400, []string{"16"}},
		{"GET", "/v1/kv/k?db=x", "", 400, []string{"db"}},
		{"PUT", "/v1/kv/k?ttl=soon", "v", 400, []string{"ttl"}},
		{"GET", "/v1/nowhere", "", 404, nil},
		{"PATCH", "/v1/kv/k", "", 405, nil},
	} {
		for _, addr := range []string{s.port, s.http} {
			req, err := http.NewRequest(c.method, "http://"+addr+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Errorf("%s %.60s: %v", c.method, c.path, err)
				continue
			}
			var b bytes.Buffer
			_, _ = b.ReadFrom(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != c.status {
				t.Errorf("%s %.60s: status %d, not %d: %.200s", c.method, c.path, resp.StatusCode, c.status, b.String())
			}
			says(t, b.String(), c.says...)
		}
	}
	odd := "odd key/with \x00 bytes%"
	resp, err := http.Post("http://"+s.port+"/v1/kv/"+url.PathEscape(odd), "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	stillServes(t, s)
}
