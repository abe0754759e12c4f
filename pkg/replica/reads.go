package replica

import (
	"sync"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// verifyLimit bounds one round of asking the peers: with a dead majority Raft's answer may never come.
const verifyLimit = 2 * time.Second

// reader waits until a local read is linearizable.
type reader struct {
	deadline int64
	fn       func(error)
}

// readRounds shares rounds of VerifyLeader among concurrent reads: one is under way, whoever comes meanwhile is in the next.
type readRounds struct {
	g       *Group
	wake    chan struct{} // one slot
	applied chan struct{} // one slot; filled when the index in fsm.read has been applied

	mu      sync.Mutex
	waiting []reader
	closed  bool
}

func newReadRounds(g *Group) *readRounds {
	return &readRounds{g: g, wake: make(chan struct{}, 1), applied: make(chan struct{}, 1)}
}

// add queues one reader.
func (rr *readRounds) add(deadline int64, fn func(error)) {
	if deadline == 0 {
		deadline = wire.DeadlineAfter(rr.g.cfg.Patience)
	}
	rr.mu.Lock()
	if rr.closed {
		rr.mu.Unlock()
		fn(rr.g.stopped())
		return
	}
	rr.waiting = append(rr.waiting, reader{deadline: deadline, fn: fn})
	rr.mu.Unlock()
	rr.rouse()
}

// rouse lets run look again.
func (rr *readRounds) rouse() {
	select {
	case rr.wake <- struct{}{}:
	default:
	}
}

// reached is called by the apply goroutine.
func (rr *readRounds) reached() {
	select {
	case rr.applied <- struct{}{}:
	default:
	}
}

// run makes rounds until the group stops.
func (rr *readRounds) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		rr.mu.Lock()
		some := len(rr.waiting) > 0
		rr.mu.Unlock()
		timer.Reset(time.Hour)
		if some {
			timer.Reset(look)
		}
		select {
		case <-rr.g.stopping:
			rr.finish(rr.take(true), rr.g.stopped())
			return
		case <-rr.wake:
		case <-timer.C:
		}
		rr.expire()
		if leader := rr.g.stand.elsewhere(rr.g.server); leader != "" {
			rr.finish(rr.take(false), wire.Errorf(wire.NotLeader, "group %s is led by %s", rr.g.cfg.Name, leader))
			continue
		}
		if rr.g.stand.ready.Load() {
			rr.round()
		}
	}
}

// take returns all who wait.
func (rr *readRounds) take(last bool) []reader {
	rr.mu.Lock()
	defer rr.mu.Unlock()
	all := rr.waiting
	rr.waiting = nil
	rr.closed = rr.closed || last
	return all
}

// expire answers those who have waited too long.
func (rr *readRounds) expire() {
	now := wire.Clock()
	rr.mu.Lock()
	var late []reader
	kept := rr.waiting[:0]
	for _, r := range rr.waiting {
		if r.deadline <= now {
			late = append(late, r)
		} else {
			kept = append(kept, r)
		}
	}
	clear(rr.waiting[len(kept):])
	rr.waiting = kept
	rr.mu.Unlock()
	rr.finish(late, wire.Errorf(wire.Unavailable, "group %s has no leader that a majority confirms", rr.g.cfg.Name))
}

// finish answers readers; a typed nil must not become an error.
func (rr *readRounds) finish(rs []reader, err *wire.Error) {
	for _, r := range rs {
		if err == nil {
			r.fn(nil)
		} else {
			r.fn(err)
		}
	}
}

// round serves everybody who waits now: note the commit index, have the majority confirm that this node still leads, and
// wait until the index is applied. Who came later is in the next round, because the index may be older than their request.
func (rr *readRounds) round() {
	rs := rr.take(false)
	if len(rs) == 0 {
		return
	}
	again := func() {
		rr.mu.Lock()
		rr.waiting = append(rs, rr.waiting...)
		rr.mu.Unlock()
	}
	term := rr.g.stand.leads()
	in := rr.g.raft.Load()
	if term == 0 || in == nil {
		again()
		return
	}
	index := in.CommitIndex()
	if !rr.confirm(in) || !rr.await(index) || rr.g.stand.leads() != term {
		again()
		return
	}
	rr.finish(rs, nil)
}

// confirm reports whether a majority has confirmed this leader.
func (rr *readRounds) confirm(in *instance) bool {
	// The future has no other way to be waited for; the goroutine ends at the latest when Raft steps down or stops.
	done := make(chan error, 1)
	rr.g.wg.Go(func() { done <- in.VerifyLeader().Error() })
	timer := time.NewTimer(verifyLimit)
	defer timer.Stop()
	select {
	case err := <-done:
		return err == nil
	case <-timer.C:
		return false
	case <-rr.g.stopping:
		return false
	}
}

// await waits until the entry at index has been applied here. In a term in which this process has applied an entry of its
// own, everything after it passes through the apply goroutine, so the index is reached.
func (rr *readRounds) await(index uint64) bool {
	f := rr.g.fsm
	select {
	case <-rr.applied: // left over from a round that gave up
	default:
	}
	f.read.Store(index)
	defer f.read.Store(0)
	timer := time.NewTimer(verifyLimit)
	defer timer.Stop()
	for f.index.Load() < index {
		select {
		case <-rr.applied:
		case <-timer.C:
			return false
		case <-rr.g.stopping:
			return false
		}
	}
	return true
}
