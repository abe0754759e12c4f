package stream

import (
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/held"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/streamd/stream/internal/fsm"
)

// Submit takes one request: see engine.Engine. The table of operations decides which way it goes.
func (e *Engine) Submit(req wire.Request, r engine.Replier) {
	g := e.group.Load()
	if g == nil {
		r.Reply(req.Tag, wire.Failf(wire.Unavailable, "the stream engine has no group yet"))
		return
	}
	kind := fsm.KindOf(req.Op)
	if kind == fsm.Own {
		r.Reply(req.Tag, wire.Failf(wire.Unsupported, "%v is the engine's own operation", req.Op))
		return
	}
	if kind == fsm.None {
		r.Reply(req.Tag, wire.Failf(wire.Unsupported, "the stream engine has no operation %v", req.Op))
		return
	}
	if kind != fsm.Engine { // else whoever looks after it decodes and checks it
		if err := e.machine.Check(req.Op, req.Body); err != nil {
			r.Reply(req.Tag, wire.Fail(err))
			return
		}
	}
	if req.Flags&wire.FlagOrdered != 0 && e.waits(&req, r) {
		return
	}
	e.begin(g, kind, &req, r)
}

// waits lets an ordered request wait behind publishes of its client's that are held back: their topic is being made, or they are
// gathered to be compressed. Publishes wait only behind others that do: each partition has them in order anyway.
func (e *Engine) waits(req *wire.Request, r engine.Replier) bool {
	if req.Op == wire.OpStreamPublish {
		return e.held.Follow(req, r)
	}
	return e.held.Join(req, r)
}

// beginLate begins a request that has waited. A batch is judged once more: its topic may not have been there before.
func (e *Engine) beginLate(l *held.Late) {
	if l.Op == wire.OpStreamAppend {
		if err := e.machine.Check(l.Op, l.Body); err != nil {
			l.Replier.Reply(l.Tag, wire.Fail(err))
			return
		}
	}
	e.begin(e.group.Load(), fsm.KindOf(l.Op), &l.Request, l.Replier)
}

// begin sends a request on its way. Nothing of its client's that it must come after is held back.
func (e *Engine) begin(g *replica.Group, kind fsm.Kind, req *wire.Request, r engine.Replier) {
	if req.Deadline != 0 && wire.Clock() > req.Deadline {
		r.Reply(req.Tag, wire.Failf(wire.Timeout, "the deadline passed before %v began", req.Op))
		return
	}
	switch {
	case kind == fsm.Read:
		e.read(g, req, r)
	case req.Op == wire.OpStreamPublish:
		e.publish(g, req, r, unsure)
	case req.Op == wire.OpStreamAppend:
		e.append(g, req, r, unsure)
	case req.Op == wire.OpStreamFetch || req.Op == wire.OpStreamConsume || req.Op == wire.OpStreamReset:
		e.calls.submit(g, req, r)
	case req.Op == wire.OpStreamHeartbeat:
		e.heartbeat(g, req, r)
	case req.Op == wire.OpStreamSeek:
		e.seek(g, req, r)
	case req.Op == wire.OpStreamCommit:
		e.coord.committed(req.Body)
		g.Propose(req, false, r)
	default:
		g.Propose(req, false, r)
	}
}

// Cancel withdraws a request: see engine.Engine. A publish that others share a batch with is answered with what becomes of it.
func (e *Engine) Cancel(r engine.Replier, tag uint64) {
	if e.calls.cancel(r, tag) || e.pool.Cancel(r, tag) || e.held.Cancel(r, tag) {
		return
	}
	if g := e.group.Load(); g != nil {
		g.Cancel(r, tag)
	}
}

// Credit does nothing: no operation streams.
func (e *Engine) Credit(engine.Replier, uint64, int) {}
