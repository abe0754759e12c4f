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
	for i := 2; i < len(args); i += 2 {
		v, ok := c.option(args, i)
		if !ok {
			return
		}
		switch {
		case fold(args[i], "count"):
			if m.Count, ok = c.number("COUNT", v, 1, wire.MaxBatch); !lease {
				answer.shape = shapeBodies
			}
		case fold(args[i], "wait"):
			m.Wait, ok = c.number("WAIT", v, 0, wire.MaxWait)
		case lease && fold(args[i], "for"):
			m.Lease, ok = c.number("FOR", v, 1, wire.MaxLease)
		default:
			c.failOption(args[i])
			return
		}
		if !ok {
			return
		}
	}
	c.body = m.Append(c.body[:0])
	c.submitAndBlock(op, m.Wait, c.body, answer)
}

func cmdQPeek(c *conn, args [][]byte) {
	m := wire.QueuePeek{Queue: args[1], Count: 1}
	if !c.onlyCount(args, &m.Count, wire.MaxPeek) {
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
