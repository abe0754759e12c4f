package flin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func connect(t testing.TB, addr string, change ...func(*Options)) *Client {
	t.Helper()
	opts := DefaultOptions(addr)
	opts.Timeout = 20 * time.Second
	for _, f := range change {
		f(opts)
	}
	c, err := NewClient(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheCommonCalls(t *testing.T) {
	c := connect(t, newFake(t).addr())
	must(t, c.KV.Set("k", []byte("v")))
	if v, err := c.KV.Get("k"); err != nil || string(v) != "v" {
		t.Errorf("get: %q %v", v, err)
	}
	if _, err := c.KV.Database(3).Get("k"); !errors.Is(err, ErrNotFound) {
		t.Errorf("another database: %v", err)
	}
	must(t, c.KV.Set("empty", nil))
	if v, err := c.KV.Get("empty"); err != nil || v == nil || len(v) != 0 {
		t.Errorf("an empty value: %v %v", v, err)
	}
	if e, err := c.KV.Put("k", []byte("w")); err != nil || e.Version == 0 || string(e.Value) != "w" {
		t.Errorf("put: %+v %v", e, err)
	}
	if ok, err := c.KV.Exists("k"); err != nil || !ok {
		t.Errorf("exists: %v %v", ok, err)
	}
	must(t, c.KV.Delete("k"))
	if ok, err := c.KV.Exists("k"); err != nil || ok {
		t.Errorf("exists after delete: %v %v", ok, err)
	}
	if n, err := c.KV.IncrBy("n", 5); err != nil || n != 5 {
		t.Errorf("incr: %d %v", n, err)
	}
	if n, err := c.KV.Decr("n"); err != nil || n != 4 {
		t.Errorf("decr: %d %v", n, err)
	}
	must(t, c.KV.MSet([]string{"a", "b"}, [][]byte{[]byte("1"), {}}))
	vs, err := c.KV.MGet([]string{"b", "missing", "a"})
	if err != nil || len(vs) != 3 || vs[0] == nil || len(vs[0]) != 0 || vs[1] != nil || string(vs[2]) != "1" {
		t.Errorf("mget: %q %v", vs, err)
	}
	if n, err := c.KV.MDelete([]string{"a", "missing"}); err != nil || n != 1 {
		t.Errorf("mdel: %d %v", n, err)
	}
	if err := c.KV.MSet([]string{"a"}, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("mset of unequal lengths: %v", err)
	}
	if _, err := c.KV.MGet(make([]string, wire.MaxBatch+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("mget of too many: %v", err)
	}
	if err := c.KV.Set("k", make([]byte, 2<<20)); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "-max-request") {
		t.Errorf("a value over the server's limit: %v", err)
	}
}

func TestEveryCodeHasItsSentinel(t *testing.T) {
	f := newFake(t)
	c := connect(t, f.addr(), func(o *Options) { o.Retries = 0 })
	sentinels := []*Error{
		ErrInvalid, ErrNotFound, ErrExists, ErrConflict, ErrTooLarge, ErrNotLeader, ErrUnavailable, ErrBusy, ErrTimeout,
		ErrUnauthorized, ErrWrongType, ErrInternal, ErrUnauthenticated, ErrOutOfRange, ErrCompacted, ErrFenced, ErrOutcomeUnknown,
		ErrFull, ErrEmpty, ErrUnsupported, ErrCanceled, ErrCrossGroup,
	}
	for i, want := range sentinels {
		code := wire.Code(i + 1)
		f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
			fc.answer(req.Tag, wire.Response{Code: code, Sub: 7, Body: []byte("because")})
			return true
		})
		_, err := c.KV.Get("k")
		var said *Error
		if !errors.Is(err, want) || !errors.As(err, &said) || said.Sub != 7 || said.Msg != "because" {
			t.Errorf("%v: %v", code, err)
		}
	}
}

func TestManyGoroutinesShareOneConnection(t *testing.T) {
	c := connect(t, newFake(t).addr(), func(o *Options) { o.Connections = 1 })
	var all sync.WaitGroup
	for g := range 64 {
		all.Go(func() {
			key, value := fmt.Sprint("key", g), bytes.Repeat([]byte{byte(g)}, 100+g)
			for range 200 {
				if err := c.KV.Set(key, value); err != nil {
					t.Error(err)
					return
				}
				if v, err := c.KV.Get(key); err != nil || !bytes.Equal(v, value) {
					t.Errorf("%d: %v %v", g, v, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestAContextEndsItsCalls(t *testing.T) {
	f := newFake(t)
	c := connect(t, f.addr())
	asked, canceled := make(chan uint64, 1), make(chan uint64, 1)
	f.onRequest(func(_ *fakeConn, req *wire.Request) bool {
		if req.Op != wire.OpCancel {
			asked <- req.Tag
			return true // never answered
		}
		var m wire.Credit
		if err := m.Decode(req.Body); err != nil {
			t.Error(err)
		}
		canceled <- m.Tag
		return true
	})
	for _, read := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			if read {
				_, err := c.With(ctx).KV.Get("k")
				failed <- err
			} else {
				failed <- c.With(ctx).KV.Set("k", nil)
			}
		}()
		tag := <-asked
		cancel()
		err := <-failed
		if !errors.Is(err, context.Canceled) || errors.Is(err, ErrCanceled) != read || errors.Is(err, ErrOutcomeUnknown) == read {
			t.Errorf("read %v: %v", read, err)
		}
		if got := <-canceled; got != tag {
			t.Errorf("request %d was withdrawn, not %d", got, tag)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	go func() { <-asked }()
	if _, err := c.With(ctx).KV.Get("k"); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) {
		t.Errorf("a deadline: %v", err)
	}
	if err := c.With(ctx).KV.Set("k", nil); !errors.Is(err, ErrTimeout) || errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("a deadline that had passed before: %v", err)
	}
}

func TestCallsWithoutADeadlineTakeTheirOptionsTimeout(t *testing.T) {
	f := newFake(t)
	f.onRequest(func(*fakeConn, *wire.Request) bool { return true })
	c := connect(t, f.addr(), func(o *Options) { o.Timeout = 50 * time.Millisecond })
	if _, err := c.KV.Get("k"); !errors.Is(err, ErrTimeout) {
		t.Errorf("get: %v", err)
	}
	if err := c.KV.Set("k", nil); !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("set: %v", err)
	}
}

// atFirst makes what is done to the first request that comes; the others are answered.
func atFirst(f *fake, do func(c *fakeConn, req *wire.Request)) {
	var once sync.Once
	f.onRequest(func(c *fakeConn, req *wire.Request) (done bool) {
		once.Do(func() {
			done = true
			do(c, req)
		})
		return done
	})
}

func TestALostConnectionIsMadeGoodForReadsAndToldForWrites(t *testing.T) {
	f := newFake(t)
	c := connect(t, f.addr())
	must(t, c.KV.Set("k", []byte("v")))
	drop := func(fc *fakeConn, _ *wire.Request) { _ = fc.nc.Close() }
	atFirst(f, drop)
	if v, err := c.KV.Get("k"); err != nil || string(v) != "v" {
		t.Errorf("get: %q %v", v, err)
	}
	atFirst(f, drop)
	if _, err := c.KV.Incr("n"); !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("incr: %v", err)
	}
	if n := f.count(wire.OpKVIncr); n != 1 {
		t.Errorf("the write was sent %d times", n)
	}
}

func TestAServerThatSaysItHasNotExecutedIsAskedAgain(t *testing.T) {
	f := newFake(t)
	c := connect(t, f.addr())
	atFirst(f, func(fc *fakeConn, _ *wire.Request) {
		fc.answer(wire.ConnTag, wire.Failf(wire.Unavailable, "the server is stopping"))
		_ = fc.nc.Close()
	})
	if n, err := c.KV.Incr("n"); err != nil || n != 1 {
		t.Errorf("a stopping server: %d %v", n, err)
	}
	atFirst(f, func(fc *fakeConn, req *wire.Request) { fc.answer(req.Tag, wire.Failf(wire.Busy, "later")) })
	if n, err := c.KV.Incr("n"); err != nil || n != 2 {
		t.Errorf("a busy server: %d %v", n, err)
	}
}

func TestTheClientComesBackWhenItsServerDoes(t *testing.T) {
	f := newFake(t)
	addr := f.addr()
	c := connect(t, addr)
	must(t, c.KV.Set("k", nil))
	f.stop()
	got := make(chan error)
	go func() { got <- c.KV.Set("k", nil) }() // waits
	g := newFakeAt(t, addr)
	if err := <-got; err != nil && !errors.Is(err, ErrOutcomeUnknown) {
		t.Error(err)
	}
	must(t, c.KV.Set("k", nil))
	if g.count(wire.OpKVSet) == 0 {
		t.Error("the new server was not asked")
	}
}

func TestWithoutAServerCallsFailAtTheirDeadlineAndSayWhy(t *testing.T) {
	f := newFake(t)
	c := connect(t, f.addr(), func(o *Options) { o.Timeout = 100 * time.Millisecond })
	f.stop()
	var err error
	for err = c.KV.Set("k", nil); errors.Is(err, ErrOutcomeUnknown); { // one that was on its way
		err = c.KV.Set("k", nil)
	}
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "not executed") {
		t.Error(err)
	}
}

func TestAnotherAddressIsTriedWhenOneIsDead(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	dead := ln.Addr().String()
	must(t, ln.Close())
	f, g := newFake(t), newFake(t)
	c := connect(t, strings.Join([]string{dead, f.addr(), g.addr()}, ", "), func(o *Options) { o.Connections = 1 })
	must(t, c.KV.Set("k", nil))
	f.stop()
	for errors.Is(c.KV.Set("k", nil), ErrOutcomeUnknown) { // the one that was on its way
	}
	if g.count(wire.OpKVSet) == 0 {
		t.Error("the other server was not asked")
	}
	if _, err := NewClient(DefaultOptions(dead)); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), dead) {
		t.Errorf("a dead server alone: %v", err)
	}
}

func TestAServerMayRefuseTheGreeting(t *testing.T) {
	f := newFake(t)
	f.refuse = wire.Errorf(wire.Unauthenticated, "wrong password")
	if _, err := NewClient(DefaultOptions(f.addr())); !errors.Is(err, ErrUnauthenticated) || !strings.Contains(err.Error(), "wrong password") {
		t.Error(err)
	}
	g := newFake(t)
	g.welcome.Version = 9
	if _, err := NewClient(DefaultOptions(g.addr())); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "9") {
		t.Error(err)
	}
}

func TestAClosedClientSaysSo(t *testing.T) {
	f := newFake(t)
	c := connect(t, f.addr())
	asked := make(chan struct{})
	f.onRequest(func(*fakeConn, *wire.Request) bool {
		close(asked)
		return true
	})
	failed := make(chan error)
	go func() {
		_, err := c.KV.Get("k")
		failed <- err
	}()
	<-asked
	must(t, c.With(t.Context()).Close()) // does nothing
	must(t, c.Close())
	must(t, c.Close())
	if err := <-failed; !errors.Is(err, ErrClosed) {
		t.Errorf("in flight: %v", err)
	}
	if _, err := c.KV.Get("k"); !errors.Is(err, ErrClosed) {
		t.Errorf("later: %v", err)
	}
}

func TestOptionsAreJudgedAtOnce(t *testing.T) {
	_, err := NewClient(&Options{Retries: -1})
	for _, want := range []string{"Addrs", "Connections", "DialTimeout", "Retries"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if got := DefaultOptions("a, b:1 ,[::1]").Addrs; fmt.Sprint(got) != "[a:7380 b:1 [::1]:7380]" {
		t.Error(got)
	}
	if got := DefaultOptions("").Addrs; fmt.Sprint(got) != "[localhost:7380]" {
		t.Error(got)
	}
}

func TestGarbageFromTheServerIsAnError(t *testing.T) {
	f := newFake(t)
	f.onRequest(func(fc *fakeConn, _ *wire.Request) bool {
		_, _ = fc.nc.Write([]byte("\xff\xff\xff\xff garbage"))
		return true
	})
	c := connect(t, f.addr(), func(o *Options) { o.Retries = 1 })
	if _, err := c.KV.Get("k"); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
}

func TestCallersWaitForRoomWhileTheServerDoesNotRead(t *testing.T) {
	f := newFake(t)
	block := make(chan struct{})
	f.onRequest(func(*fakeConn, *wire.Request) bool {
		<-block
		return false
	})
	c := connect(t, f.addr(), func(o *Options) { o.Connections = 1 })
	var all sync.WaitGroup
	value := make([]byte, 512<<10)
	for range 64 {
		all.Go(func() {
			if err := c.KV.Set("k", value); err != nil {
				t.Error(err)
			}
		})
	}
	cn := c.pool.conns[0].Load()
	for full := false; !full; time.Sleep(time.Millisecond) {
		cn.mu.Lock()
		full = cn.room != nil
		if len(cn.out) > maxOut+len(value)+100 {
			t.Errorf("%d bytes wait", len(cn.out))
			full = true
		}
		cn.mu.Unlock()
	}
	close(block)
	all.Wait()
}

func TestAPlaceThatIsLeftIsRoomForWhoWaits(t *testing.T) {
	near, far := net.Pipe()
	defer func() { _, _ = near.Close(), far.Close() }()
	c := newConn(near, wire.Welcome{})
	k := newCall(wire.OpPing, true)
	k.payload = nothing{}
	if _, err := c.send(k, 0); err != nil {
		t.Fatal(err)
	}
	c.busy = maxPlaces
	room, err := c.send(newCall(wire.OpPing, true), 0)
	if !errors.Is(err, errFull) || room == nil {
		t.Fatalf("a full connection: %v", err)
	}
	c.abandon(k)
	select {
	case <-room:
	default:
		t.Error("who waits is not told")
	}
}
