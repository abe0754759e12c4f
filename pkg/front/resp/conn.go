package resp

import (
	"errors"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/front/slow"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	keepBody  = 32 << 10 // bytes of a request's payload that a connection keeps room for between batches of commands
	keepSlots = 64       // slots, likewise
)

// errQuit ends a connection whose client asked for it.
var errQuit = errors.New("the client said goodbye")

// conn is one client's state. It is the Replier of the client's requests. It has many fields because the protocol is
// made of modes; all but the ring and the two groups at the end belong to the one goroutine that reads.
type conn struct {
	s    *Server
	link *link.Conn
	parser

	// What the client has set for itself.
	db     byte
	resp3  bool
	authed bool
	mute   muting

	// The command under way.
	cmd      *command
	body     []byte // the payload of its request is built here
	deadline int64  // of its request
	reading  *reading
	reply    replyUnderWay
	held     int   // bytes of replies that wait for earlier ones
	over     error // why the connection ends behind it

	txn      *transaction // between MULTI and EXEC
	exec     *execution   // while EXEC runs what was queued
	watched  []watchedKey
	captured wire.Response // the answer that call waited for
	counted  counted
	engine   wire.EngineID // that was asked last

	ring
	blocking
	delivery wire.QueueDelivery // replies are made of it, with the output locked

	about    about                    // seen by CLIENT LIST, under its own lock
	speaks3  atomic.Bool              // resp3, for those who push
	tracking atomic.Pointer[tracking] // set by the reader; nil: the client tracks no keys
	caching  bool                     // CLIENT CACHING was said of the next command; the reader's
}

// muting says whether the client wants replies (CLIENT REPLY).
type muting struct {
	off  bool // none until further notice
	skip bool // none to the next command
	now  bool // none to this one
}

// counted gathers what is added to the server's figures when the input has been worked off.
type counted struct {
	cmd *command
	n   uint64
}

// ServeConn speaks with a client until one of the two has had enough. Bytes that were read to find out which protocol
// the client speaks are in c's input.
func (s *Server) ServeConn(lc *link.Conn) {
	c := &conn{s: s, link: lc, authed: s.cfg.Password == nil}
	c.parser.unauth = !c.authed
	c.parser.maxBulk = lc.Limits().MaxInput
	if n := s.cfg.MaxRequest; n > 0 {
		c.parser.maxBulk = min(c.parser.maxBulk, n)
	}
	c.about.touch(c)
	s.clients.add(c)
	err := c.serve()
	s.clients.remove(c)
	c.stopTracking()
	lc.CloseAfterFlush(err)
}

// serve reads and runs commands until the connection is over, and says why it is.
func (c *conn) serve() error {
	c.newBatch()
	for {
		buf := c.link.Buffered()
		n, err := c.next(buf)
		if err != nil {
			return c.protocolFailure(err)
		}
		if n == 0 {
			c.settle()
			if err := c.link.Fill(); err != nil {
				if errors.Is(err, link.ErrTooLong) || errors.Is(err, link.ErrNoMemory) {
					return c.protocolFailure(err)
				}
				return err
			}
			c.newBatch()
			continue
		}
		if len(c.args) > 0 {
			c.dispatch(c.args)
			if c.over != nil {
				_ = c.link.Await(0) // what was asked before is answered before the end
				return c.over
			}
		}
		c.link.Discard(n)
		if err := c.drainOutput(); err != nil {
			return err
		}
	}
}

// drainOutput lets answers go out, and waits while there are too many requests without one.
func (c *conn) drainOutput() error {
	written, busy := c.link.Written(), c.link.InFlight() >= c.link.Limits().MaxInFlight
	err := c.link.Drain()
	if busy || written != c.link.Written() { // this may have taken long
		c.newBatch()
	}
	return err
}

// newBatch begins the commands that came in one piece: they share one look at the clock.
func (c *conn) newBatch() { c.deadline = wire.DeadlineAfter(requestTimeout) }

// since returns when the batch began. It is not for commands whose deadline says how long they wait.
func (c *conn) since() slow.Moment { return slow.At(c.deadline - int64(requestTimeout)) }

// settle hands the figures of a batch of commands to the server.
func (c *conn) settle() {
	if c.counted.n > 0 {
		c.s.stats.calls[c.counted.cmd.index].Add(c.counted.n)
		c.counted.n = 0
	}
	c.about.touch(c)
	c.shrinkAll()
}

// shrinkAll gives back what an unusually large command, or many of them at once, have needed.
func (c *conn) shrinkAll() {
	if cap(c.body) > keepBody {
		c.body = nil
	}
	if cap(c.args) > keepArgs || cap(c.inline) > keepBody {
		c.shrink()
	}
	if largest := c.largest.Load(); largest > smallReply {
		c.largest.Store(largest / 2) // it says what to expect, and may be mistaken for long
	}
	if len(c.slots) > keepSlots && c.idle() {
		b := c.link.Begin()
		c.slots = nil
		c.link.End(b)
	}
}

// count counts a command.
func (c *conn) count(cmd *command) {
	if c.counted.cmd != cmd {
		if c.counted.n > 0 {
			c.s.stats.calls[c.counted.cmd.index].Add(c.counted.n)
		}
		c.counted = counted{cmd: cmd}
		c.about.cmd.Store(cmd)
	}
	c.counted.n++
}

// protocolFailure says what is wrong with the input, as the last reply.
func (c *conn) protocolFailure(err error) error {
	if awaitErr := c.link.Await(0); awaitErr != nil {
		return awaitErr
	}
	c.mute.now = c.mute.off
	c.fail(wire.CodeOf(err).RESPPrefix() + " " + err.Error())
	return err
}

// wait returns when every earlier command has been answered, with a fresh deadline for this one. It is false when the
// connection is over meanwhile.
func (c *conn) wait() bool {
	if c.idle() {
		return true
	}
	if err := c.link.Await(0); err != nil {
		c.over = err
		return false
	}
	c.newBatch()
	return true
}
