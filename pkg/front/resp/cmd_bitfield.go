package resp

import "github.com/skshohagmiah/flin/pkg/wire"

func cmdBitfield(c *conn, args [][]byte)   { c.bitField(args, false) }
func cmdBitfieldRo(c *conn, args [][]byte) { c.bitField(args, true) }

func (c *conn) bitField(args [][]byte, readOnly bool) {
	m := wire.KVBitField{DB: c.db, Key: args[1]}
	overflow, writes := wire.OverflowWrap, false
	for i := 2; i < len(args); {
		op := wire.BitFieldOp{Overflow: overflow}
		left := len(args) - i - 1
		switch a := args[i]; {
		case fold(a, "get") && left >= 2:
			op.Kind = wire.BitFieldGet
		case fold(a, "set") && left >= 3:
			op.Kind = wire.BitFieldSet
		case fold(a, "incrby") && left >= 3:
			op.Kind = wire.BitFieldIncr
		case fold(a, "overflow") && left >= 1:
			var ok bool
			if overflow, ok = parseOverflow(args[i+1]); !ok {
				c.fail("ERR Invalid OVERFLOW type specified")
				return
			}
			i += 2
			continue
		default:
			c.failSyntax()
			return
		}
		if !c.bitFieldPlace(&op, args[i+1], args[i+2]) {
			return
		}
		i += 3
		if op.Kind != wire.BitFieldGet {
			writes = true
			var ok bool
			if op.Value, ok = parseInt(args[i]); !ok {
				c.failInteger()
				return
			}
			i++
		}
		m.Ops = append(m.Ops, op)
	}
	if readOnly && writes {
		c.fail("ERR BITFIELD_RO only supports the GET subcommand")
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpKVBitField, c.body, slot{shape: shapeBitField})
}

func parseOverflow(p []byte) (wire.Overflow, bool) {
	switch {
	case fold(p, "wrap"):
		return wire.OverflowWrap, true
	case fold(p, "sat"):
		return wire.OverflowSat, true
	case fold(p, "fail"):
		return wire.OverflowFail, true
	}
	return 0, false
}

// bitFieldPlace reads a type, as i16 or u8, and an offset, which behind a # counts in fields of that type.
func (c *conn) bitFieldPlace(op *wire.BitFieldOp, typ, offset []byte) bool {
	bits, ok := int64(0), false
	if len(typ) > 1 {
		bits, ok = parseInt(typ[1:])
	}
	switch {
	case ok && typ[0] == 'i' && bits >= 1 && bits <= 64:
		op.Signed = true
	case ok && typ[0] == 'u' && bits >= 1 && bits <= 63:
	default:
		c.fail("ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.")
		return false
	}
	op.Bits = uint8(bits)
	times := int64(1)
	if len(offset) > 0 && offset[0] == '#' {
		offset, times = offset[1:], bits
	}
	n, ok := parseInt(offset)
	if !ok || n < 0 || n >= maxBitOffset || n*times >= maxBitOffset {
		c.fail("ERR bit offset is not an integer or out of range")
		return false
	}
	op.Offset = uint64(n * times)
	return true
}

// encodeBitField appends the results of a bit field's operations.
func encodeBitField(b []byte, resp *wire.Response, resp3 bool) []byte {
	n, r := 0, wire.NewReader(resp.Body)
	for ; r.Len() > 0; n++ {
		if r.Byte() == 1 {
			r.Varint()
		}
	}
	b = appendArray(b, n)
	r = wire.NewReader(resp.Body)
	for range n {
		if r.Byte() == 1 {
			b = appendInt(b, r.Varint())
		} else {
			b = appendNull(b, resp3)
		}
	}
	return b
}
