package resp

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// blocking is a connection's command that waits for a message or a record.
type blocking struct {
	waiting atomic.Uint64 // the number of the command that waits, plus one; 0: none
	ended   atomic.Uint32 // why it was withdrawn, an ending
}

// ending says why a command that waits was withdrawn, and so what its reply is.
type ending = uint32

const (
	endedNot   ending = iota // by the engine, if at all
	endedNull                // CLIENT UNBLOCK: as if its time were over
	endedError               // CLIENT UNBLOCK … ERROR
	endedStop                // the server stops
)

// submitAndBlock is submit for a command that waits at most wait ms for a message or a record; with 0 it is submit. Like Redis's
// blocking commands it holds every later command of the connection back. When the client leaves meanwhile, or the server
// stops, it is withdrawn, so that nothing is handed out to nobody.
func (c *conn) submitAndBlock(op wire.Op, wait uint64, body []byte, answer slot) {
	if wait == 0 {
		c.submit(op, body, answer)
		return
	}
	c.settle()
	if !c.wait() {
		return
	}
	c.deadline = wire.DeadlineAfter(requestTimeout + time.Duration(wait)*time.Millisecond)
	tag := c.tail.Load()
	c.ended.Store(endedNot)
	c.submit(op, body, answer)
	if !c.idle() {
		c.waiting.Store(tag + 1)
		c.s.stats.blocked.Add(1)
		err := c.link.AwaitReading()
		if err != nil {
			c.abandon(tag, err)
		}
		c.s.stats.blocked.Add(-1)
		c.waiting.Store(0)
	}
	c.newBatch()
}

// abandon withdraws the command that waits because of err. The connection is over unless the server stops: then the reader
// is told so by itself once the command has been answered.
func (c *conn) abandon(tag uint64, err error) {
	stopping := errors.Is(err, link.ErrStopping)
	if stopping {
		c.ended.Store(endedStop)
	} else {
		c.over = err
	}
	c.s.cfg.Engine.Cancel(c, tag)
	if !stopping {
		return
	}
	if err := c.link.Await(0); err != nil {
		c.over = err
	}
}

// unblock ends the command that waits and reports whether there is one. It is called by other connections' readers.
func (c *conn) unblock(why ending) bool {
	n := c.waiting.Load()
	if n == 0 || !c.ended.CompareAndSwap(endedNot, why) {
		return false
	}
	c.s.cfg.Engine.Cancel(c, n-1)
	return true
}

// appendEnded appends the reply to a command that waited and was withdrawn.
func (c *conn) appendEnded(b []byte, resp *wire.Response, resp3 bool, null func([]byte, bool) []byte) []byte {
	switch c.ended.Load() {
	case endedNull:
		return null(b, resp3)
	case endedError:
		return c.appendFailure(b, "UNBLOCKED client unblocked via CLIENT UNBLOCK")
	case endedStop:
		return c.appendFailure(b, "CLUSTERDOWN the server is stopping")
	}
	return c.appendWireError(b, resp)
}
