package bus_test

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// script is an engine made of functions.
type script struct {
	submit func(req wire.Request, r engine.Replier)
	cancel func(r engine.Replier, tag uint64)
	credit func(r engine.Replier, tag uint64, n int)
}

func (s *script) Submit(req wire.Request, r engine.Replier) { s.submit(req, r) }

func (s *script) Cancel(r engine.Replier, tag uint64) {
	if s.cancel != nil {
		s.cancel(r, tag)
	}
}

func (s *script) Credit(r engine.Replier, tag uint64, n int) {
	if s.credit != nil {
		s.credit(r, tag, n)
	}
}

// echo answers every request with its body.
func echo() *script {
	return &script{submit: func(req wire.Request, r engine.Replier) { r.Reply(req.Tag, wire.Response{Body: req.Body}) }}
}

func do(t testing.TB, e engine.Engine, req wire.Request) wire.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	resp, _ := engine.Do(ctx, e, req)
	return resp
}

func set(key, value string) wire.Request {
	return wire.Request{Op: wire.OpKVSet, Body: (&wire.KVSet{Key: []byte(key), Value: []byte(value)}).Append(nil)}
}

func get(key string) wire.Request {
	return wire.Request{Op: wire.OpKVGet, Body: (&wire.KVKey{Key: []byte(key)}).Append(nil)}
}

func TestBodiesTravelWholeWhateverTheirLength(t *testing.T) {
	e := bustest.Far(t, wire.EngineKV, echo())
	for _, n := range []int{0, 1, 100 << 10, 255 << 10, 256 << 10, 257 << 10, 512 << 10, 1 << 20, 16 << 20} {
		body := bytes.Repeat([]byte{byte(n), 1, 2, 3, 4, 5, 6}, n/7+1)[:n]
		resp := do(t, e, wire.Request{Op: wire.OpKVSet, Body: body})
		if resp.Code != wire.OK || !bytes.Equal(resp.Body, body) {
			t.Errorf("%d bytes came back as %v and %d bytes: %.100s", n, resp.Code, len(resp.Body), resp.Body)
		}
	}
	resp := do(t, e, wire.Request{Op: wire.OpKVSet, Body: make([]byte, 33<<20)})
	if resp.Code != wire.TooLarge {
		t.Errorf("33 MiB were answered %v", resp.Code)
	}
}

func TestLongBodiesDoNotHoldUpShortOnes(t *testing.T) {
	e := bustest.Far(t, wire.EngineKV, echo())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			body := make([]byte, 16<<20)
			if resp := do(t, e, wire.Request{Op: wire.OpKVSet, Body: body}); resp.Code != wire.OK || len(resp.Body) != len(body) {
				t.Errorf("16 MiB came back as %v and %d bytes: %.100s", resp.Code, len(resp.Body), resp.Body)
			}
		})
	}
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if resp := do(t, e, wire.Request{Op: wire.OpKVGet, Body: []byte("short")}); string(resp.Body) != "short" {
					t.Errorf("a short body came back as %v %q", resp.Code, resp.Body)
				}
			}
		})
	}
	wg.Wait()
}

func TestOrderedRequestsKeepTheirOrderBesideLongOnes(t *testing.T) {
	var mu sync.Mutex
	var sizes []int
	e := bustest.Far(t, wire.EngineKV, &script{submit: func(req wire.Request, r engine.Replier) {
		if req.Flags&wire.FlagOrdered == 0 {
			t.Error("an ordered request arrived without its flag")
		}
		mu.Lock()
		sizes = append(sizes, len(req.Body))
		mu.Unlock()
		r.Reply(req.Tag, wire.Response{})
	}})
	c := enginetest.NewClient(t)
	var want []int
	for i := range 60 {
		n := i
		if i%7 == 3 {
			n = 700<<10 + i
		}
		want = append(want, n)
		e.Submit(wire.Request{Op: wire.OpKVSet, Tag: uint64(i + 1), Flags: wire.FlagOrdered, Body: make([]byte, n)}, c)
	}
	c.Answers(len(want))
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(sizes, want) {
		t.Errorf("the requests came in the order %v", sizes)
	}
}

func TestEachReplierIsItsOwnToTheEngine(t *testing.T) {
	var mu sync.Mutex
	repliers := map[engine.Replier]int{}
	var held []func()
	e := bustest.Far(t, wire.EngineKV, &script{submit: func(req wire.Request, r engine.Replier) {
		mu.Lock()
		defer mu.Unlock()
		repliers[r]++
		held = append(held, func() { r.Reply(req.Tag, wire.Response{}) })
		if len(held) == 9 {
			for _, f := range held {
				f()
			}
		}
	}})
	clients := []*enginetest.Client{enginetest.NewClient(t), enginetest.NewClient(t), enginetest.NewClient(t)}
	for _, c := range clients {
		for i := range 3 {
			e.Submit(wire.Request{Op: wire.OpKVSet, Tag: uint64(i + 1)}, c)
		}
	}
	for _, c := range clients {
		c.Answers(3)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(repliers) != 3 {
		t.Errorf("three Repliers were %d to the engine", len(repliers))
	}
}

func TestAStreamKeepsToItsCreditsAndItsOrder(t *testing.T) {
	// Answers of different lengths, so that some go in pieces and others would overtake them.
	var mu sync.Mutex
	next := 0
	canceled := make(chan struct{})
	e := bustest.Far(t, wire.EngineKV, &script{
		submit: func(req wire.Request, r engine.Replier) { r.Reply(req.Tag, wire.Response{More: true}) },
		credit: func(r engine.Replier, tag uint64, n int) {
			mu.Lock()
			defer mu.Unlock()
			for range n {
				next++
				r.Reply(tag, wire.Response{More: true, Num: int64(next), Body: make([]byte, next%3*400<<10)})
			}
		},
		cancel: func(r engine.Replier, tag uint64) {
			r.Reply(tag, wire.Response{Code: wire.Canceled})
			close(canceled)
		},
	})
	c := enginetest.NewClient(t)
	e.Submit(wire.Request{Op: wire.OpKVWatch, Tag: 5}, c)
	e.Credit(c, 5, 3) // perhaps before it is sent
	c.Answers(4)
	e.Credit(c, 5, 20)
	all := c.Answers(24)
	for i, resp := range all {
		if resp.Num != int64(i) || len(resp.Body) != i%3*400<<10 {
			t.Fatalf("answer %d is %d with %d bytes", i, resp.Num, len(resp.Body))
		}
	}
	e.Cancel(c, 5)
	<-canceled
	if last := c.Answers(25)[24]; last.More || last.Code != wire.Canceled {
		t.Errorf("the stream ended with %+v", last)
	}
}

func TestWhatWaitsDoesNotFillTheWindow(t *testing.T) {
	ns := bustest.NATS(t, nil)
	mem := memkv.New()
	e := &script{submit: func(req wire.Request, r engine.Replier) {
		if req.Op == wire.OpQueuePop {
			req.Op = memkv.Hold
		}
		mem.Submit(req, r)
	}, cancel: mem.Cancel}
	bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineQueue, e, func(c *bus.ServeConfig) { c.MaxRequests = 4 })
	far := bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineQueue, nil)
	c := enginetest.NewClient(t)
	for i := range 100 {
		far.Submit(wire.Request{Op: wire.OpQueuePop, Tag: uint64(i + 1)}, c)
	}
	mem.Until(func(held, _, _ int) bool { return held == 100 })
	if resp := do(t, far, wire.Request{Op: wire.OpQueuePush}); resp.Code != wire.Unsupported {
		t.Errorf("a request behind those that wait was answered %v: %s", resp.Code, resp.Body)
	}
	mem.LetGo()
	c.Answers(100)
}

func TestWithoutRoomRequestsAreBusy(t *testing.T) {
	ns := bustest.NATS(t, nil)
	mem := memkv.New()
	bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, mem, func(c *bus.ServeConfig) { c.MaxRequests = 10 })
	far := bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineKV, func(c *bus.EngineConfig) { c.MaxPending = 40 })
	c := enginetest.NewClient(t)
	for i := range 25 {
		far.Submit(wire.Request{Op: memkv.Hold, Tag: uint64(i + 1)}, c)
	}
	for _, resp := range c.Answers(5) {
		if resp.Code != wire.Busy {
			t.Errorf("one too many was answered %v", resp.Code)
		}
	}
	modest := enginetest.NewClient(t)
	far.Submit(wire.Request{Op: memkv.Hold, Tag: 1}, modest)
	for let := 0; let < 21; {
		mem.Until(func(held, _, _ int) bool { return held > 0 })
		let += mem.LetGo()
	}
	c.Answers(25)
	if resp := modest.Answer(1); resp.Code != wire.OK {
		t.Errorf("one of a client that asks for nothing else is answered %v: %s", resp.Code, resp.Body)
	}
}

func TestASlowEngineDoesNotSlowOthers(t *testing.T) {
	ns := bustest.NATS(t, nil)
	daemon, router := bustest.Dial(t, ns.URL()), bustest.Dial(t, ns.URL())
	release := make(chan struct{})
	bustest.Serve(t, daemon, wire.EngineDoc, &script{submit: func(req wire.Request, r engine.Replier) {
		<-release
		r.Reply(req.Tag, wire.Response{})
	}}, nil)
	bustest.Serve(t, daemon, wire.EngineKV, echo(), nil)
	doc, kv := bustest.Engine(t, router, wire.EngineDoc, nil), bustest.Engine(t, router, wire.EngineKV, nil)
	c := enginetest.NewClient(t)
	for i := range 100 {
		doc.Submit(wire.Request{Op: wire.OpDocInsert, Tag: uint64(i + 1), Body: make([]byte, 100<<10)}, c)
	}
	var slowest time.Duration
	for range 100 {
		began := time.Now()
		if resp := do(t, kv, get("k")); resp.Code != wire.OK {
			t.Fatalf("%v %s", resp.Code, resp.Body)
		}
		slowest = max(slowest, time.Since(began))
	}
	if slowest > 2*time.Second {
		t.Errorf("a request beside a slow engine took %v", slowest)
	}
	time.Sleep(3 * time.Second) // longer than Silence: a slow engine is not one that has gone
	close(release)
	for _, resp := range c.Answers(100) {
		if resp.Code != wire.OK {
			t.Fatalf("the slow engine answered %v: %s", resp.Code, resp.Body)
		}
	}
}

func TestDeadlinesTravel(t *testing.T) {
	var left atomic.Int64
	block := make(chan struct{})
	var submitted atomic.Int32
	ns := bustest.NATS(t, nil)
	bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, &script{submit: func(req wire.Request, r engine.Replier) {
		submitted.Add(1)
		if req.Op == wire.OpKVIncr {
			<-block
		}
		left.Store(req.Deadline - wire.Clock())
		r.Reply(req.Tag, wire.Response{})
	}}, nil)
	far := bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineKV, func(c *bus.EngineConfig) { c.Late = time.Minute })
	do(t, far, wire.Request{Op: wire.OpKVSet, Deadline: wire.DeadlineAfter(time.Minute)})
	if d := time.Duration(left.Load()); d < 50*time.Second || d > time.Minute {
		t.Errorf("of a minute %v are left at the engine", d)
	}
	// What waits on the bus behind a slow one is refused when its time is over, and never begun.
	c := enginetest.NewClient(t)
	far.Submit(wire.Request{Op: wire.OpKVIncr, Tag: 1}, c)
	far.Submit(wire.Request{Op: wire.OpKVSet, Tag: 2, Deadline: wire.DeadlineAfter(100 * time.Millisecond)}, c)
	time.Sleep(300 * time.Millisecond)
	close(block)
	if resp := c.Answer(2); resp.Code != wire.Timeout || submitted.Load() != 2 {
		t.Errorf("a request whose time was over is answered %v: %s; %d were begun", resp.Code, resp.Body, submitted.Load())
	}
}
