package fsm

import (
	"crypto/subtle"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// bitOp serves OpKVBitOp. Shorter values go on in zeros; a missing one is all zeros. The destination's expiry goes.
func bitOp(tx *Tx, body []byte, ans *wire.Response) error {
	m := &tx.bitop
	clear(m.Srcs)
	if err := m.Decode(body); err != nil {
		return err
	}
	dst, err := tx.at(0, m.DB, m.Dst)
	if err != nil {
		return err
	}
	if err := checkKeys(m.Srcs); err != nil {
		return err
	}
	switch {
	case m.Kind > wire.BitNot || len(m.Srcs) == 0:
		return errSyntax
	case m.Kind == wire.BitNot && len(m.Srcs) != 1:
		return errBitNot
	}
	acc, err := tx.combine(m)
	if err != nil {
		return err
	}
	ans.Num, ans.Rev = int64(len(acc)), tx.rev
	if len(acc) > 0 {
		return tx.put(dst, wire.TypeString, 0, 0, acc)
	}
	_, _, there, err := tx.stat(dst)
	if err != nil {
		return err
	}
	if !there {
		ans.Rev = 0
		return nil
	}
	return tx.remove(dst, wire.EventDelete)
}

// combine works out the value of a bitop in memory that the store may keep.
func (tx *Tx) combine(m *wire.KVBitOp) ([]byte, error) {
	var acc []byte
	for i, key := range m.Srcs {
		p, err := tx.at(1, m.DB, key)
		if err != nil {
			return nil, err
		}
		_, val, _, err := tx.load(1, p)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			if err := tx.touch(len(val)); err != nil {
				return nil, err
			}
			acc = append(make([]byte, 0, len(val)), val...)
			continue
		}
		if extra := len(val) - len(acc); extra > 0 {
			if err := tx.touch(extra); err != nil {
				return nil, err
			}
			acc = append(acc, make([]byte, extra)...)
		}
		n := len(val)
		switch m.Kind {
		case wire.BitAnd:
			for j := range acc[:n] {
				acc[j] &= val[j]
			}
			clear(acc[n:])
		case wire.BitOr:
			for j := range acc[:n] {
				acc[j] |= val[j]
			}
		case wire.BitXor:
			subtle.XORBytes(acc[:n], acc[:n], val)
		case wire.BitNot: // has one source
		}
	}
	if m.Kind == wire.BitNot {
		for j := range acc {
			acc[j] = ^acc[j]
		}
	}
	return acc, nil
}
