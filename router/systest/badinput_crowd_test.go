package systest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// A client that drips bytes without ever showing its protocol is cut at the detection deadline; one that has not said
// anything, and one that drips an honest request, are not.
func TestASlowLorisIsCutAndNobodyElseNotices(t *testing.T) {
	t.Parallel()
	s := start(t)
	silent := dialRaw(t, s.port)
	defer silent.close()
	honest := dialRaw(t, s.port)
	defer honest.close()
	honest.write(t, []byte("*2\r\n$3\r\nGET\r\n$1\r\n"))
	began := time.Now()
	// Each has begun a first line, or a head, that could become one of several protocols.
	drips := []string{"GET " + strings.Repeat("x", 8000), "\x00\x00\x00\x24", "\x16\x03\x01\x02", "\xF1LIN\x00\x00\x00\x30", "P"}
	var running sync.WaitGroup
	for _, d := range drips {
		running.Go(func() {
			f := dialRaw(t, s.port)
			defer f.close()
			cut := make(chan struct{})
			go func() {
				_, _ = io.Copy(io.Discard, f.conn) // ends when the server cuts the connection
				close(cut)
			}()
			tick := time.NewTicker(50 * time.Millisecond)
			defer tick.Stop()
			for sent := 0; ; {
				select {
				case <-cut:
					return
				case <-tick.C:
					if sent < len(d) {
						_, _ = f.conn.Write([]byte{d[sent]}) // it may have been cut between
						sent++
					}
				}
				if time.Since(began) > 45*time.Second {
					t.Errorf("a client that began with %.8q is not cut", d)
					return
				}
			}
		})
	}
	served := make(chan int)
	done := make(chan struct{})
	go func() {
		n := 0
		defer func() { served <- n }()
		for {
			select {
			case <-done:
				return
			default:
				stillServes(t, s)
				n++
			}
		}
	}()
	running.Wait()
	close(done)
	took := time.Since(began)
	if n := <-served; n < 10 {
		t.Errorf("only %d other clients were served meanwhile", n)
	}
	if took < 2*time.Second {
		t.Errorf("they were cut after %v, before the deadline", took)
	}
	t.Logf("cut after %v", took)
	honest.write(t, []byte("k\r\n"))
	if v, err := readReply(honest.r); err != nil || v != nil {
		t.Errorf("the slow but honest client was answered %v, %v", v, err)
	}
	silent.write(t, []byte("PING\r\n"))
	if v, err := readReply(silent.r); v != "PONG" {
		t.Errorf("the client that had been silent was answered %v, %v", v, err)
	}
}

// smallWindow makes the kernel hold little of what the server answers.
func smallWindow(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
}

// Clients that ask for a lot and read nothing cost a bounded amount of memory: they are not read any more, or cut.
func TestClientsThatNeverReadCostBoundedMemory(t *testing.T) {
	t.Parallel()
	s := start(t)
	client := newClient(t, s.addrs())
	if err := client.KV.Set("big", payload("big", 1, 1<<20)); err != nil {
		t.Fatal(err)
	}
	before, _ := rss(s)
	respGet := []byte(strings.Repeat("*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n", 100))
	respSet := []byte(strings.Repeat("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n", 10_000))
	ping := []byte(strings.Repeat("PING\r\n", 10_000))
	n := dialFrames(t, s.port)
	var native []byte
	for range 100 {
		native = append(native, n.frame(wire.OpKVGet, (&wire.KVKey{Key: []byte("big")}).Append(nil))...)
	}
	n.close()
	floods := []struct {
		name  string
		first []byte
		again []byte
	}{
		{"RESP reads", nil, respGet}, {"RESP writes", nil, respSet}, {"PING", nil, ping}, {"native reads", hello(1), native},
	}
	var running sync.WaitGroup
	var conns []net.Conn
	var mu sync.Mutex
	for _, f := range floods {
		for range 8 {
			running.Go(func() {
				r := dialRaw(t, s.port)
				smallWindow(t, r.conn)
				mu.Lock()
				conns = append(conns, r.conn)
				mu.Unlock()
				_, _ = r.conn.Write(f.first)
				sent := 0
				for range 2000 { // up to 200,000 values of 1 MiB are asked for
					_ = r.conn.SetWriteDeadline(time.Now().Add(3 * time.Second))
					k, err := r.conn.Write(f.again)
					sent += k
					if err != nil {
						break
					}
				}
				t.Logf("%s: %d KiB were taken before the server stopped reading", f.name, sent>>10)
			})
		}
	}
	running.Wait()
	atMost(t, s, before+800<<20, "with 32 clients that do not read")
	stillServes(t, s)
	for _, c := range conns {
		_ = c.Close()
	}
	stillServes(t, s)
}

// Thousands of silent connections cost little, and whoever speaks is answered at once. One connection over the limit is
// told so.
func TestTenThousandIdleConnections(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	n := min(10_000, int(limit.Cur)-500)
	s := start(t, fmt.Sprintf("-max-connections=%d", n+5))
	before, _ := rss(s)
	conns := make([]net.Conn, 0, n)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for i := range n {
		f := dialRaw(t, s.port)
		conns = append(conns, f.conn)
		if i%10 == 0 { // some have spoken once
			f.write(t, []byte("PING\r\n"))
			if v, err := readReply(f.r); v != "PONG" {
				t.Fatalf("connection %d: %v, %v", i, v, err)
			}
		}
	}
	began := time.Now()
	stillServes(t, s)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("two fresh clients took %v to be served", took)
	}
	atMost(t, s, before+int64(n)*(24<<10)+64<<20, fmt.Sprintf("with %d idle connections", n))

	var extra []net.Conn
	refused := ""
	for range 20 {
		f := dialRaw(t, s.port)
		extra = append(extra, f.conn)
		_, _ = f.conn.Write([]byte("PING\r\n"))
		line, err := f.r.ReadString('\n')
		if err != nil || line != "+PONG\r\n" {
			refused = line
			break
		}
	}
	if !strings.HasPrefix(refused, "-ERR") {
		t.Errorf("a connection over the limit was told %q", refused)
	}
	says(t, refused, "max", "clients")
	for _, c := range extra {
		_ = c.Close()
	}
	for _, c := range conns[:n/2] {
		_ = c.Close()
	}
	again(t.Context(), func() error { // the server has to see that they have gone
		p, err := dialPipe(s.port)
		if err != nil {
			return err
		}
		defer p.close()
		_, err = p.do("PING")
		return err
	})
	stillServes(t, s)
}

// A million commands in one go are all answered, in order, in bounded memory.
func TestAPipelineOfAMillionCommands(t *testing.T) {
	t.Parallel()
	s := start(t)
	const commands = 1_000_000
	before, _ := rss(s)
	p, err := dialPipe(s.port)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	sent := make(chan error, 1)
	go func() {
		for i := range commands {
			switch i % 4 {
			case 0, 1:
				p.send("INCR", "n")
			case 2:
				p.send("GET", "n")
			case 3:
				p.send("PING")
			}
		}
		sent <- p.flush()
	}()
	n := int64(0)
	for i := range commands {
		v, err := p.read()
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		ok := false
		switch i % 4 {
		case 0, 1:
			n++
			ok = v == n
		case 2:
			b, _ := v.([]byte)
			ok = string(b) == fmt.Sprint(n)
		case 3:
			ok = v == "PONG"
		}
		if !ok {
			t.Fatalf("answer %d is %v with the counter at %d", i, v, n)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	atMost(t, s, before+500<<20, "after a million commands")
	stillServes(t, s)
}

// A RESP client that has closed its side for writing gets every answer, and then the close. A native one, which is to keep
// its side open, gets whole answers and the close.
func TestAHalfClosedConnectionGetsItsAnswers(t *testing.T) {
	s := start(t)
	var resp strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&resp, "*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$4\r\n%04d\r\n", i)
	}
	resp.WriteString("*2\r\n$3\r\nGET\r\n$4\r\nhalf\r\n")
	f := dialRaw(t, s.port)
	defer f.close()
	f.write(t, []byte(resp.String()))
	if err := f.conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, want := string(f.rest(t)), strings.Repeat("+OK\r\n", 1000)+"$4\r\n0999\r\n"; got != want {
		t.Errorf("%d bytes of answers, not %d: …%q", len(got), len(want), got[max(0, len(got)-40):])
	}

	n := dialFrames(t, s.port)
	defer n.close()
	var b []byte
	for i := range 1000 {
		b = append(b, n.frame(wire.OpKVSet, (&wire.KVSet{Key: fmt.Append(nil, "native/", i), Value: []byte("v")}).Append(nil))...)
	}
	n.write(t, b)
	if err := n.conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for {
		_, resp, err := n.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || resp.Code != wire.OK {
			t.Fatalf("a native answer: %v, %v", resp.Code, err)
		}
	}
	stillServes(t, s)
}
