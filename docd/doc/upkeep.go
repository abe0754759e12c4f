package doc

import (
	"context"
	"time"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/chores"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const expireEvery = time.Second // between two looks at whose time by a TTL index has come

// runExpiry removes documents whose time has come.
func (e *Engine) runExpiry(ctx context.Context) {
	body := fsm.AppendLimit(nil, fsm.ExpireLimit)
	for chores.Wait(ctx, expireEvery) {
		e.expired.Add(uint64(e.chores.Sweep(ctx, wire.OpDocExpire, body, e.machine.ExpireDue)))
	}
}

// runCollector removes what dropped collections and indexes have left.
func (e *Engine) runCollector(ctx context.Context) {
	e.chores.Collect(ctx, wire.OpDocCollect, fsm.AppendLimit(nil, fsm.CollectLimit), e.machine.Garbage)
}
