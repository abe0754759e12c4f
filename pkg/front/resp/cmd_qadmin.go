package resp

import (
	"math"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// onQueue asks for an operation whose payload is the queue's name.
func (c *conn) onQueue(op wire.Op, args [][]byte, sh shape) {
	c.body = append(c.body[:0], args[1]...)
	c.submit(op, c.body, slot{shape: sh})
}

func cmdQLen(c *conn, args [][]byte)    { c.onQueue(wire.OpQueueLen, args, shapeCount) }
func cmdQInfo(c *conn, args [][]byte)   { c.onQueue(wire.OpQueueInfo, args, shapeQueue) }
func cmdQPurge(c *conn, args [][]byte)  { c.onQueue(wire.OpQueueClear, args, shapeCount) }
func cmdQDel(c *conn, args [][]byte)    { c.onQueue(wire.OpQueueDelete, args, shapeCount) }
func cmdQPause(c *conn, args [][]byte)  { c.onQueue(wire.OpQueuePause, args, shapeOK) }
func cmdQResume(c *conn, args [][]byte) { c.onQueue(wire.OpQueueResume, args, shapeOK) }

func cmdQCreate(c *conn, args [][]byte) {
	m := wire.QueueCreate{Queue: args[1]}
	o := c.pairs(args[2:])
	for o.next() {
		o.setting(&m)
	}
	if o.failed {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpQueueCreate, c.body, slot{shape: shapeCount})
}

// setting reads a setting of a queue into m.
func (o *options) setting(m *wire.QueueCreate) {
	s := &m.Settings
	switch {
	case o.is("lease"):
		m.Fields |= wire.QueueHasLease
		s.Lease = o.number(1, wire.MaxLease)
	case o.is("maxdeliver"):
		m.Fields |= wire.QueueHasMaxDeliver
		s.MaxDeliver = o.number(0, math.MaxUint32)
	case o.is("dlq"):
		m.Fields |= wire.QueueHasDeadLetter
		s.DeadLetter = o.value()
	case o.is("maxlen"):
		m.Fields |= wire.QueueHasMaxLen
		s.MaxLen = o.number(0, math.MaxInt64)
	case o.is("ttl"):
		m.Fields |= wire.QueueHasTTL
		s.TTL = o.number(0, wire.MaxDelay)
	case o.is("overflow"):
		m.Fields |= wire.QueueHasOverflow
		switch v := o.value(); {
		case fold(v, "reject"):
			s.Overflow = wire.QueueReject
		case fold(v, "drop"):
			s.Overflow = wire.QueueDrop
		default:
			o.fail("ERR OVERFLOW must be reject or drop, not '" + cText(v, 64) + "'")
		}
	default:
		o.unknown()
	}
}

func cmdQRedrive(c *conn, args [][]byte) {
	m := wire.QueueRedrive{Queue: args[1]}
	if !c.onlyCount(args[2:], &m.Count, math.MaxInt64) {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpQueueRedrive, c.body, slot{shape: shapeCount})
}

func cmdQList(c *conn, args [][]byte) {
	m := wire.QueueList{Limit: wire.MaxPeek}
	switch {
	case len(args) == 1:
	case len(args) == 3 && fold(args[1], "match"):
		m.Match = args[2]
	default:
		c.fail("ERR syntax error: Q.LIST [MATCH pattern]")
		return
	}
	c.gather(wire.OpQueueList, m.Append, "names", "MATCH", func(list []byte, r *wire.Reader) (_ []byte, n int) {
		var info wire.QueueInfo
		for r.Len() > 0 {
			if wire.TakeQueueInfo(r, &info); r.Err() == nil {
				list = appendBulk(list, info.Name)
				n++
			}
		}
		m.After = info.Name // the answer is ours
		return list, n
	})
}
