// Package chores runs what an engine does of its own accord while its node leads: commands that no client has asked for.
package chores

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	collectEvery = time.Second      // between two looks at whether there is garbage
	deadline     = 10 * time.Second // of a chore's command
)

// Chores proposes an engine's own commands.
type Chores struct {
	Group func() *replica.Group // the engine's group; nil while it has none
	Log   *zap.Logger
}

// leads returns the group if this node leads it, else nil.
func (c *Chores) leads() *replica.Group {
	if g := c.Group(); g != nil && g.Leads() {
		return g
	}
	return nil
}

// do proposes a command to g and waits for its answer.
func (c *Chores) do(ctx context.Context, g *replica.Group, op wire.Op, body []byte) (wire.Response, bool) {
	req := wire.Request{Op: op, Deadline: wire.DeadlineAfter(deadline), Body: body}
	resp, err := engine.Do(ctx, replica.Commands{Group: g}, req)
	if err != nil && ctx.Err() == nil {
		c.Log.Debug("a command of the engine's own failed", zap.Stringer("op", op), zap.Error(err))
	}
	return resp, err == nil
}

// Sweep proposes op with the payload body while this node leads and something is due, which is said in ms since 1970, and
// returns the sum of its answers' Num. That the wall clock decides when is no harm: what is over is decided by the time of
// the entry. An answer with Rev 0 says that nothing was: the clock may be ahead of the time of entries.
func (c *Chores) Sweep(ctx context.Context, op wire.Op, body []byte, due func() int64) (n int64) {
	for due() <= time.Now().UnixMilli() {
		g := c.leads()
		if g == nil {
			return n
		}
		resp, ok := c.do(ctx, g, op, body)
		if !ok {
			return n
		}
		n += resp.Num
		if resp.Rev == 0 {
			return n
		}
	}
	return n
}

// Collect proposes op with the payload body, piece by piece, whenever this node leads and there is garbage, until ctx ends. It
// leaves the log at least as long to others as each piece took. An answer with Rev 0 says that nothing is left.
func (c *Chores) Collect(ctx context.Context, op wire.Op, body []byte, garbage func() bool) {
	pause := collectEvery
	for Wait(ctx, pause) {
		pause = collectEvery
		g := c.leads()
		if g == nil || !garbage() {
			continue
		}
		start := time.Now()
		if resp, ok := c.do(ctx, g, op, body); ok && resp.Rev != 0 {
			pause = time.Since(start)
		}
	}
}

// Wait waits for d, or until ctx ends. It reports whether ctx is still there.
func Wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
