package resp

import "github.com/skshohagmiah/flin/pkg/wire"

// replyUnderWay is a reply that the reader itself writes, without the engine.
type replyUnderWay struct {
	direct bool // it goes straight into the connection's output, which is locked
	start  int  // where it begins there
}

// begin returns the buffer to append the reply of the command under way to. end must follow, before anything else is
// done that can wait: the output may be locked.
func (c *conn) begin() []byte {
	c.reply = replyUnderWay{}
	if c.exec != nil || !c.idle() {
		return nil
	}
	c.held = 0
	b := c.link.Begin()
	c.reply = replyUnderWay{direct: true, start: len(b)}
	return b
}

// end finishes what begin began: the reply leaves when those before it have left.
func (c *conn) end(b []byte) {
	c.reading = nil
	switch {
	case c.exec != nil:
		c.exec.addReply(b)
	case c.reply.direct:
		if c.mute.now {
			b = b[:c.reply.start]
		}
		c.link.End(b)
	default:
		if c.mute.now {
			b = nil
		}
		if c.held += len(b); c.held > maxHeld && !c.wait() {
			return
		}
		c.hold(b)
	}
}

// maxHeld is how many bytes of replies may wait for earlier ones before no more commands are run.
const maxHeld = 1 << 20

// hold gives a finished reply its slot behind the commands that are not answered.
func (c *conn) hold(reply []byte) {
	seq := c.open(&slot{shape: shapeHeld})
	b := c.link.Begin()
	finished := 0
	if seq == c.head.Load() { // they have been answered meanwhile
		b = append(b, reply...)
		b, finished = c.drain(b)
	} else {
		s := &c.slots[seq&uint64(len(c.slots)-1)]
		s.buf = reply
		s.bits |= slotDone
	}
	c.link.End(b)
	for ; finished > 0; finished-- {
		c.link.Finished()
	}
}

// fail replies with an error: its prefix and its text.
func (c *conn) fail(msg string) {
	c.s.stats.failed(msg)
	c.end(appendError(c.begin(), "", msg))
}

// reject replies with an error to a command that is not run; in a transaction it spoils the whole.
func (c *conn) reject(msg string) {
	if c.txn != nil {
		c.txn.spoiled = true
	}
	c.fail(msg)
}

// failWire replies with an engine's error.
func (c *conn) failWire(resp *wire.Response) { c.end(c.appendWireError(c.begin(), resp)) }

func (c *conn) failSyntax()  { c.fail("ERR syntax error") }
func (c *conn) failInteger() { c.fail(errInteger) }

func (c *conn) replyOK()         { c.end(appendOK(c.begin())) }
func (c *conn) replyInt(n int64) { c.end(appendInt(c.begin(), n)) }

func (c *conn) replyBulk(p []byte) { c.end(appendBulk(c.begin(), p)) }
func (c *conn) replyNull()         { c.end(appendNull(c.begin(), c.resp3)) }
