package stream

import (
	"context"
	"math"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/chores"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/streamd/stream/internal/fsm"
)

const (
	evictEvery  = 500 * time.Millisecond // between two looks at who is silent, at most
	evictLeast  = 20 * time.Millisecond  // at least
	evictLimit  = 10 * time.Second       // for the command
	retainEvery = time.Second            // between two looks at what topics keep
)

// runEvictions removes members that are silent, while this node leads.
func (e *Engine) runEvictions(ctx context.Context) {
	nap := evictEvery
	for chores.Wait(ctx, nap) {
		nap = evictEvery
		if g := e.group.Load(); g != nil && g.Leads() {
			nap = max(e.evict(ctx, g), evictLeast)
		}
	}
}

// evict removes the members that are silent now, and returns when to look again.
func (e *Engine) evict(ctx context.Context, g *replica.Group) time.Duration {
	term := e.term()
	var all []present
	e.machine.Members(func(group, consumer string, joined, session, poll uint64) {
		all = append(all, present{group, consumer, joined, session, poll})
	})
	late, next := e.coord.silent(term, all, evictEvery.Milliseconds())
	for i := range late {
		req := wire.Request{Op: wire.OpStreamEvict, Deadline: wire.DeadlineAfter(evictLimit), Body: late[i].Append(nil)}
		resp, err := engine.Do(ctx, replica.Commands{Group: g}, req)
		if err != nil {
			if ctx.Err() == nil {
				e.log.Debug("members that are silent could not be removed", zap.ByteString("group", late[i].Group), zap.Error(err))
			}
			return evictEvery
		}
		e.evicted.Add(uint64(resp.Num))
		for _, x := range late[i].Members {
			e.log.Info("a member of a group has stopped and was removed", zap.ByteString("group", late[i].Group), zap.ByteString("consumer", x.Consumer))
		}
	}
	return time.Duration(next) * time.Millisecond
}

// runRetention removes what topics keep no longer and what nobody has asked about for long, while this node leads.
func (e *Engine) runRetention(ctx context.Context) {
	retain, expire := wire.AppendLimit(nil, fsm.RetainLimit), wire.AppendLimit(nil, fsm.ExpireLimit)
	for chores.Wait(ctx, retainEvery) {
		e.sweepTopics()
		e.retained.Add(uint64(e.chores.Sweep(ctx, wire.OpStreamRetain, retain, e.overdue)))
		e.chores.Sweep(ctx, wire.OpStreamExpire, expire, e.overdue)
	}
}

// overdue says since when something is to be removed, as chores asks.
func (e *Engine) overdue() int64 {
	if e.machine.Overdue(wallClock()) {
		return 0
	}
	return math.MaxInt64
}

// runCollector removes what deleted topics have left.
func (e *Engine) runCollector(ctx context.Context) {
	e.chores.Collect(ctx, wire.OpStreamCollect, wire.AppendLimit(nil, fsm.CollectLimit), e.machine.Garbage)
}
