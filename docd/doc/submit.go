package doc

import (
	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// handler serves an operation. The payload has been checked, and is on loan until it returns.
type handler func(e *Engine, g *replica.Group, req *wire.Request, r engine.Replier)

// handlers returns the table of those that serve operations of kind fsm.Engine, by their low bytes. (It cannot be a variable: some of
// them lead back to it.)
func handlers() (table [256]handler) {
	for op, h := range map[wire.Op]handler{
		wire.OpDocInsert:    (*Engine).insert,
		wire.OpDocFind:      (*Engine).find,
		wire.OpDocUpdate:    (*Engine).change,
		wire.OpDocDelete:    (*Engine).change,
		wire.OpDocModify:    (*Engine).change,
		wire.OpDocMore:      (*Engine).more,
		wire.OpDocKill:      (*Engine).kill,
		wire.OpDocCount:     (*Engine).count,
		wire.OpDocDistinct:  (*Engine).distinct,
		wire.OpDocAggregate: (*Engine).aggregate,
		wire.OpDocExplain:   (*Engine).explain,
		wire.OpDocWrite:     (*Engine).write,
		wire.OpDocBegin:     (*Engine).beginTxn,
		wire.OpDocIn:        (*Engine).inTxn,
		wire.OpDocCommit:    (*Engine).commitTxn,
		wire.OpDocAbort:     (*Engine).abortTxn,
		wire.OpDocWatch:     (*Engine).watch,
	} {
		table[byte(op)] = h
	}
	return table
}

// Submit takes one request: see engine.Engine. The table of operations decides which way it goes.
func (e *Engine) Submit(req wire.Request, r engine.Replier) {
	g := e.group.Load()
	if g == nil {
		r.Reply(req.Tag, wire.Failf(wire.Unavailable, "the document engine has no group yet"))
		return
	}
	kind := fsm.KindOf(req.Op)
	if kind == fsm.Own {
		r.Reply(req.Tag, wire.Failf(wire.Unsupported, "%v is the engine's own operation", req.Op))
		return
	}
	if err := e.machine.Check(req.Op, req.Body); err != nil {
		r.Reply(req.Tag, wire.Fail(err))
		return
	}
	if !reads(req.Op) && req.Op != wire.OpDocWatch {
		req.Flags &^= wire.FlagStale // what is looked up for a write must be what is there
	}
	if req.Flags&wire.FlagOrdered != 0 && e.held.Join(&req, r) {
		return
	}
	e.begin(g, &req, r)
}

// begin sends a request on its way. Nothing of its client's that it must come after is held back.
func (e *Engine) begin(g *replica.Group, req *wire.Request, r engine.Replier) {
	if req.Deadline != 0 && wire.Clock() > req.Deadline {
		r.Reply(req.Tag, wire.Failf(wire.Timeout, "the deadline passed before %v began", req.Op))
		return
	}
	switch kind := fsm.KindOf(req.Op); {
	case kind == fsm.Read:
		e.read(g, req, r)
	case kind == fsm.Engine:
		e.handlers[byte(req.Op)](e, g, req, r)
	case req.Op == wire.OpDocIndex:
		e.createIndex(g, req, r)
	default:
		g.Propose(req, false, r)
	}
}

// reads reports whether an operation changes nothing, so that others of its kind need not keep an order with it.
func reads(op wire.Op) bool {
	switch op {
	case wire.OpDocFind, wire.OpDocCount, wire.OpDocDistinct, wire.OpDocAggregate, wire.OpDocExplain, wire.OpDocMore:
		return true
	}
	return fsm.KindOf(op) == fsm.Read
}

// Cancel withdraws a request: see engine.Engine. A write that has been proposed is answered with what becomes of it.
func (e *Engine) Cancel(r engine.Replier, tag uint64) {
	if e.hub.Cancel(r, tag) || e.pool.Cancel(r, tag) || e.held.Cancel(r, tag) || e.builds.cancel(r, tag) {
		return
	}
	if g := e.group.Load(); g != nil {
		g.Cancel(r, tag)
	}
}

// Credit lets a watch send n more answers.
func (e *Engine) Credit(r engine.Replier, tag uint64, n int) { e.hub.Credit(r, tag, n) }
