package replica

import (
	"bytes"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// bench is a proposer without Raft: the test decides what becomes of each entry.
type workbench struct {
	*proposer
	t       *testing.T
	entries chan *handEntry
}

// handEntry is an entry in the test's hands.
type handEntry struct {
	data []byte
	err  chan error
}

func (h *handEntry) Error() error  { return <-h.err }
func (h *handEntry) Response() any { return nil }
func (h *handEntry) Index() uint64 { return 0 }

func newWorkbench(t *testing.T, change ...func(*Config)) *workbench {
	cfg := Default()
	cfg.Name, cfg.Log = "all-0", zap.NewNop()
	for _, f := range change {
		f(&cfg)
	}
	w := &workbench{t: t, entries: make(chan *handEntry, 64)}
	w.proposer = newProposer(&cfg, 1, func(data []byte) raft.ApplyFuture {
		h := &handEntry{data: data, err: make(chan error, 1)}
		w.entries <- h
		return h
	}, func() int64 { return 0 })
	var wg sync.WaitGroup
	wg.Go(w.run)
	wg.Go(w.reap)
	t.Cleanup(func() {
		w.close()
		for {
			select {
			case h := <-w.entries:
				h.err <- raft.ErrRaftShutdown
				continue
			default:
			}
			break
		}
		wg.Wait()
	})
	return w
}

// elect makes the proposer lead and takes its opening entry.
func (w *workbench) elect() {
	w.lead(true, "")
	w.apply(<-w.entries)
}

// apply answers the entry's commands in order, as the apply goroutine does; Num counts within the entry.
func (w *workbench) apply(h *handEntry) (ops []wire.Op) {
	w.t.Helper()
	e, cmds, err := readEntry(h.data)
	if err != nil {
		w.t.Fatal(err)
	}
	b := w.take(e.seq)
	for i, c := range cmds {
		if b != nil {
			b.cmds[i].r.Reply(b.cmds[i].tag, wire.Response{Num: int64(i), Body: c.Body})
		}
		ops = append(ops, c.Op)
	}
	if b != nil {
		w.done(b)
	}
	h.err <- nil
	return ops
}

func (w *workbench) put(r wire.Replier, tag uint64, size int, deadline int64) {
	w.propose(&wire.Request{Op: opSet, Tag: tag, Deadline: deadline, Body: bytes.Repeat([]byte{byte(tag)}, size)}, false, r)
}

func code(t *testing.T, c *collector, tag uint64, want wire.Code) {
	t.Helper()
	if r := c.wait(t, tag); r.Code != want {
		t.Errorf("command %d: %s (%s), want %s", tag, r.Code, r.Body, want)
	}
}

func TestWhatIsPendingGoesIntoOneEntry(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	for i := range uint64(100) {
		w.put(c, i, 100, 0)
	}
	w.lead(true, "")
	h := <-w.entries
	if n := len(w.apply(h)); n != 100 {
		t.Fatalf("the first entry has %d commands", n)
	}
	for i := range uint64(100) {
		if r := c.wait(t, i); r.Num != int64(i) {
			t.Fatalf("command %d was number %d", i, r.Num)
		}
	}
}

func TestASmallBatchGrowsWhileAnEntryIsOnItsWay(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	w.elect()
	w.put(c, 1, 10, 0)
	first := <-w.entries
	w.put(c, 2, 10, 0)
	w.put(c, 3, 10, 0)
	w.put(c, 4, 100<<10, 0) // an eighth of a full batch does not wait
	second := <-w.entries
	w.apply(first)
	if n := len(w.apply(second)); n != 3 {
		t.Fatalf("the second entry has %d commands", n)
	}
}

func TestLaterCommandsOfAFloodWaitForOtherConnections(t *testing.T) {
	w := newWorkbench(t)
	flood, other := newCollector(), newCollector()
	// 4 MiB of one connection, then one command of another.
	for i := range uint64(4096) {
		w.put(flood, i, 1024, 0)
	}
	w.put(other, 1, 1024, 0)
	w.lead(true, "")
	entries := 0
	for other.count() == 0 {
		w.apply(<-w.entries)
		entries++
	}
	if entries > 2 {
		t.Fatalf("the other connection was answered in entry %d", entries)
	}
	for flood.count() < 4096 {
		w.apply(<-w.entries)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lanes.bytes != 0 || w.lanes.live != 0 || len(w.lanes.ring) != 0 {
		t.Fatalf("something is left in the lanes: %+v", w.lanes)
	}
}

func TestTheOrderOfAConnectionIsKeptThroughTheLanes(t *testing.T) {
	w := newWorkbench(t, func(c *Config) { c.EntryBytes = 4 << 10 })
	cs := []*order{{t: t}, {t: t}, {t: t}}
	for i := range uint64(3000) {
		w.put(cs[i%3], i/3, int(i*37%2000), 0)
		if i%500 == 0 {
			w.lead(true, "")
		}
		select {
		case h := <-w.entries:
			w.apply(h)
		default:
		}
	}
	for cs[0].next.Load() < 1000 || cs[1].next.Load() < 1000 || cs[2].next.Load() < 1000 {
		w.apply(<-w.entries)
	}
}

func TestACommandLargerThanABatchHasItsOwnEntry(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	w.put(c, 1, 100, 0)
	w.put(c, 2, 2<<20, 0)
	w.put(c, 3, 100, 0)
	w.lead(true, "")
	for _, want := range []int{1, 1, 1} {
		if n := len(w.apply(<-w.entries)); n != want {
			t.Fatalf("%d commands in an entry", n)
		}
	}
	for i := range uint64(3) {
		code(t, c, i+1, wire.OK)
	}
}

func TestACommandOverTheLimitIsTooLarge(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	w.put(c, 1, wire.MaxCommand, 0)
	code(t, c, 1, wire.TooLarge)
}

func TestTooMuchWaitingIsBusy(t *testing.T) {
	w, c := newWorkbench(t, func(c *Config) { c.MaxPending = wire.MaxCommand }), newCollector()
	for i := range uint64(40) {
		w.put(c, i, 1<<20, 0)
	}
	busy := 0
	w.lead(true, "")
	for i := range uint64(40) {
		for c.count() < 40 {
			select {
			case h := <-w.entries:
				w.apply(h)
			case <-time.After(time.Millisecond):
			}
		}
		if r := c.wait(t, i); r.Code == wire.Busy {
			busy++
		} else if busy > 0 {
			t.Fatalf("command %d overtook one that was refused", i)
		}
	}
	if busy < 20 || busy > 25 {
		t.Fatalf("%d of 40 MiB were refused", busy)
	}
}

func TestADeadlineThatPassesBeforeTheEntryIsTimeout(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	w.elect()
	w.put(c, 1, 10, 0)
	first := <-w.entries // Raft is busy with it
	w.put(c, 2, 10, wire.DeadlineAfter(5*time.Millisecond))
	w.put(c, 3, 10, wire.DeadlineAfter(time.Minute))
	code(t, c, 2, wire.Timeout) // although nothing moves
	w.apply(first)
	if n := len(w.apply(<-w.entries)); n != 1 {
		t.Fatalf("the second entry has %d commands", n)
	}
	code(t, c, 1, wire.OK)
	code(t, c, 3, wire.OK)
}

func TestWithoutALeaderCommandsWaitForTheirDeadline(t *testing.T) {
	w, c := newWorkbench(t, func(c *Config) { c.Patience = 30 * time.Millisecond }), newCollector()
	w.put(c, 1, 10, wire.DeadlineAfter(time.Millisecond))
	w.put(c, 2, 10, 0)
	w.put(c, 3, 10, wire.DeadlineAfter(time.Minute))
	code(t, c, 1, wire.Unavailable)
	code(t, c, 2, wire.Unavailable)
	w.lead(true, "")
	w.apply(<-w.entries)
	code(t, c, 3, wire.OK)
}

func TestWhenAnotherNodeLeadsWaitingCommandsAreSentThere(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	w.put(c, 1, 10, 0)
	w.put(c, 2, 600<<10, 0)
	w.put(c, 3, 10, 0)
	w.lead(false, "b/1")
	w.put(c, 4, 10, 0)
	for i := range uint64(4) {
		code(t, c, i+1, wire.NotLeader)
	}
}

func TestACommandIsWithdrawnUntilItIsInAnEntry(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	w.elect()
	w.put(c, 1, 10, 0)
	first := <-w.entries
	w.put(c, 2, 10, 0)
	w.put(c, 3, 10, 0)
	w.cancel(c, 1) // too late
	w.cancel(c, 2)
	w.cancel(c, 99)
	code(t, c, 2, wire.Canceled)
	w.apply(first)
	if r := c.wait(t, 1); r.Code != wire.OK {
		t.Fatalf("a command in flight was answered %s", r.Code)
	}
	h := <-w.entries
	w.apply(h)
	if r := c.wait(t, 3); r.Code != wire.OK || !bytes.Equal(r.Body, bytes.Repeat([]byte{3}, 10)) {
		t.Fatalf("the command after the withdrawn one: %s %q", r.Code, r.Body)
	}
}

func TestWithdrawingAWholeFullBatchLetsTheLanesMoveUp(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	w.put(c, 1, 600<<10, 0)
	w.put(c, 2, 600<<10, 0)
	w.cancel(c, 1)
	w.lead(true, "")
	w.apply(<-w.entries)
	code(t, c, 1, wire.Canceled)
	code(t, c, 2, wire.OK)
}

func TestWhatRaftRefusesWasNotExecutedAndTheRestIsUnknown(t *testing.T) {
	for err, want := range map[error]wire.Code{
		raft.ErrNotLeader: wire.Unavailable, raft.ErrLeadershipTransferInProgress: wire.Unavailable, raft.ErrEnqueueTimeout: wire.Unavailable,
		raft.ErrLeadershipLost: wire.OutcomeUnknown, raft.ErrRaftShutdown: wire.OutcomeUnknown,
		raft.ErrAbortedByRestore: wire.OutcomeUnknown, errors.New("disk"): wire.OutcomeUnknown,
	} {
		w, c := newWorkbench(t), newCollector()
		w.elect()
		w.put(c, 1, 10, 0)
		h := <-w.entries
		h.err <- err
		code(t, c, 1, want)
		if w.take(2) != nil {
			t.Fatal("an entry that was given up can still be answered")
		}
	}
}

func TestAStoppedProposerRefusesAndAnswersWhatWaits(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	w.put(c, 1, 10, 0)
	w.close()
	w.put(c, 2, 10, 0)
	w.lead(true, "")
	w.put(c, 3, 10, 0)
	for i := range uint64(3) {
		code(t, c, i+1, wire.Unavailable)
	}
}

// proxy is a Replier that stands in for another.
type proxy struct{ c *collector }

func (p *proxy) Reply(tag uint64, r wire.Response) { p.c.Reply(tag, r) }
func (p *proxy) Lane() wire.Replier                { return p.c }

func TestAReplierInPlaceOfAnotherKeepsTheOthersOrder(t *testing.T) {
	w, c, other := newWorkbench(t), newCollector(), newCollector()
	for i := range uint64(600) {
		w.put(other, i, 1000, 0) // more than a batch holds: what follows goes by lanes
	}
	const n = 40
	for i := range uint64(n) {
		r := wire.Replier(c)
		if i%2 == 1 {
			r = &proxy{c}
		}
		w.propose(&wire.Request{Op: opSet + wire.Op(i), Tag: i, Body: make([]byte, 100)}, false, r)
	}
	last := &proxy{c}
	w.put(last, n, 100, 0)
	w.cancel(last, n)
	code(t, c, n, wire.Canceled)
	w.lead(true, "")
	next := opSet
	for c.count() < n+1 {
		for _, op := range w.apply(<-w.entries) {
			if op == next {
				next++
			} else if op != opSet {
				t.Fatalf("command %d came when %d was due", op, next)
			}
		}
	}
	if next < opSet+n {
		t.Fatalf("only %d commands came in order", next-opSet)
	}
}
