package resp

import (
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/front/slow"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// firstRing is how many slots a ring has when it is first needed.
const firstRing = 8

const (
	smallReply = 4 << 10  // a reply is expected to be no less than this
	maxReplies = 16 << 20 // bytes of replies that may be expected at once
)

// slotBits are the properties of a slot.
type slotBits uint8

const (
	slotRESP3 slotBits = 1 << iota // the reply is to be in version 3
	slotMuted                      // the reply is not sent
	slotDone                       // the reply is in buf and waits for those before it
)

// slot is the place of an unanswered command in the order of replies.
type slot struct {
	shape   shape
	bits    slotBits
	mark    slow.Mark // of its request; zero: there is none
	cmd     *command
	arg     int64      // means what the shape says
	buf     []byte     // the reply, when it waits; before that what the shape says
	exec    *execution // shapeExec: what was queued
	reading *reading   // the keys that the client is told about when they change
}

// ring holds the slots of a connection by the numbers of their commands, which are the tags of its requests: from head,
// the oldest that is not answered, up to tail. Only the reader adds slots; head, and the slots below tail, are guarded
// by the lock of the link's output.
type ring struct {
	slots []slot // a power of two of them
	head  atomic.Uint64
	tail  atomic.Uint64

	largest atomic.Int64 // bytes of the largest reply of late; 0: there was none yet
}

// idle reports whether every command has been answered. Only the reader may ask: it alone adds.
func (r *ring) idle() bool { return r.head.Load() == r.tail.Load() }

// open gives the command under way its slot, which says how to answer, and returns its number.
func (c *conn) open(answer *slot) uint64 {
	seq := c.tail.Load()
	if seq-c.head.Load() >= uint64(len(c.slots)) {
		c.growRing()
	}
	c.slots[seq&uint64(len(c.slots)-1)] = *answer
	c.link.Started()
	c.tail.Store(seq + 1)
	return seq
}

func (c *conn) growRing() {
	out := c.link.Begin()
	old := c.slots
	c.slots = make([]slot, max(firstRing, 2*len(old)))
	for seq := c.head.Load(); seq < c.tail.Load(); seq++ {
		c.slots[seq&uint64(len(c.slots)-1)] = old[seq&uint64(len(old)-1)]
	}
	c.link.End(out)
}

// reserve waits while the replies that are expected would be too many bytes: those to ordered requests come all at once,
// and a client that reads them must not be taken for one that does not. Until a reply was seen it is expected to be as
// large as a value can be.
func (c *conn) reserve(answer *slot) bool {
	switch answer.shape {
	case shapeValue, shapePart, shapeOld, shapeEntries, shapeFewOrValue, shapeMatches, shapeExec,
		shapeBody, shapeBodies, shapeMessages, shapePeeked, shapeMessage, shapeFetched, shapeConsumed,
		shapeDocuments, shapeExplained:
	default:
		return true
	}
	expected := c.largest.Load()
	if expected == 0 {
		expected = int64(c.s.cfg.MaxValue)
	}
	waiting := int64(c.tail.Load() - c.head.Load())
	return waiting*max(expected, smallReply) < maxReplies || c.wait()
}

// Reply takes the engine's answer to the command numbered tag. It is called from any goroutine and never waits for
// anything but the output's lock.
func (c *conn) Reply(tag uint64, resp wire.Response) {
	b := c.link.Begin()
	s := &c.slots[tag&uint64(len(c.slots)-1)]
	s.tally(c, &resp)
	c.s.cfg.Slow.Done(s.mark, c.link.NetConn())
	if t := c.tracking.Load(); t != nil && t.noLoop && resp.Rev != 0 && (s.cmd == nil || s.cmd.flags&isRead == 0) {
		t.who.own.wrote(resp.Rev)
	}
	finished := 0
	if size := int64(len(resp.Body)); size > c.largest.Load() {
		c.largest.Store(size)
	}
	if tag == c.head.Load() {
		if s.bits&slotMuted == 0 {
			b = s.encode(c, b, &resp)
		} else {
			s.encode(c, nil, &resp)
		}
		if s.reading != nil {
			b = c.settleReading(b, s, &resp)
		}
		b, finished = c.drain(b)
		if t := c.tracking.Load(); t != nil && t.noLoop {
			b = c.settleOwn(b, t)
		}
	} else {
		s.buf = s.encode(c, nil, &resp)
		if s.reading != nil {
			s.buf = c.settleReading(s.buf, s, &resp)
		}
		s.bits |= slotDone
	}
	c.link.End(b)
	for ; finished > 0; finished-- {
		c.link.Finished()
	}
}

// drain takes the oldest slot, which has been answered, out of the ring, and with it those behind it whose replies are
// there. It is called with the output locked.
func (c *conn) drain(b []byte) ([]byte, int) {
	head, tail := c.head.Load(), c.tail.Load()
	start := head
	mask := uint64(len(c.slots) - 1)
	for {
		s := &c.slots[head&mask]
		s.cmd, s.exec, s.reading = nil, nil, nil
		head++
		if head == tail {
			break
		}
		if s = &c.slots[head&mask]; s.bits&slotDone == 0 {
			break
		}
		if s.bits&slotMuted == 0 {
			b = append(b, s.buf...)
		}
		s.buf = nil
	}
	c.head.Store(head)
	return b, int(head - start)
}
