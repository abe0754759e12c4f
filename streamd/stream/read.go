package stream

import (
	"bytes"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// read answers a read of what is known of topics and groups: here and now where that is quick and linearizable, else on a
// worker.
func (e *Engine) read(g *replica.Group, req *wire.Request, r engine.Replier) {
	switch {
	case e.machine.Slow(req.Op):
		e.readSlow(g, req, r)
	case req.Flags&wire.FlagOrdered != 0:
		g.Propose(req, true, r)
	case req.Flags&wire.FlagStale != 0 || g.CanRead():
		e.readNow(req, r)
	default:
		late := *req
		late.Body = bytes.Clone(req.Body)
		g.AwaitRead(req.Deadline, func(err error) {
			if err != nil {
				r.Reply(late.Tag, wire.Fail(err))
				return
			}
			e.readNow(&late, r)
		})
	}
}

// readNow answers a read from what is committed.
func (e *Engine) readNow(req *wire.Request, r engine.Replier) {
	buf := e.buffers.Get().(*[]byte)
	resp := e.machine.Read(req.Op, req.Body, (*buf)[:0])
	if resp.Code == wire.OK {
		e.keep(buf, resp.Body)
	}
	r.Reply(req.Tag, resp)
	e.buffers.Put(buf)
}

// keepBuffer is the most bytes of a buffer that is used again: as many as a consume ordinarily gets at most.
const keepBuffer = consumeBytes + 64<<10

// keep makes buf the memory that was used in its place, if that is larger.
func (e *Engine) keep(buf *[]byte, used []byte) {
	if cap(used) > cap(*buf) && cap(used) <= keepBuffer {
		*buf = used[:0]
	}
}

// readSlow gives a read to the workers, once what it must see has been applied.
func (e *Engine) readSlow(g *replica.Group, req *wire.Request, r engine.Replier) {
	body, op := bytes.Clone(req.Body), req.Op
	t := e.pool.Open(r, req, func(t *pool.Task) { t.Answer(e.machine.Read(op, body, nil)) })
	whenCurrent(g, req, r, func(err error) {
		if err != nil {
			t.Answer(wire.Fail(err))
			return
		}
		e.pool.Add(t)
	})
}

// whenCurrent calls fn when what has been applied here is what req must see, or with the reason why that will not be.
func whenCurrent(g *replica.Group, req *wire.Request, r engine.Replier, fn func(error)) {
	switch {
	case req.Flags&wire.FlagOrdered != 0:
		barrier(g, req.Deadline, r, fn)
	case req.Flags&wire.FlagStale != 0 || g.CanRead():
		fn(nil)
	default:
		g.AwaitRead(req.Deadline, fn)
	}
}

// barrier proposes a read of nothing in r's name and calls fn when it has been applied: then so has everything that r has
// proposed before.
func barrier(g *replica.Group, deadline int64, r engine.Replier, fn func(error)) {
	g.Propose(&wire.Request{Op: wire.OpStreamFetch, Deadline: deadline}, true, &callback{r, fn})
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
