package resp

import (
	"math"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func cmdQPush(c *conn, args [][]byte) {
	var one [1]wire.QueueMessage
	m := &one[0]
	m.Body = args[2]
	o := c.pairs(args[3:])
	for o.next() {
		o.message(m)
	}
	if o.failed {
		return
	}
	c.body = (&wire.QueuePush{Queue: args[1], Messages: one[:]}).Append(c.body[:0])
	c.submit(wire.OpQueuePush, c.body, slot{shape: shapePushed})
}

// message reads an option of a push into m.
func (o *options) message(m *wire.QueueMessage) {
	switch {
	case o.is("delay"):
		m.Flags |= wire.MessageDelayed
		m.NotBefore = int64(o.number(0, wire.MaxDelay))
	case o.is("at"):
		m.Flags |= wire.MessageAt
		m.NotBefore = int64(o.number(0, math.MaxInt64))
	case o.is("priority"):
		m.Flags |= wire.MessagePriority
		m.Priority = uint8(o.number(0, math.MaxUint8))
	case o.is("dedup"):
		m.Flags |= wire.MessageDedup
		m.Dedup = o.value()
	case o.is("group"):
		m.Flags |= wire.MessageGroup
		m.Group = o.value()
	case o.is("ttl"):
		m.Flags |= wire.MessageTTL
		m.TTL = int64(o.number(1, wire.MaxDelay))
	case o.is("header"):
		m.Flags |= wire.MessageHeaders
		m.Headers = o.header(m.Headers)
	default:
		o.unknown()
	}
	const both = wire.MessageDelayed | wire.MessageAt
	if !o.failed && m.Flags&both == both {
		o.fail("ERR DELAY and AT exclude each other")
	}
}

func cmdQMpush(c *conn, args [][]byte) {
	b := wire.AppendBytes(c.body[:0], args[1])
	b = wire.AppendUvarint(b, uint64(len(args)-2))
	for _, a := range args[2:] {
		b = wire.AppendBytes(append(b, 0), a) // a message without options
	}
	c.body = b
	c.submit(wire.OpQueuePush, b, slot{shape: shapePushedAll, arg: int64(len(args) - 2)})
}
