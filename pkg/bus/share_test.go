package bus

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestRequestsThatWaitedInVainAreNotKept(t *testing.T) {
	e, _ := loose()
	e.lead.link = nil
	r := &ear{}
	for i := range uint64(10_000) { // there is always one that waits, never more than two
		e.Submit(wire.Request{Op: wire.OpKVSet, Tag: i, Body: make([]byte, 1<<10)}, r)
		if i > 0 {
			e.Cancel(r, i-1)
		}
	}
	if n := len(e.lead.parked.calls); e.lead.parked.n != 1 || n > 200 {
		t.Errorf("%d requests wait, %d are kept", e.lead.parked.n, n)
	}
}

func TestAStaleReadDoesNotLetAPipelineGoOnElsewhere(t *testing.T) {
	e, l := loose()
	open := func(id uint64, rt *route) *link {
		o := &link{e: e, id: id, route: rt, w: l.w, ended: make(chan struct{}), out: newSender(id, 512<<10, 1<<20, new(flow))}
		e.links[id], rt.link = o, o
		return o
	}
	open(8, e.any)
	r := &ear{}
	e.Submit(wire.Request{Op: wire.OpKVSet, Tag: 1, Flags: wire.FlagOrdered}, r)
	e.Submit(wire.Request{Op: wire.OpKVGet, Tag: 2, Flags: wire.FlagStale}, r)
	e.lead.leave(l, "n2") // the leader moves; the first write is under way at the old one
	next := open(9, e.lead)
	e.Submit(wire.Request{Op: wire.OpKVSet, Tag: 3, Flags: wire.FlagOrdered}, r)
	if next.all != 0 {
		t.Error("the second write is sent to the new leader while the first is under way at the old one")
	}
}

func TestLinksThatAreNotNeededAreCountedAsEnded(t *testing.T) {
	e, l := loose()
	e.counts.links.Add(1)
	e.lead.leave(l, "n2")
	if n := e.counts.broken.Load(); len(e.links) != 0 || n != 1 {
		t.Errorf("%d links are left of 1, %d have ended", len(e.links), n)
	}
}

func TestOneWhoWaitsForAllLeavesRoomForOthersWhoWait(t *testing.T) {
	e, _ := loose()
	e.cfg.MaxWaiting = 40
	greedy, modest := &ear{}, &ear{}
	for tag := range uint64(100) {
		e.Submit(wire.Request{Op: wire.OpQueuePop, Tag: tag}, greedy)
	}
	e.Submit(wire.Request{Op: wire.OpQueuePop, Tag: 1}, modest)
	if len(greedy.codes) != 80 || len(modest.codes) != 0 {
		t.Errorf("%d of 100 of one client are Busy, and the only one of another is answered %v", len(greedy.codes), modest.codes)
	}
}
