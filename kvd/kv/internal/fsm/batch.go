package fsm

import (
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// mset serves OpKVMSet. Without IfAbsent it is blind.
func mset(tx *Tx, body []byte, ans *wire.Response) error {
	m := &tx.pairs
	clear(m.Pairs)
	if err := m.Decode(body); err != nil {
		return err
	}
	if m.DB >= wire.KVDatabases {
		return errDB
	}
	for i := range m.Pairs {
		if n := len(m.Pairs[i].Key); n > wire.MaxKey {
			return keyTooLong(n)
		}
		if err := tx.m.checkValue(len(m.Pairs[i].Value), tx.rehearsal); err != nil {
			return err
		}
	}
	if m.IfAbsent {
		for i := range m.Pairs {
			p, err := tx.at(0, m.DB, m.Pairs[i].Key)
			if err != nil {
				return err
			}
			_, _, ok, err := tx.stat(p)
			if err != nil {
				return err
			}
			if ok && !tx.rehearsal {
				return errExists
			}
		}
	}
	for i := range m.Pairs {
		p, err := tx.at(0, m.DB, m.Pairs[i].Key)
		if err != nil {
			return err
		}
		if err := tx.put(p, wire.TypeString, 0, 0, m.Pairs[i].Value); err != nil {
			return err
		}
	}
	ans.Rev = tx.rev
	return nil
}

// mget serves OpKVMGet. Outside of the log all keys are read at one moment.
func mget(tx *Tx, body []byte, ans *wire.Response) error {
	if err := tx.decodeKeys(body); err != nil {
		return err
	}
	tx.out = tx.out[:0]
	s, whole := tx.r.(*store.Store)
	if !whole {
		for i, key := range tx.keys.Keys {
			p, err := tx.at(0, tx.keys.DB, key)
			if err != nil {
				return err
			}
			tx.reads++
			v, ok, err := tx.r.Get(p.full, tx.val[0])
			if err != nil {
				return err
			}
			if err := tx.entry(i, v, ok); err != nil {
				return err
			}
		}
		ans.Body = tx.out
		return nil
	}
	if err := tx.readMany(s, tx.keys.DB, tx.keys.Keys, tx.many); err != nil {
		return err
	}
	ans.Body = tx.out
	return nil
}

// readMany hands fn the values of keys, all of one moment.
func (tx *Tx) readMany(s *store.Store, db byte, keys [][]byte, fn func(i int, v store.Value, ok bool) error) error {
	tx.reads++
	prefix := tx.ks.prefixes[db]
	size := 0
	for _, key := range keys {
		size += len(prefix) + len(key)
	}
	b := tx.kbuf[0][:0]
	if cap(b) < size {
		b = make([]byte, 0, size)
	}
	clear(tx.full)
	tx.full = tx.full[:0]
	for _, key := range keys {
		start := len(b)
		b = append(append(b, prefix...), key...)
		tx.full = append(tx.full, b[start:])
	}
	tx.kbuf[0] = b
	return s.GetMany(tx.full, fn)
}

// entry appends one value of an mget to the answer. The key is left out.
func (tx *Tx) entry(_ int, v store.Value, ok bool) error {
	var e wire.KVEntry
	if ok {
		var h header
		if err := h.decode(v.Head); err != nil {
			return err
		}
		gone, err := tx.gone(h.expires)
		if err != nil {
			return err
		}
		if !gone {
			e = wire.KVEntry{Version: h.version, Expires: h.expires, Value: v.Body}
		}
		if err := tx.touch(len(v.Body)); err != nil {
			return err
		}
	}
	tx.out = wire.AppendKVEntry(tx.out, &e)
	return nil
}
