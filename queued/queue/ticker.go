package queue

import (
	"context"
	"time"

	"github.com/skshohagmiah/flin/pkg/chores"
	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/queued/queue/internal/fsm"
)

const (
	tickEvery = 100 * time.Millisecond // between two looks at whether something is due, while nobody waits for it
	tickSoon  = 50 * time.Millisecond  // while pops wait
	tickLeast = 5 * time.Millisecond   // while pops wait and something is about to be due
)

// runTicker lets time pass while this node leads: it proposes a tick when a delay, a lease or a message's life is over. It
// also looks after pops that wait: they are sent on when this node does not lead any more.
func (e *Engine) runTicker(ctx context.Context) {
	body := wire.AppendLimit(nil, fsm.TickLimit)
	for chores.Wait(ctx, e.nap()) {
		g := e.group.Load()
		if g == nil {
			continue
		}
		if !g.Leads() {
			e.pops.resign(g)
			continue
		}
		e.pops.retry(g)
		e.ticked.Add(uint64(e.chores.Sweep(ctx, wire.OpQueueTick, body, e.machine.Due)))
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

// runCollector removes what cleared and deleted queues have left.
func (e *Engine) runCollector(ctx context.Context) {
	e.chores.Collect(ctx, wire.OpQueueCollect, wire.AppendLimit(nil, fsm.CollectLimit), e.machine.Garbage)
}
