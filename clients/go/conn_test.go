package flin

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

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
