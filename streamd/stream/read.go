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
		g.ReadLater(req, r, func(req *wire.Request) { e.readNow(req, r) })
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
	g.WhenCurrent(req, &barrier, r, t.Ready)
}

// barrier is what the engine proposes where a request must wait for what is in the log before it.
var barrier = replica.Barrier{Op: wire.OpStreamFetch}
