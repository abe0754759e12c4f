package kv

import (
	"bytes"
	"math/rand/v2"

	"github.com/skshohagmiah/flin/kvd/kv/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// scan gives a request that looks at many keys to the workers, once what it must see has been applied.
func (e *Engine) scan(g *replica.Group, row *fsm.Row, req wire.Request, r engine.Replier) {
	body := bytes.Clone(req.Body)
	stale := req.Flags&wire.FlagStale != 0
	t := e.pool.Open(r, &req, func(t *pool.Task) { e.runScan(g, t, row, req.Op, body, stale) })
	e.whenReadable(g, &req, r, func(err error) {
		if err != nil {
			t.Answer(wire.Fail(err))
			return
		}
		e.pool.Add(t)
	})
}

// whenReadable calls fn, perhaps later and on another goroutine, when what is committed here may answer the request.
func (e *Engine) whenReadable(g *replica.Group, req *wire.Request, r engine.Replier, fn func(error)) {
	switch {
	case req.Flags&wire.FlagOrdered != 0:
		e.barrier(g, req.Deadline, r, fn)
	case req.Flags&wire.FlagStale != 0 || g.CanRead():
		fn(nil)
	default:
		g.AwaitRead(req.Deadline, fn)
	}
}

// runScan is on a worker.
func (e *Engine) runScan(g *replica.Group, t *pool.Task, row *fsm.Row, op wire.Op, body []byte, stale bool) {
	ask := fsm.Request{Stop: t.Stop, Seed: rand.Uint64(), Extra: e.ownStats}
	if !stale {
		ask.Wall = wallClock()
	}
	if op == wire.OpKVStats {
		t.Answer(e.stats(row, body, ask))
		return
	}
	ans, late := e.machine.Scan(row, body, ask)
	if !late {
		t.Answer(ans)
		return
	}
	// Keys were left out that no entry has declared gone. The next entry's time does.
	e.barrier(g, t.Deadline(), nil, func(err error) {
		if err != nil {
			ans = wire.Fail(err)
		}
		t.Answer(ans)
	})
}

// barrier proposes a read of nothing and calls fn when it has been applied: then so has everything that lane has proposed
// before, and the time of entries is not behind the clock. Without a lane only the time matters.
func (e *Engine) barrier(g *replica.Group, deadline int64, lane engine.Replier, fn func(error)) {
	var none wire.KVKeys
	req := wire.Request{Op: wire.OpKVExists, Deadline: deadline, Body: none.Append(nil)}
	g.Propose(&req, true, &callback{lane, fn})
}

// callback is a Replier for one answer whose failure alone matters.
type callback struct {
	lane engine.Replier // nil: its own
	fn   func(error)
}

// Reply calls the function.
func (c *callback) Reply(_ uint64, resp wire.Response) { c.fn(resp.Err()) }

// Lane returns whose order the command keeps.
func (c *callback) Lane() wire.Replier {
	if c.lane == nil {
		return c
	}
	return c.lane
}
