package resp

import "github.com/skshohagmiah/flin/pkg/wire"

// cmdQPop serves Q.POP and Q.LEASE.
func cmdQPop(c *conn, args [][]byte) {
	op, answer := wire.OpQueuePop, slot{shape: shapeBody}
	lease := c.cmd.name == "q.lease"
	if lease {
		op, answer.shape = wire.OpQueueLease, shapeMessages
	}
	m := wire.QueuePop{Queue: args[1], Count: 1}
	o := c.pairs(args[2:])
	for o.next() {
		switch {
		case o.is("count"):
			if m.Count = o.number(1, wire.MaxBatch); !lease {
				answer.shape = shapeBodies
			}
		case o.is("wait"):
			m.Wait = o.number(0, wire.MaxWait)
		case lease && o.is("for"):
			m.Lease = o.number(1, wire.MaxLease)
		default:
			o.unknown()
		}
	}
	if o.failed {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submitAndBlock(op, m.Wait, c.body, answer)
}

func cmdQPeek(c *conn, args [][]byte) {
	m := wire.QueuePeek{Queue: args[1], Count: 1}
	if !c.onlyCount(args[2:], &m.Count, wire.MaxPeek) {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpQueuePeek, c.body, slot{shape: shapePeeked})
}

func cmdQGet(c *conn, args [][]byte) {
	c.onMessage(wire.OpQueueGet, args, slot{shape: shapeMessage})
}

func cmdQRemove(c *conn, args [][]byte) {
	c.onMessage(wire.OpQueueRemove, args, slot{shape: shapeRemoved})
}

// onMessage asks for an operation on the message that the arguments name.
func (c *conn) onMessage(op wire.Op, args [][]byte, answer slot) {
	id, err := wire.ParseMessageID(string(args[2]))
	if err != nil {
		c.fail("ERR " + err.Error())
		return
	}
	c.body = (&wire.QueueMessageID{Queue: args[1], ID: id}).Append(c.body[:0])
	c.submit(op, c.body, answer)
}
