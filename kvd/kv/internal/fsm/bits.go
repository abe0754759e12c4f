package fsm

import (
	"math/bits"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// redisMaxValue is how long a Redis string may be. Bits beyond it are refused, those between ours and it read as zero.
const redisMaxValue = 512 << 20

// setBit serves OpKVSetBit. Num is the bit as it was.
func setBit(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVBit
	if err := m.Decode(body); err != nil {
		return err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return err
	}
	if m.Bit > 1 {
		return errBit
	}
	if m.Offset>>3 >= redisMaxValue {
		return errBitOffset
	}
	if err := tx.m.checkEnd(int64(m.Offset>>3), 1, tx.rehearsal); err != nil {
		return err
	}
	h, old, ok, err := tx.load(0, p)
	if err != nil {
		return err
	}
	at, mask := int(m.Offset>>3), byte(0x80)>>(m.Offset&7)
	var was byte
	if at < len(old) && old[at]&mask != 0 {
		was = 1
	}
	ans.Num, ans.Rev = int64(was), h.version
	if ok && at < len(old) && was == m.Bit {
		return nil
	}
	ans.Rev = tx.rev
	return tx.change(p, h, max(len(old), at+1), func(b []byte) {
		copy(b, old)
		b[at] &^= mask
		if m.Bit == 1 {
			b[at] |= mask
		}
	})
}

// getBit serves OpKVGetBit. What is behind the end is zero.
func getBit(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVBit
	if err := m.Decode(body); err != nil {
		return err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return err
	}
	if m.Offset>>3 >= redisMaxValue {
		return errBitOffset
	}
	h, val, _, err := tx.load(0, p)
	if err != nil {
		return err
	}
	ans.Rev = h.version
	if at := m.Offset >> 3; at < uint64(len(val)) {
		ans.Num = int64(val[at] >> (7 - m.Offset&7) & 1)
	}
	return nil
}

// bitCount serves OpKVBitCount.
func bitCount(tx *Tx, body []byte, ans *wire.Response) error {
	m, h, val, ok, err := tx.bitScan(body)
	if err != nil {
		return err
	}
	ans.Rev = h.version
	if !ok {
		return nil
	}
	if m.Range&(wire.BitRangeStart|wire.BitRangeEnd) == wire.BitRangeStart|wire.BitRangeEnd && m.Start < 0 && m.End < 0 && m.Start > m.End {
		return nil // as Redis has it, before the bounds are clipped to the value: else a short one would count its first byte
	}
	first, last, ok := bitBounds(m, len(val))
	if ok {
		ans.Num = countBits(val, first, last)
	}
	return nil
}

// bitPos serves OpKVBitPos. A missing key is an endless row of zeros.
func bitPos(tx *Tx, body []byte, ans *wire.Response) error {
	m, h, val, ok, err := tx.bitScan(body)
	if err != nil {
		return err
	}
	if m.Bit > 1 {
		return errBitArg
	}
	ans.Rev = h.version
	if !ok {
		ans.Num = -int64(m.Bit)
		return nil
	}
	ans.Num = -1
	first, last, ok := bitBounds(m, len(val))
	if !ok {
		return nil
	}
	if at := findBit(val, first, last, m.Bit); at >= 0 {
		ans.Num = at
	} else if m.Bit == 0 && m.Range&wire.BitRangeEnd == 0 {
		// Without an end that was asked for the value goes on in zeros.
		ans.Num = last + 1
	}
	return nil
}

func (tx *Tx) bitScan(body []byte) (m *wire.KVBitScan, h header, val []byte, ok bool, err error) {
	m = new(wire.KVBitScan)
	if err = m.Decode(body); err != nil {
		return m, h, nil, false, err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return m, h, nil, false, err
	}
	h, val, ok, err = tx.load(0, p)
	return m, h, val, ok, err
}

// bitBounds turns the bounds of a scan into the first and last bit of a value of n bytes. There may be none.
func bitBounds(m *wire.KVBitScan, n int) (first, last int64, ok bool) {
	total, unit := int64(n), int64(8)
	if m.Range&wire.BitRangeBits != 0 {
		total, unit = total*8, 1
	}
	start, end := int64(0), total-1
	if m.Range&wire.BitRangeStart != 0 {
		start = m.Start
	}
	if m.Range&wire.BitRangeEnd != 0 {
		end = m.End
	}
	start, end = clip(start, end, total)
	if start > end {
		return 0, 0, false
	}
	return start * unit, end*unit + unit - 1, true
}

// countBits counts the bits that are set from first to last.
func countBits(p []byte, first, last int64) int64 {
	i, j := first>>3, last>>3
	head, tail := byte(0xFF)>>(first&7), byte(0xFF)<<(7-last&7)
	if i == j {
		return int64(bits.OnesCount8(p[i] & head & tail))
	}
	n := bits.OnesCount8(p[i]&head) + bits.OnesCount8(p[j]&tail)
	rest := p[i+1 : j]
	for ; len(rest) >= 8; rest = rest[8:] {
		n += bits.OnesCount64(word(rest))
	}
	for _, c := range rest {
		n += bits.OnesCount8(c)
	}
	return int64(n)
}

// findBit returns the first bit from first to last that is bit, -1 if none is.
func findBit(p []byte, first, last int64, bit byte) int64 {
	flip := byte(0)
	if bit == 0 {
		flip = 0xFF
	}
	skip := uint64(flip) * 0x0101010101010101
	for at := first; at <= last; {
		i := at >> 3
		if at&7 == 0 && i+8 <= int64(len(p)) && word(p[i:]) == skip {
			at += 64
			continue
		}
		c := (p[i] ^ flip) & (0xFF >> (at & 7))
		if c != 0 {
			if at = i<<3 + int64(bits.LeadingZeros8(c)); at <= last {
				return at
			}
			return -1
		}
		at = (i + 1) << 3
	}
	return -1
}

func word(p []byte) uint64 {
	_ = p[7]
	return uint64(p[0]) | uint64(p[1])<<8 | uint64(p[2])<<16 | uint64(p[3])<<24 |
		uint64(p[4])<<32 | uint64(p[5])<<40 | uint64(p[6])<<48 | uint64(p[7])<<56
}
