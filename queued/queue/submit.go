package queue

import (
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/queued/queue/internal/fsm"
)

// Submit takes one request: see engine.Engine. The table of operations decides which way it goes.
func (e *Engine) Submit(req wire.Request, r engine.Replier) {
	g := e.group.Load()
	if g == nil {
		r.Reply(req.Tag, wire.Failf(wire.Unavailable, "the queue engine has no group yet"))
		return
	}
	if req.Deadline != 0 && wire.Clock() > req.Deadline {
		r.Reply(req.Tag, wire.Failf(wire.Timeout, "the deadline passed before %v began", req.Op))
		return
	}
	kind := fsm.KindOf(req.Op)
	if kind == fsm.Own {
		r.Reply(req.Tag, wire.Failf(wire.Unsupported, "%v is the engine's own operation", req.Op))
		return
	}
	if kind != fsm.Read && kind != fsm.Write {
		r.Reply(req.Tag, wire.Failf(wire.Unsupported, "the queue engine has no operation %v", req.Op))
		return
	}
	if err := e.machine.Check(req.Op, req.Body); err != nil {
		r.Reply(req.Tag, wire.Fail(err))
		return
	}
	switch {
	case kind == fsm.Read:
		e.read(g, req, r)
	case req.Op == wire.OpQueuePop || req.Op == wire.OpQueueLease:
		e.pops.submit(g, &req, r)
	case req.Op == wire.OpQueueRedrive:
		e.redrive(g, &req, r)
	default:
		g.Propose(&req, false, r)
	}
}

// Cancel withdraws a request: see engine.Engine. A pop that is on its way is answered once it is known what it has got, and
// that has been put back.
func (e *Engine) Cancel(r engine.Replier, tag uint64) {
	if e.pops.cancel(r, tag) || e.pool.Cancel(r, tag) || e.redrives.cancel(r, tag) {
		return
	}
	if g := e.group.Load(); g != nil {
		g.Cancel(r, tag)
	}
}

// Credit does nothing: no operation streams.
func (e *Engine) Credit(engine.Replier, uint64, int) {}
