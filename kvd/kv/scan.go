package kv

import (
	"bytes"
	"math/rand/v2"

	"github.com/skshohagmiah/flin/kvd/kv/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// scan gives a request that looks at many keys to the workers, once what it must see has been applied.
func (e *Engine) scan(g *replica.Group, row *fsm.Row, req wire.Request, r engine.Replier) {
	body := bytes.Clone(req.Body)
	stale := req.Flags&wire.FlagStale != 0
	t := e.pool.open(r, &req, func(t *task) { e.runScan(g, t, row, req.Op, body, stale) })
	e.whenReadable(g, &req, func(err error) {
		if err != nil {
			t.answer(wire.Fail(err))
			return
		}
		e.pool.add(t)
	})
}

// whenReadable calls fn, perhaps later and on another goroutine, when what is committed here may answer the request.
func (e *Engine) whenReadable(g *replica.Group, req *wire.Request, fn func(error)) {
	switch {
	case req.Flags&wire.FlagOrdered != 0:
		e.barrier(g, req.Deadline, fn)
	case req.Flags&wire.FlagStale != 0 || g.CanRead():
		fn(nil)
	default:
		g.AwaitRead(req.Deadline, fn)
	}
}

// runScan is on a worker.
func (e *Engine) runScan(g *replica.Group, t *task, row *fsm.Row, op wire.Op, body []byte, stale bool) {
	ask := fsm.Request{Stop: t.stop, Seed: rand.Uint64(), Extra: e.ownStats}
	if !stale {
		ask.Wall = wallClock()
	}
	if op == wire.OpKVStats {
		t.answer(e.stats(row, body, ask))
		return
	}
	ans, late := e.machine.Scan(row, body, ask)
	if !late {
		t.answer(ans)
		return
	}
	// Keys were left out that no entry has declared gone. The next entry's time does.
	e.barrier(g, t.deadline, func(err error) {
		if err != nil {
			ans = wire.Fail(err)
		}
		t.answer(ans)
	})
}

// barrier proposes a read of nothing and calls fn when it has been applied: then so has everything that was proposed
// before, and the time of entries is not behind the clock.
func (e *Engine) barrier(g *replica.Group, deadline int64, fn func(error)) {
	var none wire.KVKeys
	req := wire.Request{Op: wire.OpKVExists, Deadline: deadline, Body: none.Append(nil)}
	g.Propose(&req, true, &callback{fn})
}

// callback is a Replier for one answer whose failure alone matters.
type callback struct{ fn func(error) }

// Reply calls the function.
func (c *callback) Reply(_ uint64, resp wire.Response) { c.fn(resp.Err()) }
