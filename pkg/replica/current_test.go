package replica

import (
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestWhatIsOrderedWaitsForWhatItsLaneHasProposed(t *testing.T) {
	n := single(t)
	lane, barrier := newCollector(), Barrier{Op: opGet, Body: []byte("k")}
	for i := range uint64(200) {
		n.Propose(&wire.Request{Op: opSet, Tag: i, Body: pair("k", fmt.Sprint(i))}, false, lane)
		req := wire.Request{Flags: wire.FlagOrdered | wire.FlagStale}
		if n.Current(&req) {
			t.Fatal("an ordered request need not wait")
		}
		done := make(chan error, 1)
		n.WhenCurrent(&req, &barrier, lane, func(err error) {
			if got := lane.count(); got != int(i)+1 {
				t.Errorf("the barrier passed when %d of %d commands had been answered", got, i+1)
			}
			done <- err
		})
		ok(t, <-done)
		if got := n.get("k"); got != fmt.Sprint(i) {
			t.Fatalf("behind the barrier there is %q, not %d", got, i)
		}
	}
}

func TestABarrierIsInALaneOfItsOwnIfItGetsNone(t *testing.T) {
	n := single(t)
	p := &passing{}
	if p.Lane() != wire.Replier(p) {
		t.Error("it has another")
	}
	done := make(chan error, 1)
	n.Pass(&Barrier{Op: opGet, Body: []byte("no such key")}, 0, nil, func(err error) { done <- err })
	if err := <-done; wire.CodeOf(err) != wire.NotFound {
		t.Errorf("the machine's answer became %v", err)
	}
	n.Pass(&Barrier{Op: wire.OpQueueLen}, 0, nil, func(err error) { done <- err })
	if err := <-done; wire.CodeOf(err) != wire.Unsupported {
		t.Errorf("a barrier of an engine that is not there: %v", err)
	}
}

func TestAStaleRequestIsCurrentWithoutALeader(t *testing.T) {
	n := single(t)
	var fresh, stale wire.Request
	stale.Flags = wire.FlagStale
	if !n.Current(&fresh) || !n.Current(&stale) {
		t.Error("an only voter that leads must ask somebody")
	}
	ok(t, n.Close())
	if n.Current(&fresh) || !n.Current(&stale) {
		t.Error("a stopped group leads")
	}
	var barrier Barrier
	var got []error
	n.WhenCurrent(&stale, &barrier, newCollector(), func(err error) { got = append(got, err) })
	n.WhenCurrent(&fresh, &barrier, newCollector(), func(err error) { got = append(got, err) })
	if len(got) != 2 || got[0] != nil || wire.CodeOf(got[1]) != wire.Unavailable {
		t.Errorf("they heard %v", got)
	}
}

func TestAReadThatComesLaterHasABodyOfItsOwn(t *testing.T) {
	n := single(t)
	c := newCollector()
	req := wire.Request{Op: opGet, Tag: 7, Body: []byte("key")}
	var late *wire.Request
	n.ReadLater(&req, c, func(r *wire.Request) { late = r })
	copy(req.Body, "new")
	if late == nil || late.Tag != 7 || string(late.Body) != "key" {
		t.Errorf("it reads %+v", late)
	}
	ok(t, n.Close())
	n.ReadLater(&req, c, func(*wire.Request) { t.Error("a stopped group reads") })
	code(t, c, 7, wire.Unavailable)
}
