package kv

import (
	"github.com/skshohagmiah/flin/kvd/kv/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Submit takes one request: see engine.Engine. The table of operations decides which way it goes.
func (e *Engine) Submit(req wire.Request, r engine.Replier) {
	g := e.group.Load()
	if g == nil {
		r.Reply(req.Tag, wire.Failf(wire.Unavailable, "the key-value engine has no group yet"))
		return
	}
	if req.Deadline != 0 && wire.Clock() > req.Deadline {
		r.Reply(req.Tag, wire.Failf(wire.Timeout, "the deadline passed before %v began", req.Op))
		return
	}
	row := fsm.Ops.Row(req.Op)
	kind := row.Kind
	ordered := req.Flags&wire.FlagOrdered != 0
	if kind == fsm.Write && row.Pure != nil && row.Pure(&fsm.Ops, req.Body) {
		kind, ordered = fsm.Read, ordered || row.Whole
	}
	switch kind {
	case fsm.Read:
		if ordered {
			e.propose(g, row, req, true, r)
		} else {
			e.read(g, row, req, r)
		}
	case fsm.Write:
		e.propose(g, row, req, false, r)
	case fsm.Scan:
		e.scan(g, row, req, r)
	case fsm.Stream:
		e.watch(g, req, r)
	case fsm.Own:
		r.Reply(req.Tag, wire.Failf(wire.Unsupported, "%v is the engine's own operation", req.Op))
	default:
		r.Reply(req.Tag, wire.Failf(wire.Unsupported, "the key-value engine has no operation %v", req.Op))
	}
}

// propose gives a request to the log, after a rehearsal that finds what is wrong with it and warms the cache.
func (e *Engine) propose(g *replica.Group, row *fsm.Row, req wire.Request, read bool, r engine.Replier) {
	if err := e.desk.Rehearse(row, req.Body); err != nil {
		r.Reply(req.Tag, wire.Fail(err))
		return
	}
	g.Propose(&req, read, r)
}

// read answers a read of single keys: here and now where that is linearizable or staleness is asked for.
func (e *Engine) read(g *replica.Group, row *fsm.Row, req wire.Request, r engine.Replier) {
	stale := req.Flags&wire.FlagStale != 0
	if stale || g.CanRead() {
		e.readNow(g, row, req, stale, r)
		return
	}
	g.ReadLater(&req, r, func(req *wire.Request) { e.readNow(g, row, *req, false, r) })
}

// readNow answers a read from what is committed.
func (e *Engine) readNow(g *replica.Group, row *fsm.Row, req wire.Request, stale bool, r engine.Replier) {
	tx, late := e.desk.Read(row, req.Body, stale)
	if !late {
		r.Reply(req.Tag, tx.Answer())
		e.desk.Done(tx)
		return
	}
	e.desk.Done(tx)
	// A key is gone by the clock, but only an entry can say so: the read rides in one and is answered at its time.
	e.propose(g, row, req, true, r)
}

// Cancel withdraws a request: see engine.Engine.
func (e *Engine) Cancel(r engine.Replier, tag uint64) {
	if e.hub.Cancel(r, tag) || e.pool.Cancel(r, tag) {
		return
	}
	if g := e.group.Load(); g != nil {
		g.Cancel(r, tag)
	}
}

// Credit lets a watch send n more answers.
func (e *Engine) Credit(r engine.Replier, tag uint64, n int) { e.hub.Credit(r, tag, n) }
