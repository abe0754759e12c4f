package bus_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// asked is a request as an engine of a test got it.
type asked struct {
	req wire.Request
	r   engine.Replier
}

// desk is an engine that hands its requests to a test.
type desk struct {
	script
	in chan asked
}

func newDesk() *desk {
	d := &desk{in: make(chan asked, 100)}
	d.submit = func(req wire.Request, r engine.Replier) { d.in <- asked{req, r} }
	return d
}

func (a asked) answer(code wire.Code) { a.r.Reply(a.req.Tag, wire.Response{Code: code}) }

func ordered(tag uint64) wire.Request {
	return wire.Request{Op: wire.OpKVSet, Tag: tag, Flags: wire.FlagOrdered}
}

// linked returns when an engine has a link, with what that took answered.
func linked(t *testing.T, far *bus.Engine, d *desk) {
	t.Helper()
	c := enginetest.NewClient(t)
	far.Submit(wire.Request{Op: wire.OpKVGet, Tag: 1}, c)
	(<-d.in).answer(wire.OK)
	c.Answers(1)
}

func TestTheFirstOfAPipelineIsNotSentAgainBehindTheSecond(t *testing.T) {
	// The first has no FlagOrdered: there was nothing before it. The second has.
	d := newDesk()
	far := bustest.Far(t, wire.EngineKV, d)
	linked(t, far, d)
	c := enginetest.NewClient(t)
	far.Submit(wire.Request{Op: wire.OpKVSet, Tag: 1}, c)
	far.Submit(ordered(2), c)
	first, second := <-d.in, <-d.in
	second.answer(wire.OK)
	first.answer(wire.NotLeader)
	if resp := c.Answer(1); resp.Code != wire.Unavailable {
		t.Errorf("the first is answered %v: %s", resp.Code, resp.Body)
	}
	if resp := c.Answer(2); resp.Code != wire.OK {
		t.Errorf("the second is answered %v: %s", resp.Code, resp.Body)
	}
	if len(d.in) > 0 {
		t.Error("the first was sent again")
	}
}

func TestAPipelineThatANodeRefusesIsSentAgainInItsOrder(t *testing.T) {
	d := newDesk()
	far := bustest.Far(t, wire.EngineKV, d)
	linked(t, far, d)
	c := enginetest.NewClient(t)
	far.Submit(wire.Request{Op: wire.OpKVSet, Tag: 1, Body: []byte("1")}, c)
	for tag := uint64(2); tag <= 5; tag++ {
		req := ordered(tag)
		req.Body = fmt.Append(nil, tag)
		far.Submit(req, c)
	}
	var got []asked
	for range 5 {
		got = append(got, <-d.in)
	}
	for _, i := range []int{3, 0, 4, 2, 1} {
		got[i].answer(wire.NotLeader)
	}
	for tag := uint64(1); tag <= 5; tag++ {
		a := <-d.in
		if string(a.req.Body) != fmt.Sprint(tag) {
			t.Fatalf("request %s came again in place of %d", a.req.Body, tag)
		}
		a.answer(wire.OK)
	}
	for _, resp := range c.Answers(5) {
		if resp.Code != wire.OK {
			t.Errorf("answered %v: %s", resp.Code, resp.Body)
		}
	}
}

func TestAPipelineWaitsForWhatIsUnderWayElsewhere(t *testing.T) {
	ns := bustest.NATS(t, nil)
	var nodes [2]*desk
	var offices [2]*office
	for i := range nodes {
		nodes[i], offices[i] = newDesk(), newOffice(bus.Standing{Leads: i == 0, Term: 1, Leader: "n0"})
		bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, nodes[i], func(c *bus.ServeConfig) {
			c.Node, c.Leadership = fmt.Sprint("n", i), offices[i]
		})
	}
	far := bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineKV, nil)
	linked(t, far, nodes[0])
	c := enginetest.NewClient(t)
	far.Submit(ordered(1), c)
	first := <-nodes[0].in
	offices[0].set(bus.Standing{Term: 2, Leader: "n1"})
	offices[1].set(bus.Standing{Leads: true, Term: 2, Leader: "n1"})
	other := enginetest.NewClient(t)
	for tag := uint64(1); ; tag++ { // until the other node is asked
		far.Submit(wire.Request{Op: wire.OpKVGet, Tag: tag}, other)
		select {
		case a := <-nodes[0].in:
			a.answer(wire.OK)
			continue
		case a := <-nodes[1].in:
			a.answer(wire.OK)
		}
		break
	}
	far.Submit(ordered(2), c)
	linked(t, far, nodes[1])
	if len(nodes[1].in) > 0 {
		t.Fatal("the second was sent while the first was under way at another node")
	}
	first.answer(wire.OK)
	(<-nodes[1].in).answer(wire.OK)
	c.Answers(2)
}

func TestOrderedRequestsKeepTheirOrderBesideLongOnesThatFillTheWindow(t *testing.T) {
	var mu sync.Mutex
	var got []uint32
	e := bustest.Far(t, wire.EngineKV, &script{submit: func(req wire.Request, r engine.Replier) {
		mu.Lock()
		got = append(got, uint32(req.Body[0]))
		mu.Unlock()
		r.Reply(req.Tag, wire.Response{})
	}})
	c := enginetest.NewClient(t)
	const n = 100
	for i := range n {
		body := make([]byte, 200<<10)
		if i%4 == 3 {
			body = make([]byte, 260<<10) // longer than travels in one message
		}
		body[0] = byte(i)
		e.Submit(wire.Request{Op: wire.OpKVSet, Tag: uint64(i + 1), Flags: wire.FlagOrdered, Body: body}, c)
	}
	c.Answers(n)
	mu.Lock()
	defer mu.Unlock()
	for i := range got {
		if got[i] != uint32(i) {
			t.Fatalf("the requests came in the order %v", got)
		}
	}
}
