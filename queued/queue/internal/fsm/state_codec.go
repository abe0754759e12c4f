package fsm

import (
	"encoding/binary"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// How the messages that are gone are written.
const (
	goneNone   = 0
	gonePrefix = 1 // the first so many
	goneBits   = 2 // a bitmap
)

// Flags of an ext: the status in the low bits.
const (
	extStatus = 0x03
	extFinal  = 0x04
	extSame   = 0x08 // the rest is as for the ext before
)

// appendState encodes what has become of the chunk's messages: when that was written, which are gone, their ids where they
// do not follow one another, and what is known of those that are not as they were pushed.
func (c *chunk) appendState(b []byte) []byte {
	b = wire.AppendUvarint(b, uint64(c.touched))
	dead := c.n - c.alive
	switch {
	case dead == 0:
		b = append(b, goneNone)
	case c.living(0) == dead:
		b = wire.AppendUvarint(append(b, gonePrefix), uint64(dead))
	default:
		b = append(b, goneBits)
		for i := 0; i < c.n; i += 8 {
			b = append(b, byte(c.bits[i>>6]>>(i&63)))
		}
	}
	for i := 1; i < len(c.deltas); i++ {
		b = wire.AppendUvarint(b, uint64(c.deltas[i]-c.deltas[i-1]))
	}
	last, before := 0, ext{}
	for i := range c.ext {
		e := c.ext[i]
		if !e.explicit() || c.isGone(i) {
			continue
		}
		b = wire.AppendUvarint(b, uint64(i-last))
		last = i
		if e.status == doomed {
			e.status = leased
		}
		e.implicit = false
		f := byte(e.status)
		if e.final {
			f |= extFinal
		}
		if e == before {
			b = append(b, f|extSame)
			continue
		}
		before = e
		b = wire.AppendUvarint(append(b, f), uint64(e.attempt))
		if e.status != ready {
			b = wire.AppendUvarint(b, uint64(e.until))
		}
		if e.status == leased {
			b = binary.BigEndian.AppendUint64(b, e.nonce)
		}
	}
	return b
}

// decodeState reads what appendState wrote. The time plays no part in it: whoever reads looks for what has run out since.
func (c *chunk) decodeState(p []byte) error {
	r := wire.NewReader(p)
	c.touched = int64(r.Uvarint())
	c.grow(c.n)
	switch r.Byte() {
	case goneNone:
	case gonePrefix:
		dead := int(r.Uvarint())
		if dead < 0 || dead > c.n {
			return errDamaged
		}
		for i := range dead {
			c.mark(i, true)
		}
		c.alive -= dead
	case goneBits:
		for i := 0; i < c.n; i += 8 {
			c.bits[i>>6] |= uint64(r.Byte()) << (i & 63)
		}
		for i := range c.n {
			if c.isGone(i) {
				c.alive--
			}
		}
	default:
		return errDamaged
	}
	if c.flags&flagDense == 0 {
		c.deltas = make([]uint32, c.n)
		for i := 1; i < c.n; i++ {
			c.deltas[i] = c.deltas[i-1] + uint32(r.Uvarint())
		}
	}
	i, e := 0, ext{}
	for r.Len() > 0 {
		i += int(r.Uvarint())
		f := r.Byte()
		if i < 0 || i >= c.n {
			return errDamaged
		}
		if f&extSame == 0 {
			e = ext{status: status(f & extStatus), final: f&extFinal != 0, attempt: uint32(r.Uvarint())}
			if e.status != ready {
				e.until = int64(r.Uvarint())
			}
			if e.status == leased {
				e.nonce = r.Uint64()
			}
		}
		*c.extend(i) = e
	}
	if r.Close() != nil {
		return errDamaged
	}
	return nil
}
