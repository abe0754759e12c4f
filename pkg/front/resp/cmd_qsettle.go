package resp

import "github.com/skshohagmiah/flin/pkg/wire"

// receipt reads a receipt. It replies itself, and is not ok, if it is none.
func (c *conn) receipt(p []byte) (wire.Receipt, bool) {
	t, err := wire.ParseReceipt(string(p))
	if err != nil {
		c.fail("ERR " + err.Error())
		return t, false
	}
	return t, true
}

func cmdQAck(c *conn, args [][]byte) {
	b := wire.AppendBytes(c.body[:0], args[1])
	b = wire.AppendUvarint(b, uint64(len(args)-2))
	for _, a := range args[2:] {
		t, ok := c.receipt(a)
		if !ok {
			return
		}
		b = t.Append(b)
	}
	c.body = b
	c.submit(wire.OpQueueAck, b, slot{shape: shapeAcked, arg: int64(len(args) - 2)})
}

func cmdQNack(c *conn, args [][]byte)   { c.giveBack(wire.OpQueueNack, args) }
func cmdQReject(c *conn, args [][]byte) { c.giveBack(wire.OpQueueReject, args) }

func (c *conn) giveBack(op wire.Op, args [][]byte) {
	m := wire.QueueNack{Queue: args[1]}
	var ok bool
	if m.Receipt, ok = c.receipt(args[2]); !ok {
		return
	}
	o := c.pairs(args[3:])
	for o.next() {
		switch {
		case op == wire.OpQueueNack && o.is("delay"):
			m.Delay = o.number(0, wire.MaxDelay)
		case o.is("error"):
			m.Error = o.value()
		default:
			o.unknown()
		}
	}
	if o.failed {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(op, c.body, slot{shape: shapeOK})
}

func cmdQExtend(c *conn, args [][]byte) {
	m := wire.QueueExtend{Queue: args[1]}
	var ok bool
	if m.Receipt, ok = c.receipt(args[2]); !ok {
		return
	}
	if m.Lease, ok = c.number("the lease", args[3], 1, wire.MaxLease); !ok {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpQueueExtend, c.body, slot{shape: shapeInt})
}
