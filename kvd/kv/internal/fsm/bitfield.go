package fsm

import (
	"math"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// bitField serves OpKVBitField: integers of any width inside a value, as Redis's BITFIELD has them. What lies behind
// the end is zero; a write behind it makes the value longer, even one that then fails for overflow.
func bitField(tx *Tx, body []byte, ans *wire.Response) error {
	m := &tx.field
	if err := m.Decode(body); err != nil {
		return err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return err
	}
	size, writes, err := tx.checkFields(m.Ops)
	if err != nil {
		return err
	}
	h, val, ok, err := tx.load(0, p)
	if err != nil {
		return err
	}
	grown := false
	if writes {
		grown = !ok || size > len(val)
		size = max(size, len(val))
		if err := tx.touch(size); err != nil {
			return err
		}
		if tx.rehearsal {
			return nil
		}
		b := tx.room(size)
		clear(b[copy(b, val):])
		val = b
	}
	changed := false
	tx.out = tx.out[:0]
	for i := range m.Ops {
		n, fits, wrote := runField(&m.Ops[i], val)
		changed = changed || wrote
		if !fits {
			tx.out = append(tx.out, 0)
			continue
		}
		tx.out = wire.AppendVarint(append(tx.out, 1), n)
	}
	ans.Body, ans.Rev = tx.out, h.version
	if !changed && !grown {
		return nil
	}
	ans.Rev = tx.rev
	return tx.put(p, wire.TypeString, h.expires, h.expires, val)
}

// checkFields judges the operations and returns how long the value must be for those that write.
func (tx *Tx) checkFields(ops []wire.BitFieldOp) (size int, writes bool, err error) {
	for i := range ops {
		o := &ops[i]
		if o.Bits < 1 || o.Bits > 64 || !o.Signed && o.Bits > 63 {
			return 0, false, errBitFieldType
		}
		if o.Kind > wire.BitFieldIncr || o.Overflow > wire.OverflowFail {
			return 0, false, errSyntax
		}
		if o.Offset>>3 >= redisMaxValue {
			return 0, false, errBitOffset
		}
		if o.Kind == wire.BitFieldGet {
			continue
		}
		end := (o.Offset + uint64(o.Bits) + 7) >> 3
		if err := tx.m.checkEnd(0, int(end), tx.rehearsal); err != nil {
			return 0, false, err
		}
		size, writes = max(size, int(end)), true
	}
	return size, writes, nil
}

// pureBitField reports that a bitfield only reads.
func pureBitField(_ *Table, body []byte) bool {
	var m wire.KVBitField
	if m.Decode(body) != nil {
		return false
	}
	for i := range m.Ops {
		if m.Ops[i].Kind != wire.BitFieldGet {
			return false
		}
	}
	return true
}

// runField does one operation on val. n is its result, which there is none of if it does not fit.
func runField(o *wire.BitFieldOp, val []byte) (n int64, fits, wrote bool) {
	old := takeBits(val, o.Offset, o.Bits)
	if o.Signed && o.Bits < 64 && old>>(o.Bits-1) != 0 {
		old |= math.MaxUint64 << o.Bits
	}
	base, by := int64(old), int64(0)
	switch o.Kind {
	case wire.BitFieldGet:
		return base, true, false
	case wire.BitFieldSet:
		base = o.Value
	case wire.BitFieldIncr:
		by = o.Value
	}
	var next int64
	var over bool
	if o.Signed {
		next, over = addSigned(base, by, o.Bits, o.Overflow)
	} else {
		next, over = addUnsigned(uint64(base), by, o.Bits, o.Overflow)
	}
	if over && o.Overflow == wire.OverflowFail {
		return 0, false, false
	}
	putBits(val, o.Offset, o.Bits, uint64(next))
	if o.Kind == wire.BitFieldSet {
		return int64(old), true, true
	}
	return next, true, true
}

// addUnsigned adds by to v in a field of width bits, at most 63, and says whether it did not fit.
func addUnsigned(v uint64, by int64, width uint8, o wire.Overflow) (int64, bool) {
	limit := uint64(1)<<width - 1
	switch {
	case v > limit || by > 0 && uint64(by) > limit-v:
		if o == wire.OverflowSat {
			return int64(limit), true
		}
	case by < 0 && -uint64(by) > v:
		if o == wire.OverflowSat {
			return 0, true
		}
	default:
		return int64(v + uint64(by)), false
	}
	return int64((v + uint64(by)) & limit), true
}

// addSigned adds by to v in a field of width bits and says whether it did not fit.
func addSigned(v, by int64, width uint8, o wire.Overflow) (int64, bool) {
	high := int64(math.MaxInt64) >> (64 - width)
	low := -high - 1
	switch {
	case v > high || by > 0 && v > high-by: // high is not negative: no wrapping here
		if o == wire.OverflowSat {
			return high, true
		}
	case v < low || by < 0 && v < low-by: // low is negative: nor here
		if o == wire.OverflowSat {
			return low, true
		}
	default:
		return v + by, false
	}
	n := uint64(v) + uint64(by)
	if width < 64 {
		n <<= 64 - width
		return int64(n) >> (64 - width), true
	}
	return int64(n), true
}

// takeBits reads width bits from bit offset on.
func takeBits(p []byte, offset uint64, width uint8) uint64 {
	var n uint64
	for ; width > 0; width-- {
		n <<= 1
		if i := offset >> 3; i < uint64(len(p)) {
			n |= uint64(p[i] >> (7 - offset&7) & 1)
		}
		offset++
	}
	return n
}

// putBits writes the low width bits of n from bit offset on. p is long enough.
func putBits(p []byte, offset uint64, width uint8, n uint64) {
	for i := uint64(width); i > 0; i-- {
		mask := byte(0x80) >> (offset & 7)
		if n>>(i-1)&1 != 0 {
			p[offset>>3] |= mask
		} else {
			p[offset>>3] &^= mask
		}
		offset++
	}
}
