package kv

import (
	"context"
	"time"

	"github.com/skshohagmiah/flin/kvd/kv/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/chores"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// sweepEvery is the time between two looks at whether something is due.
const sweepEvery = 100 * time.Millisecond

// runSweeper removes what has expired while this node leads.
func (e *Engine) runSweeper(ctx context.Context) {
	body := wire.AppendLimit(nil, fsm.SweepLimit)
	for chores.Wait(ctx, sweepEvery) {
		e.swept.Add(uint64(e.chores.Sweep(ctx, wire.OpKVSweep, body, e.machine.Due)))
	}
}

// runCollector removes what emptied databases have left.
func (e *Engine) runCollector(ctx context.Context) {
	e.chores.Collect(ctx, wire.OpKVCollect, wire.AppendLimit(nil, fsm.CollectLimit), e.machine.Garbage)
}
