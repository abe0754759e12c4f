package bus

import (
	"testing"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// ear keeps the codes of its answers.
type ear struct{ codes []wire.Code }

func (r *ear) Reply(_ uint64, resp wire.Response) { r.codes = append(r.codes, resp.Code) }

// loose returns an Engine with a link and without goroutines and a bus.
func loose() (*Engine, *link) {
	e := &Engine{
		cfg: DefaultEngine(), log: zap.NewNop(), calls: make(map[uint64]*call),
		turns: make(map[engine.Replier]*turn), links: make(map[uint64]*link),
	}
	e.lead, e.any = newRoute(e, "lead"), newRoute(e, "any")
	l := &link{
		e: e, id: 7, route: e.lead, w: welcome{window: 1 << 20, requests: 10, bytes: 1 << 20}, ended: make(chan struct{}),
		out: newSender(7, 512<<10, 1<<20, new(flow)),
	}
	e.links[7], e.lead.link = l, l
	return e, l
}

func TestWhatALinkHadNotSentWhenItEndedIsNotSentAnyMore(t *testing.T) {
	e, l := loose()
	r := &ear{}
	e.Submit(wire.Request{Op: wire.OpKVSet, Tag: 1}, r)
	buf, number := l.out.next() // its sender is about to give the message to NATS
	e.broke(l, "a test wants it", everything)
	if e.lead.parked.n != 1 || len(r.codes) != 0 {
		t.Fatalf("a write that was not sent is not sent again: %v", r.codes)
	}
	if buf == nil || e.passing(l, number) {
		t.Error("the write is sent again, and by its old link too")
	}
}

func TestWhatALinkWasSendingWhenItEndedIsInDoubt(t *testing.T) {
	e, l := loose()
	r := &ear{}
	e.Submit(wire.Request{Op: wire.OpKVSet, Tag: 1}, r)
	_, number := l.out.next()
	if !e.passing(l, number) {
		t.Fatal("a link that there is does not send")
	}
	e.Submit(wire.Request{Op: wire.OpKVSet, Tag: 2}, r) // in the next message
	e.broke(l, "a test wants it", everything)
	if len(r.codes) != 1 || r.codes[0] != wire.OutcomeUnknown || e.lead.parked.n != 1 {
		t.Errorf("two writes, of which the first may have been sent, are answered %v and %d wait", r.codes, e.lead.parked.n)
	}
}

func TestNobodyHeardAMessageMeansThatItWasNotExecuted(t *testing.T) {
	e, l := loose()
	r := &ear{}
	for tag := range uint64(3) {
		e.Submit(wire.Request{Op: wire.OpKVSet, Tag: tag}, r)
		_, number := l.out.next()
		e.passing(l, number)
	}
	e.unheard(l, 7, "n.2")
	if len(r.codes) != 1 || r.codes[0] != wire.OutcomeUnknown || e.lead.parked.n != 2 {
		t.Errorf("three writes, of which the second was not heard, are answered %v and %d wait", r.codes, e.lead.parked.n)
	}
}

func TestWhatWaitsForALinkIsTakenInTheOrderInWhichItCame(t *testing.T) {
	var p parked
	calls := make([]*call, 10)
	for i := range calls {
		calls[i] = &call{id: uint64(i)}
	}
	for _, i := range []int{2, 4, 6, 1, 5, 3, 9, 0} {
		p.add(calls[i])
	}
	p.remove(calls[5])
	p.remove(calls[7]) // was never there
	var got []uint64
	p.take(func(c *call) bool {
		if len(got) == 4 {
			return false
		}
		got = append(got, c.id)
		return true
	})
	p.add(calls[8])
	p.add(calls[2])
	p.take(func(c *call) bool {
		got = append(got, c.id)
		return true
	})
	want := []uint64{0, 1, 2, 3, 2, 4, 6, 8, 9}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Fatalf("taken in the order %v, not %v", got, want)
		}
	}
	if p.n != 0 || len(got) != len(want) || p.calls != nil {
		t.Errorf("%d are left", p.n)
	}
}
