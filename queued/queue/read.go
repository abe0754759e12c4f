package queue

import (
	"bytes"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// read answers a read: counts here and now where that is linearizable, what looks at messages on a worker.
func (e *Engine) read(g *replica.Group, req wire.Request, r engine.Replier) {
	switch {
	case e.machine.Slow(req.Op):
		e.readSlow(g, req, r)
	case req.Flags&wire.FlagOrdered != 0:
		g.Propose(&req, true, r)
	case req.Flags&wire.FlagStale != 0 || g.CanRead():
		e.readNow(g, req, r)
	default:
		g.ReadLater(&req, r, func(req *wire.Request) { e.readNow(g, *req, r) })
	}
}

// readNow answers a read from what is committed.
func (e *Engine) readNow(g *replica.Group, req wire.Request, r engine.Replier) {
	if e.overdue(&req) {
		// A delay or a lease is over by the clock, but only an entry can say so: the read rides in one.
		g.Propose(&req, true, r)
		return
	}
	buf := e.buffers.Get().(*[]byte)
	resp := e.machine.Read(req.Op, req.Body, (*buf)[:0])
	if resp.Code == wire.OK && cap(resp.Body) > cap(*buf) && cap(resp.Body) <= keepBuffer {
		*buf = resp.Body[:0]
	}
	r.Reply(req.Tag, resp)
	e.buffers.Put(buf)
}

// keepBuffer is the most bytes of a buffer that is used again.
const keepBuffer = 64 << 10

// overdue reports whether the read asks for the present and something has become due that no entry has said.
func (e *Engine) overdue(req *wire.Request) bool {
	return req.Flags&wire.FlagStale == 0 && e.machine.Due() <= wallClock()
}

// readSlow gives a read to the workers, once what it must see has been applied.
func (e *Engine) readSlow(g *replica.Group, req wire.Request, r engine.Replier) {
	body, op := bytes.Clone(req.Body), req.Op
	t := e.pool.Open(r, &req, func(t *pool.Task) { t.Answer(e.machine.Read(op, body, nil)) })
	if e.overdue(&req) {
		g.Pass(&barrier, req.Deadline, r, t.Ready) // so that the time of entries is not behind the clock
		return
	}
	g.WhenCurrent(&req, &barrier, r, t.Ready)
}

// barrier is what the engine proposes where a request must wait for what is in the log before it.
var barrier = replica.Barrier{Op: wire.OpQueueLen, Body: (&wire.QueueName{Queue: []byte("-")}).Append(nil)}
