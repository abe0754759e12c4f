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
	g.WhenCurrent(&req, &barrier, r, t.Ready)
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
	g.Pass(&barrier, t.Deadline(), nil, func(err error) {
		if err != nil {
			ans = wire.Fail(err)
		}
		t.Answer(ans)
	})
}

// barrier is what the engine proposes where a request must wait for what is in the log before it.
var barrier = replica.Barrier{Op: wire.OpKVExists, Body: new(wire.KVKeys).Append(nil)}
