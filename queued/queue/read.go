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
		req.Body = bytes.Clone(req.Body)
		g.AwaitRead(req.Deadline, func(err error) {
			if err != nil {
				r.Reply(req.Tag, wire.Fail(err))
				return
			}
			e.readNow(g, req, r)
		})
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
	next := func(err error) {
		if err != nil {
			t.Answer(wire.Fail(err))
			return
		}
		e.pool.Add(t)
	}
	switch {
	case req.Flags&wire.FlagOrdered != 0 || e.overdue(&req):
		barrier(g, &req, r, next)
	case req.Flags&wire.FlagStale != 0 || g.CanRead():
		next(nil)
	default:
		g.AwaitRead(req.Deadline, next)
	}
}

// barrier proposes a read of nothing in r's name and calls fn when it has been applied: then so has everything that r has
// proposed before, and the time of entries is not behind the clock.
func barrier(g *replica.Group, req *wire.Request, r engine.Replier, fn func(error)) {
	none := wire.QueueName{Queue: []byte("-")}
	g.Propose(&wire.Request{Op: wire.OpQueueLen, Deadline: req.Deadline, Body: none.Append(nil)}, true, &callback{r, fn})
}

// callback is a Replier for one answer whose failure alone matters.
type callback struct {
	lane engine.Replier
	fn   func(error)
}

// Reply calls the function.
func (c *callback) Reply(_ uint64, resp wire.Response) { c.fn(resp.Err()) }

// Lane returns whose order the command keeps.
func (c *callback) Lane() wire.Replier { return c.lane }
