package held

import (
	"slices"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	read  = wire.OpDocFind
	write = wire.OpDocUpdate
)

// world is an engine that notes what begins, and whose client notes what is answered.
type world struct {
	*Requests
	t        *testing.T
	begun    []uint64
	answered []uint64
	onBegin  func(l *Late)
}

func newWorld(t *testing.T) *world {
	w := &world{t: t}
	w.Requests = New(func(op wire.Op) bool { return op == read }, func(l *Late) {
		w.begun = append(w.begun, l.Tag)
		if w.onBegin != nil {
			w.onBegin(l)
		}
	})
	return w
}

func (w *world) Reply(tag uint64, resp wire.Response) {
	if resp.Code != wire.Canceled {
		w.t.Errorf("request %d was answered %v", tag, resp.Code)
	}
	w.answered = append(w.answered, tag)
}

// ask reports whether a request must wait.
func (w *world) ask(op wire.Op, tag uint64) bool {
	return w.Join(&wire.Request{Op: op, Tag: tag, Body: []byte{byte(tag)}}, w)
}

// expect compares what has begun since the last call.
func (w *world) expect(tags ...uint64) {
	w.t.Helper()
	if !slices.Equal(w.begun, tags) {
		w.t.Errorf("begun have %v, not %v", w.begun, tags)
	}
	w.begun = nil
}

// idle checks that nothing is known any more.
func (w *world) idle() {
	w.t.Helper()
	if len(w.all) != 0 || w.n.Load() != 0 {
		w.t.Errorf("%d clients are left, counted as %d", len(w.all), w.n.Load())
	}
}

func TestNothingWaitsWhereNothingIsOnItsWay(t *testing.T) {
	w := newWorld(t)
	other := newWorld(t)
	w.Enter(write, other)
	if w.ask(read, 1) || w.ask(write, 2) {
		t.Error("it waits for another client")
	}
	w.Leave(write, other)
	if w.ask(write, 3) || w.Cancel(w, 3) {
		t.Error("it waits")
	}
	w.expect()
	w.idle()
}

func TestWritesWaitForEverythingAndReadsForWrites(t *testing.T) {
	for _, c := range []struct {
		way, op wire.Op
		waits   bool
	}{
		{read, read, false},
		{read, write, true},
		{write, read, true},
		{write, write, true},
	} {
		w := newWorld(t)
		w.Enter(c.way, w)
		if got := w.ask(c.op, 1); got != c.waits {
			t.Errorf("%v behind %v waits: %v", c.op, c.way, got)
		}
		w.expect()
		w.Leave(c.way, w)
		if c.waits {
			w.expect(1)
		} else {
			w.expect()
		}
		w.idle()
	}
}

func TestNobodyOvertakesThoseWhoWait(t *testing.T) {
	w := newWorld(t)
	w.Enter(read, w)
	if !w.ask(write, 1) {
		t.Fatal("a write overtakes a read")
	}
	if !w.ask(read, 2) {
		t.Error("a read overtakes a write that waits")
	}
	if !w.Follow(&wire.Request{Op: write, Tag: 3}, w) {
		t.Error("one that follows overtakes those who wait")
	}
	w.Leave(read, w)
	w.expect(1, 2, 3)
	w.idle()
}

func TestOneThatFollowsDoesNotWaitForWhatIsOnItsWay(t *testing.T) {
	w := newWorld(t)
	w.Enter(write, w)
	if w.Follow(&wire.Request{Op: write, Tag: 1}, w) {
		t.Error("it waits")
	}
	w.Leave(write, w)
	w.idle()
}

func TestTheLastThatLeavesLetsTheOthersGo(t *testing.T) {
	w := newWorld(t)
	w.Enter(write, w)
	w.Enter(write, w)
	w.Enter(read, w)
	w.ask(read, 1)
	w.ask(write, 2)
	w.Leave(write, w)
	w.expect()
	w.Leave(write, w)
	w.expect(1) // nothing but a read is on its way
	w.Leave(read, w)
	w.expect(2)
	w.idle()
}

func TestWhatBeginsMayBeOnItsWayAsWell(t *testing.T) {
	w := newWorld(t)
	w.onBegin = func(l *Late) {
		if l.Tag <= 2 {
			w.Enter(l.Op, w)
		}
		if l.Tag == 1 && !w.Follow(&wire.Request{Op: read, Tag: 4}, w) {
			t.Error("a request overtakes those who are sent on their way")
		}
	}
	w.Enter(write, w)
	w.ask(read, 1)
	w.ask(write, 2)
	w.ask(read, 3)
	w.Leave(write, w)
	w.expect(1)
	w.Leave(read, w)
	w.expect(2)
	w.Leave(write, w)
	w.expect(3, 4)
	w.idle()
}

func TestOneThatIsAnsweredAtOnceLetsTheNextGo(t *testing.T) {
	w := newWorld(t)
	w.onBegin = func(l *Late) {
		w.Enter(l.Op, w)
		w.Leave(l.Op, w) // while the others are sent on their way
	}
	w.Enter(write, w)
	for tag := range uint64(4) {
		w.ask(write, tag)
	}
	w.Leave(write, w)
	w.expect(0, 1, 2, 3)
	w.idle()
}

func TestARequestThatWaitsHasABodyOfItsOwn(t *testing.T) {
	w := newWorld(t)
	var got []byte
	w.onBegin = func(l *Late) { got = l.Body }
	w.Enter(write, w)
	req := wire.Request{Op: write, Body: []byte("mine")}
	w.Join(&req, w)
	copy(req.Body, "your")
	w.Leave(write, w)
	if string(got) != "mine" {
		t.Errorf("it is %q", got)
	}
}

func TestARequestThatWaitsCanBeWithdrawn(t *testing.T) {
	w := newWorld(t)
	w.Enter(write, w)
	w.ask(read, 1)
	w.ask(read, 2)
	w.ask(read, 3)
	if !w.Cancel(w, 2) || w.Cancel(w, 2) || w.Cancel(newWorld(t), 1) {
		t.Error("it is withdrawn once, by its own client")
	}
	w.Leave(write, w)
	w.expect(1, 3)
	if !slices.Equal(w.answered, []uint64{2}) {
		t.Errorf("answered were %v", w.answered)
	}
	w.idle()
}

func TestOnlyWhatIsOrderedEnters(t *testing.T) {
	w := newWorld(t)
	if w.EnterOrdered(&wire.Request{Op: write}, w) != nil {
		t.Error("a request that is not ordered has entered")
	}
	w.idle()
	req := wire.Request{Op: write, Flags: wire.FlagOrdered}
	leave := w.EnterOrdered(&req, w)
	req.Op = read // it may be another's by then
	if !w.ask(read, 1) {
		t.Error("a read overtakes a write")
	}
	leave()
	w.expect(1)
	w.idle()
}

func TestClientsKeepTheirOrdersSideBySide(t *testing.T) {
	var mu sync.Mutex
	begun := map[wire.Replier][]uint64{}
	h := New(func(op wire.Op) bool { return op == read }, func(l *Late) {
		mu.Lock()
		begun[l.Replier] = append(begun[l.Replier], l.Tag)
		mu.Unlock()
	})
	var wg sync.WaitGroup
	for range 4 {
		client := newWorld(t)
		wg.Go(func() {
			tag := uint64(0)
			for range 200 {
				h.Enter(write, client)
				for range 3 {
					if !h.Join(&wire.Request{Op: read, Tag: tag}, client) {
						t.Error("a read overtakes a write")
					}
					tag++
				}
				h.Leave(write, client)
			}
		})
	}
	wg.Wait()
	for _, tags := range begun {
		if len(tags) != 600 || !slices.IsSorted(tags) {
			t.Errorf("a client's requests began as %v", tags)
		}
	}
	if len(begun) != 4 || len(h.all) != 0 || h.n.Load() != 0 {
		t.Errorf("%d clients have begun, %d are left", len(begun), len(h.all))
	}
}
