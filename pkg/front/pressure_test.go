package front

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestStopAnswersWhatIsInFlightAndSaysThatTheRestWasNotDone(t *testing.T) {
	f := start(t, nil)
	c, silent := dial(t, f), dial(t, f)
	c.say(helloFrame("", "") + frame(wire.OpKVRandom, 2, nil))
	c.answer()
	f.engine.Until(func(held, _, _ int) bool { return held == 1 })
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f.stop()
	}()
	silent.rest() // it is closed: so stopping has begun
	if n := f.engine.LetGo(); n != 1 {
		t.Fatalf("%d held", n)
	}
	if tag, resp := c.answer(); tag != 2 || string(resp.Body) != "let go" {
		t.Errorf("the answer: %d %+v", tag, resp)
	}
	if tag, resp := c.answer(); tag != wire.ConnTag || resp.Code != wire.Unavailable {
		t.Errorf("the last word: %d %v %s", tag, resp.Code, resp.Body)
	}
	c.rest()
	<-stopped
	if _, err := net.Dial("tcp", f.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	f := start(t, func(c *Config) { c.Grace = 50 * time.Millisecond })
	c := dial(t, f)
	c.say(helloFrame("", "") + frame(wire.OpKVRandom, 2, nil))
	c.answer()
	f.engine.Until(func(held, _, _ int) bool { return held == 1 })
	f.stop()
	f.engine.Until(func(held, _, _ int) bool { return held == 0 }) // what nobody waits for any more was withdrawn
}

func TestAClientThatNeverReadsIsCutOffInTime(t *testing.T) {
	f := start(t, func(c *Config) { c.StallTimeout = 100 * time.Millisecond })
	c, other := dial(t, f), dial(t, f)
	c.say(helloFrame("", "") + frame(wire.OpKVSet, 2, (&wire.KVSet{Key: []byte("k"), Value: make([]byte, 256<<10)}).Append(nil)))
	c.answer()
	c.answer()
	get := strings.Repeat(frame(wire.OpKVGet, 3, (&wire.KVKey{Key: []byte("k")}).Append(nil)), 1000)
	for { // at first the server takes no more, then it closes
		if _, err := io.WriteString(c.Conn, get); err != nil {
			break
		}
	}
	if n := value(t, f.metrics.refused.WithLabelValues("stalled")); n != 1 {
		t.Errorf("counted %v", n)
	}
	other.say("PING\r\n")
	if got := other.line(); got != "+PING\r\n" {
		t.Errorf("the other client: %q", got)
	}
}

func TestTenThousandIdleConnectionsCostLittleAndDisturbNobody(t *testing.T) {
	n := 10_000
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur < limit.Max {
		raised := syscall.Rlimit{Cur: limit.Max, Max: limit.Max}
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) == nil {
			limit = raised
		}
	}
	n = min(n, (int(limit.Cur)-200)/2) // both ends are here
	if testing.Short() {
		n = min(n, 500)
	}
	f := start(t, nil)
	before := heap()
	conns := make([]net.Conn, n)
	for i := range conns {
		nc, err := net.Dial("tcp", f.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = nc.Close() }()
		conns[i] = nc
		if i%2 == 0 { // half of them have spoken, and hold nothing any more
			if _, err := io.WriteString(nc, "PING\r\n"); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(nc, make([]byte, 7)); err != nil {
				t.Fatal(err)
			}
		}
	}
	each := (heap() - before) / int64(n)
	t.Logf("%d idle connections, both ends: %d bytes each", n, each)
	if each > 32<<10 {
		t.Errorf("an idle connection takes %d bytes", each)
	}
	c := dial(t, f)
	c.say("PING\r\n")
	if got := c.line(); got != "+PING\r\n" {
		t.Errorf("%q", got)
	}
}

// heap returns the bytes in use by heap and stacks.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

func TestAPipelineOfAMillionCommandsIsAnsweredInFull(t *testing.T) {
	n := 1_000_000
	if raceEnabled || testing.Short() {
		n = 50_000
	}
	f := start(t, nil)
	c := dial(t, f)
	c.say(helloFrame("", ""))
	c.answer()
	before := heap()
	go func() {
		chunk := []byte(strings.Repeat(frame(wire.OpKVIncr, 7, (&wire.KVIncr{By: 1, Key: []byte("n")}).Append(nil)), 100))
		for range n / 100 {
			if _, err := c.Write(chunk); err != nil {
				return // the reading side fails
			}
		}
	}()
	var last int64
	for range n {
		_, resp := c.answer()
		last = resp.Num
	}
	if last != int64(n) {
		t.Errorf("counted to %d", last)
	}
	if grown := heap() - before; grown > 16<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
}

func TestGarbageEndsItsConnectionAndNoOther(t *testing.T) {
	f := start(t, func(c *Config) { c.DetectTimeout = 100 * time.Millisecond })
	steady := dial(t, f)
	steady.say(helloFrame("", ""))
	steady.answer()
	rng := rand.New(rand.NewPCG(1, 2))
	heads := []string{"", wire.Magic, helloFrame("", ""), "*3\r\n$", "GET /v1/kv/", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01"}
	var all sync.WaitGroup
	for i := range 210 {
		junk := make([]byte, 1+rng.IntN(2000))
		for j := range junk {
			junk[j] = byte(rng.Uint32())
		}
		c := dial(t, f)
		all.Go(func() {
			_, _ = io.WriteString(c.Conn, heads[i%len(heads)]) // the server may have closed already
			_, _ = c.Write(junk)
			_ = c.Conn.(*net.TCPConn).CloseWrite() // it was dialled so
			_, _ = io.Copy(io.Discard, c.Conn)     // ends: with a close, or a reset where junk was left unread
			_ = c.Close()
		})
	}
	all.Wait()
	steady.say(frame(wire.OpPing, 9, []byte("still")))
	if tag, resp := steady.answer(); tag != 9 || !bytes.Equal(resp.Body, []byte("still")) {
		t.Errorf("%d %+v", tag, resp)
	}
}

func TestAnOversizedFrameIsToldByItsTag(t *testing.T) {
	f := start(t, func(c *Config) { c.Limits.MaxInput = 1 << 20 })
	c := dial(t, f)
	c.say(helloFrame("", ""))
	c.answer()
	b := []byte(frame(wire.OpKVSet, 5, nil))
	binary.BigEndian.PutUint32(b, 2<<20)
	go func() { _, _ = io.Copy(c.Conn, io.MultiReader(bytes.NewReader(b), io.LimitReader(zeros{}, 2<<20))) }()
	if tag, resp := c.answer(); tag != 5 || resp.Code != wire.TooLarge || !strings.Contains(string(resp.Body), "-max-request") {
		t.Errorf("%d %v %s", tag, resp.Code, resp.Body)
	}
	c.rest()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
