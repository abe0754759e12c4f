package doc

import (
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
		g.ReadLater(req, r, func(req *wire.Request) { e.readNow(req, r) })
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

// barrier is what the engine proposes where a request must wait for what is in the log before it.
var barrier = replica.Barrier{Op: wire.OpDocFind}
