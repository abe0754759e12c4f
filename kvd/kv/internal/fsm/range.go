package fsm

import "github.com/skshohagmiah/flin/pkg/wire"

// appendTo serves OpKVAppend. Num is the new length; the key's expiry stays.
func appendTo(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVPair
	if err := m.Decode(body); err != nil {
		return err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return err
	}
	if err := tx.m.checkValue(len(m.Value), tx.rehearsal); err != nil {
		return err
	}
	h, old, ok, err := tx.load(0, p)
	if err != nil {
		return err
	}
	size := len(old) + len(m.Value)
	if size > hardMaxValue {
		return errTooLong
	}
	ans.Num, ans.Rev = int64(size), tx.rev
	if !ok {
		return tx.put(p, wire.TypeString, 0, 0, m.Value)
	}
	return tx.change(p, h, size, func(b []byte) {
		copy(b, old)
		copy(b[len(old):], m.Value)
	})
}

// change writes a value of size bytes that fill makes. The expiry stays as h has it.
func (tx *Tx) change(p place, h header, size int, fill func(b []byte)) error {
	if err := tx.touch(size); err != nil {
		return err
	}
	var b []byte
	if !tx.rehearsal {
		b = tx.room(size)
		clear(b)
		fill(b)
	}
	return tx.put(p, wire.TypeString, h.expires, h.expires, b)
}

// getRange serves OpKVGetRange. A missing key is an empty value.
func getRange(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVRange
	if err := m.Decode(body); err != nil {
		return err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return err
	}
	h, val, _, err := tx.load(0, p)
	if err != nil {
		return err
	}
	ans.Rev = h.version
	start, end := m.Start, m.End
	n := int64(len(val))
	if start < 0 && end < 0 && start > end {
		return nil
	}
	start, end = clip(start, end, n)
	if start > end || n == 0 {
		return nil
	}
	ans.Body = val[start : end+1]
	return nil
}

// clip turns bounds that count from either end into bounds inside of n elements, as Redis does. The part is empty if
// they cross.
func clip(start, end, n int64) (int64, int64) {
	if start < 0 {
		start += n
	}
	if end < 0 {
		end += n
	}
	return max(start, 0), min(max(end, 0), n-1)
}

// setRange serves OpKVSetRange: Value at Start, with zero bytes before it where there were none. Num is the new length.
func setRange(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVRange
	if err := m.Decode(body); err != nil {
		return err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return err
	}
	if m.Start < 0 {
		return errOffset
	}
	if err := tx.m.checkEnd(m.Start, len(m.Value), tx.rehearsal); err != nil {
		return err
	}
	if len(m.Value) == 0 {
		h, size, _, err := tx.stat(p)
		ans.Num, ans.Rev = int64(size), h.version
		return err
	}
	h, old, _, err := tx.load(0, p)
	if err != nil {
		return err
	}
	size := max(len(old), int(m.Start)+len(m.Value))
	ans.Num, ans.Rev = int64(size), tx.rev
	return tx.change(p, h, size, func(b []byte) {
		copy(b, old)
		copy(b[m.Start:], m.Value)
	})
}
