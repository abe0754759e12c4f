package doc

import (
	"context"
	"math"
	"time"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/chores"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const expireEvery = time.Second // between two looks at whose time by a TTL index has come

// runExpiry removes documents whose time has come.
func (e *Engine) runExpiry(ctx context.Context) {
	body := wire.AppendLimit(nil, fsm.ExpireLimit)
	for chores.Wait(ctx, expireEvery) {
		e.expired.Add(uint64(e.chores.Sweep(ctx, wire.OpDocExpire, body, e.machine.ExpireDue)))
	}
}

// runCollector removes what dropped collections and indexes have left.
func (e *Engine) runCollector(ctx context.Context) {
	e.chores.Collect(ctx, wire.OpDocCollect, wire.AppendLimit(nil, fsm.CollectLimit), e.machine.Garbage)
}

// retention is what is kept of recorded changes.
type retention struct {
	time  time.Duration
	bytes int64
}

const (
	trimEvery = time.Second
	neverDue  = math.MaxInt64 // as chores.Sweep has it
)

// runTrim removes recorded changes that are kept no longer.
func (e *Engine) runTrim(ctx context.Context) {
	for chores.Wait(ctx, trimEvery) {
		e.trim(ctx)
	}
}

func (e *Engine) trim(ctx context.Context) {
	cmd := wire.DocTrim{Before: wallClock() - e.retain.time.Milliseconds(), Bytes: uint64(e.retain.bytes), Limit: fsm.TrimLimit}
	e.chores.Sweep(ctx, wire.OpDocTrim, cmd.Append(nil), func() int64 {
		if e.machine.TrimDue(cmd.Before, cmd.Bytes) {
			return 0
		}
		return neverDue
	})
}
