package resp

import "github.com/skshohagmiah/flin/pkg/wire"

// maxBitOffset is the first bit that a string of Redis's greatest size does not have.
const maxBitOffset = 512 << 20 * 8

// bitOffset reads a bit's number. It replies itself, and is false, if there is none.
func (c *conn) bitOffset(p []byte) (uint64, bool) {
	n, ok := parseInt(p)
	if !ok || n < 0 || n >= maxBitOffset {
		c.fail("ERR bit offset is not an integer or out of range")
		return 0, false
	}
	return uint64(n), true
}

func cmdSetbit(c *conn, args [][]byte) {
	offset, ok := c.bitOffset(args[2])
	if !ok {
		return
	}
	bit, ok := parseInt(args[3])
	if !ok || bit != 0 && bit != 1 {
		c.fail("ERR bit is not an integer or out of range")
		return
	}
	c.body = (&wire.KVBit{DB: c.db, Bit: byte(bit), Offset: offset, Key: args[1]}).Append(c.body[:0])
	c.submit(wire.OpKVSetBit, c.body, slot{shape: shapeInt})
}

func cmdGetbit(c *conn, args [][]byte) {
	offset, ok := c.bitOffset(args[2])
	if !ok {
		return
	}
	c.body = (&wire.KVBit{DB: c.db, Offset: offset, Key: args[1]}).Append(c.body[:0])
	c.submit(wire.OpKVGetBit, c.body, slot{shape: shapeInt})
}

// bitRange reads [start [end [BYTE|BIT]]]. It replies itself, and is false, if that is not what args are.
func (c *conn) bitRange(m *wire.KVBitScan, args [][]byte) bool {
	var ok bool
	if len(args) > 3 {
		c.failSyntax()
		return false
	}
	if len(args) > 0 {
		m.Range |= wire.BitRangeStart
		if m.Start, ok = parseInt(args[0]); !ok {
			c.failInteger()
			return false
		}
	}
	if len(args) > 2 {
		switch {
		case fold(args[2], "bit"):
			m.Range |= wire.BitRangeBits
		case !fold(args[2], "byte"):
			c.failSyntax()
			return false
		}
	}
	if len(args) > 1 {
		m.Range |= wire.BitRangeEnd
		if m.End, ok = parseInt(args[1]); !ok {
			c.failInteger()
			return false
		}
	}
	return true
}

func cmdBitcount(c *conn, args [][]byte) {
	m := wire.KVBitScan{DB: c.db, Key: args[1]}
	if len(args) == 3 {
		c.failSyntax()
		return
	}
	if len(args) == 5 { // BITCOUNT looks at the end before the unit, BITPOS behind it
		_, ok1 := parseInt(args[2])
		if _, ok2 := parseInt(args[3]); !ok1 || !ok2 {
			c.failInteger()
			return
		}
	}
	if !c.bitRange(&m, args[2:]) {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpKVBitCount, c.body, slot{shape: shapeInt})
}

func cmdBitpos(c *conn, args [][]byte) {
	m := wire.KVBitScan{DB: c.db, Key: args[1]}
	bit, ok := parseInt(args[2])
	if !ok {
		c.failInteger()
		return
	}
	if bit != 0 && bit != 1 {
		c.fail("ERR The bit argument must be 1 or 0.")
		return
	}
	m.Bit = byte(bit)
	if !c.bitRange(&m, args[3:]) {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpKVBitPos, c.body, slot{shape: shapeInt, arg: -bit})
}

func cmdBitop(c *conn, args [][]byte) {
	m := wire.KVBitOp{DB: c.db, Dst: args[2], Srcs: args[3:]}
	switch {
	case fold(args[1], "and"):
		m.Kind = wire.BitAnd
	case fold(args[1], "or"):
		m.Kind = wire.BitOr
	case fold(args[1], "xor"):
		m.Kind = wire.BitXor
	case fold(args[1], "not"):
		m.Kind = wire.BitNot
		if len(args) != 4 {
			c.fail("ERR BITOP NOT must be called with a single source key.")
			return
		}
	default:
		c.failSyntax()
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpKVBitOp, c.body, slot{shape: shapeInt})
}
