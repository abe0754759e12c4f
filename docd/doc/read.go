package doc

import (
	"bytes"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// read answers a read of what is known of collections and indexes, here and now where that is linearizable.
func (e *Engine) read(g *replica.Group, req *wire.Request, r engine.Replier) {
	switch {
	case req.Flags&wire.FlagOrdered != 0:
		g.Propose(req, true, r)
	case req.Flags&wire.FlagStale != 0 || g.CanRead():
		e.readNow(req, r)
	default:
		own := *req
		own.Body = bytes.Clone(req.Body)
		g.AwaitRead(req.Deadline, func(err error) {
			if err != nil {
				r.Reply(own.Tag, wire.Fail(err))
				return
			}
			e.readNow(&own, r)
		})
	}
}

// readNow answers a read from what is committed.
func (e *Engine) readNow(req *wire.Request, r engine.Replier) {
	buf := e.buffers.Get().(*[]byte)
	resp := e.machine.Read(req.Op, req.Body, (*buf)[:0])
	r.Reply(req.Tag, resp)
	if resp.Code == wire.OK {
		e.keep(buf, resp.Body)
	}
	e.buffers.Put(buf)
}

// keepBuffer is the most bytes of a buffer that is used again.
const keepBuffer = 256 << 10

// keep makes buf the memory that was used in its place, if that is larger.
func (e *Engine) keep(buf *[]byte, used []byte) {
	if cap(used) > cap(*buf) && cap(used) <= keepBuffer {
		*buf = used[:0]
	}
}

// current reports whether a request can be answered at once from what has been applied here.
func current(g *replica.Group, req *wire.Request) bool {
	return req.Flags&wire.FlagOrdered == 0 && (req.Flags&wire.FlagStale != 0 || g.CanRead())
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
	g.Propose(&wire.Request{Op: wire.OpDocFind, Deadline: deadline}, true, &callback{lane: r, fn: func(resp *wire.Response) { fn(resp.Err()) }})
}

// callback is a Replier for one answer.
type callback struct {
	lane engine.Replier
	fn   func(resp *wire.Response)
}

// Reply calls the function.
func (c *callback) Reply(_ uint64, resp wire.Response) { c.fn(&resp) }

// Lane returns whose order the command keeps.
func (c *callback) Lane() wire.Replier { return c.lane }
