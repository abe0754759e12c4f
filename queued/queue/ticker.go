package queue

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/queued/queue/internal/fsm"
)

const (
	tickEvery    = 100 * time.Millisecond // between two looks at whether something is due, while nobody waits for it
	tickSoon     = 50 * time.Millisecond  // while pops wait
	tickLeast    = 5 * time.Millisecond   // while pops wait and something is about to be due
	collectEvery = time.Second            // between two looks at whether there is garbage
	ownDeadline  = 10 * time.Second       // of the engine's own commands
)

// runTicker lets time pass while this node leads: it proposes a tick when a delay, a lease or a message's life is over. That
// the wall clock decides when is no harm: what is over is decided by the time of the entry. It also looks after pops that
// wait: they are sent on when this node does not lead any more.
func (e *Engine) runTicker(ctx context.Context) {
	for wait(ctx, e.nap()) {
		g := e.group.Load()
		if g == nil {
			continue
		}
		if !g.Leads() {
			e.pops.resign(g)
			continue
		}
		e.pops.retry(g)
		for e.machine.Due() <= wallClock() && g.Leads() {
			resp, ok := e.own(ctx, g, wire.OpQueueTick, fsm.TickLimit)
			if !ok {
				break
			}
			e.ticked.Add(uint64(resp.Num))
			if resp.Rev == 0 {
				break // nothing is overdue; the clock may be ahead of the time of entries
			}
		}
	}
}

// nap is how long nothing has to be looked at.
func (e *Engine) nap() time.Duration {
	if e.pops.parked.Load() == 0 {
		return tickEvery
	}
	left := e.machine.Due() - wallClock()
	if left > tickSoon.Milliseconds() {
		return tickSoon
	}
	return max(time.Duration(left)*time.Millisecond, tickLeast)
}

// runCollector proposes the removal of garbage, piece by piece, and leaves the log at least as long to others as each
// piece took.
func (e *Engine) runCollector(ctx context.Context) {
	pause := collectEvery
	for wait(ctx, pause) {
		pause = collectEvery
		g := e.group.Load()
		if g == nil || !g.Leads() || !e.machine.Garbage() {
			continue
		}
		start := time.Now()
		if resp, ok := e.own(ctx, g, wire.OpQueueCollect, fsm.CollectLimit); ok && resp.Rev != 0 {
			pause = time.Since(start)
		}
	}
}

// wait reports whether ctx is still there after d.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// own proposes one of the engine's own commands and waits for its answer.
func (e *Engine) own(ctx context.Context, g *replica.Group, op wire.Op, limit int) (wire.Response, bool) {
	req := wire.Request{Op: op, Deadline: wire.DeadlineAfter(ownDeadline), Body: fsm.AppendLimit(nil, limit)}
	resp, err := engine.Do(ctx, replica.Commands{Group: g}, req)
	if err != nil && ctx.Err() == nil {
		e.log.Debug("an own command of the queue engine failed", zap.Stringer("op", op), zap.Error(err))
	}
	return resp, err == nil
}
