package bus_test

import (
	"bytes"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestCreditsAreGrantedAgainWhereAStreamIsSentAgain(t *testing.T) {
	d := newDesk()
	credits := make(chan int, 10)
	d.credit = func(_ engine.Replier, _ uint64, n int) { credits <- n }
	far := bustest.Far(t, wire.EngineKV, d)
	linked(t, far, d)
	c := enginetest.NewClient(t)
	far.Submit(wire.Request{Op: wire.OpKVWatch, Tag: 1}, c)
	far.Credit(c, 1, 3)
	refused := <-d.in
	<-credits
	refused.answer(wire.NotLeader)
	again := <-d.in
	if n := <-credits; n != 3 {
		t.Errorf("%d answers may be sent", n)
	}
	again.answer(wire.Compacted)
	c.Answers(1)
}

func TestARequestThatIsGivenToTheEngineWhileItsLinkEndsIsWithdrawn(t *testing.T) {
	ns := bustest.NATS(t, nil)
	inside, early, release, late := make(chan struct{}), make(chan struct{}, 10), make(chan struct{}), make(chan struct{}, 10)
	var there atomic.Bool
	bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineQueue, &script{
		submit: func(wire.Request, engine.Replier) {
			close(inside)
			<-release
			there.Store(true)
		},
		cancel: func(engine.Replier, uint64) {
			if there.Load() {
				late <- struct{}{}
			} else {
				early <- struct{}{} // the engine does not know the request yet
			}
		},
	}, func(c *bus.ServeConfig) { c.Silence, c.Grace = 200*time.Millisecond, time.Second })
	router := bustest.Dial(t, ns.URL())
	far := bustest.Engine(t, router, wire.EngineQueue, nil)
	far.Submit(wire.Request{Op: wire.OpQueuePop, Tag: 1}, enginetest.NewClient(t))
	<-inside
	if err := router.Close(); err != nil {
		t.Fatal(err)
	}
	<-early
	close(release)
	<-late
}

func TestWhatIsTooLongForOneSideHarmsNobodyElse(t *testing.T) {
	ns := bustest.NATS(t, nil)
	d := newDesk()
	d.submit = func(req wire.Request, r engine.Replier) {
		if req.Op == wire.OpKVIncr {
			d.in <- asked{req, r}
			return
		}
		r.Reply(req.Tag, wire.Response{Body: bytes.Repeat(req.Body, 2)})
	}
	bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, d, func(c *bus.ServeConfig) { c.MaxRequest = 1 << 20 })
	far := bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineKV, func(c *bus.EngineConfig) { c.MaxAnswer = 1 << 20 })
	c := enginetest.NewClient(t)
	far.Submit(wire.Request{Op: wire.OpKVIncr, Tag: 1}, c)
	held := <-d.in
	for _, test := range []struct {
		op   wire.Op
		size int
		want wire.Code
	}{
		{wire.OpKVSet, 2 << 20, wire.TooLarge},
		{wire.OpKVGet, 2 << 20, wire.TooLarge},
		{wire.OpKVGet, 800 << 10, wire.TooLarge},
		{wire.OpKVSet, 800 << 10, wire.OutcomeUnknown}, // executed, and its answer not taken
		{wire.OpKVSet, 300 << 10, wire.OK},
	} {
		resp := do(t, far, wire.Request{Op: test.op, Body: make([]byte, test.size)})
		if resp.Code != test.want {
			t.Errorf("%v of %d bytes is answered %v: %.100s", test.op, test.size, resp.Code, resp.Body)
		}
	}
	held.answer(wire.OK)
	if resp := c.Answer(1); resp.Code != wire.OK {
		t.Errorf("what was under way beside them is answered %v: %s", resp.Code, resp.Body)
	}
}

func TestALeaderThatIsNoneIsAskedEverMoreSlowly(t *testing.T) {
	var times atomic.Int32
	far := bustest.Far(t, wire.EngineKV, &script{submit: func(req wire.Request, r engine.Replier) {
		times.Add(1)
		r.Reply(req.Tag, wire.Response{Code: wire.NotLeader})
	}})
	resp := do(t, far, wire.Request{Op: wire.OpKVSet, Deadline: wire.DeadlineAfter(500 * time.Millisecond)})
	if n := times.Load(); resp.Code != wire.Unavailable || n > 50 {
		t.Errorf("after %d attempts it is answered %v: %s", n, resp.Code, resp.Body)
	}
}

func TestWhatWaitsWithoutADeadlineGoesElsewhereHoweverLongItHasWaited(t *testing.T) {
	ns := bustest.NATS(t, nil)
	d := newDesk()
	var mu sync.Mutex
	waits := map[uint64]engine.Replier{}
	d.submit = func(req wire.Request, r engine.Replier) {
		mu.Lock()
		waits[req.Tag] = r
		mu.Unlock()
		d.in <- asked{req, r}
	}
	d.cancel = func(r engine.Replier, tag uint64) {
		mu.Lock()
		_, there := waits[tag]
		delete(waits, tag)
		mu.Unlock()
		if there {
			r.Reply(tag, wire.Response{Code: wire.Canceled})
		}
	}
	const patience = 300 * time.Millisecond
	server := bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineQueue, d, nil)
	far := bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineQueue, func(c *bus.EngineConfig) { c.Patience = patience })
	c := enginetest.NewClient(t)
	far.Submit(wire.Request{Op: wire.OpQueuePop, Tag: 1}, c)
	<-d.in
	time.Sleep(2 * patience)
	next := newDesk()
	bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineQueue, next, func(c *bus.ServeConfig) { c.Node = "n2" })
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	(<-next.in).answer(wire.OK)
	if resp := c.Answer(1); resp.Code != wire.OK {
		t.Errorf("answered %v: %s", resp.Code, resp.Body)
	}
}

func TestAWatchOfADaemonThatStopsIsUnavailable(t *testing.T) {
	ns := bustest.NATS(t, nil)
	d := newDesk()
	d.cancel = func(r engine.Replier, tag uint64) { r.Reply(tag, wire.Response{Code: wire.Canceled}) }
	server := bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, d, nil)
	far := bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineKV, nil)
	c := enginetest.NewClient(t)
	far.Submit(wire.Request{Op: wire.OpKVWatch, Tag: 1}, c)
	a := <-d.in
	a.r.Reply(a.req.Tag, wire.Response{More: true})
	c.Answers(1)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if resp := c.Answers(2)[1]; resp.Code != wire.Unavailable {
		t.Errorf("its client, who has not withdrawn it, is answered %v: %s", resp.Code, resp.Body)
	}
}

func TestARouterThatTakesNoAnswersOfWritesLosesItsLink(t *testing.T) {
	ns := bustest.NATS(t, nil)
	way := newRelay(t, ns.Addr())
	d := newDesk()
	d.in = make(chan asked, 1000)
	server := bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, d, func(c *bus.ServeConfig) {
		c.MaxAnswers, c.Silence = 4<<20, 20*time.Second
	})
	far := bustest.Engine(t, bustest.Dial(t, way.url()), wire.EngineKV, func(c *bus.EngineConfig) { c.Silence = 20 * time.Second })
	linked(t, far, d)
	c := enginetest.NewClient(t)
	const n = 500
	for i := range n {
		far.Submit(wire.Request{Op: wire.OpKVIncr, Tag: uint64(i + 1)}, c)
	}
	way.deaf(true)
	for range n {
		a := <-d.in
		a.r.Reply(a.req.Tag, wire.Response{Body: make([]byte, 200<<10)})
		if waiting := server.Waiting(); waiting > 9<<20 {
			t.Fatalf("%d bytes of answers wait", waiting)
		}
	}
	way.deaf(false)
	unknown := 0
	for _, resp := range c.Answers(n) {
		switch resp.Code {
		case wire.OK:
		case wire.OutcomeUnknown:
			unknown++
		default:
			t.Fatalf("answered %v: %s", resp.Code, resp.Body)
		}
	}
	if unknown == 0 {
		t.Error("all answers have come: nothing was tried")
	}
}
