package kv

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/kvd/kv/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	sweepEvery   = 100 * time.Millisecond // between two looks at whether something is due
	collectEvery = time.Second            // between two looks at whether there is garbage
	ownDeadline  = 10 * time.Second       // of the engine's own commands
)

// runSweeper proposes sweeps while this node leads and keys are due. That the wall clock decides when is no harm: what goes
// is decided by the time of the entry.
func (e *Engine) runSweeper(ctx context.Context) {
	for wait(ctx, sweepEvery) {
		for e.machine.Due() <= wallClock() && e.leads() {
			resp, ok := e.own(ctx, wire.OpKVSweep, fsm.SweepLimit)
			if !ok {
				break
			}
			e.swept.Add(uint64(resp.Num))
			if resp.Rev == 0 {
				break // nothing is overdue; the clock may be ahead of the time of entries
			}
		}
	}
}

// runCollector proposes the removal of garbage, piece by piece, and leaves the log at least as long to others as each
// piece took.
func (e *Engine) runCollector(ctx context.Context) {
	pause := collectEvery
	for wait(ctx, pause) {
		pause = collectEvery
		if !e.machine.Garbage() || !e.leads() {
			continue
		}
		start := time.Now()
		if resp, ok := e.own(ctx, wire.OpKVCollect, fsm.CollectLimit); ok && resp.Rev != 0 {
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

// leads reports whether this node leads its group and may propose.
func (e *Engine) leads() bool {
	g := e.group.Load()
	return g != nil && g.Leads()
}

// own proposes one of the engine's own commands and waits for its answer.
func (e *Engine) own(ctx context.Context, op wire.Op, limit int) (wire.Response, bool) {
	req := wire.Request{Op: op, Deadline: wire.DeadlineAfter(ownDeadline), Body: fsm.AppendLimit(nil, limit)}
	resp, err := engine.Do(ctx, replica.Commands{Group: e.group.Load()}, req)
	if err != nil && ctx.Err() == nil {
		e.log.Debug("an own command of the key-value engine failed", zap.Stringer("op", op), zap.Error(err))
	}
	return resp, err == nil
}
