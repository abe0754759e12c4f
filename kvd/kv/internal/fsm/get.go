package fsm

import (
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// get serves OpKVGet. It is the hottest read there is: nothing here allocates.
func get(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVKey
	if err := m.Decode(body); err != nil {
		return err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return err
	}
	h, val, ok, err := tx.load(0, p)
	if err != nil {
		return err
	}
	if !ok {
		*ans = missing
		return nil
	}
	ans.Rev, ans.Num, ans.Body = h.version, h.expires, val
	return nil
}

// stat serves OpKVStat: what is known of a key without its value.
func stat(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVKey
	if err := m.Decode(body); err != nil {
		return err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return err
	}
	h, size, ok, err := tx.stat(p)
	if err != nil {
		return err
	}
	if !ok {
		*ans = missing
		return nil
	}
	s := wire.KVStat{Type: h.typ, Size: uint64(size)}
	tx.out = s.Append(tx.out[:0])
	ans.Rev, ans.Num, ans.Body = h.version, h.expires, tx.out
	return nil
}

// getDel serves OpKVGetDel.
func getDel(tx *Tx, body []byte, ans *wire.Response) error {
	if err := get(tx, body, ans); err != nil || ans.Code != wire.OK {
		return err
	}
	// get has left the key in its buffer.
	return tx.remove(place{db: body[0], key: body[1:], full: tx.kbuf[0]}, wire.EventDelete)
}

// exists serves OpKVExists: a key counts as often as it is named.
func exists(tx *Tx, body []byte, ans *wire.Response) error {
	if err := tx.decodeKeys(body); err != nil {
		return err
	}
	if s, ok := tx.r.(*store.Store); ok && len(tx.keys.Keys) > 1 {
		return tx.existing(s, ans)
	}
	for _, key := range tx.keys.Keys {
		p, err := tx.at(0, tx.keys.DB, key)
		if err != nil {
			return err
		}
		_, _, ok, err := tx.stat(p)
		if err != nil {
			return err
		}
		if ok {
			ans.Num++
		}
	}
	return nil
}

// existing counts the keys of tx.keys that are there at one moment.
func (tx *Tx) existing(s *store.Store, ans *wire.Response) error {
	return tx.readMany(s, tx.keys.DB, tx.keys.Keys, func(_ int, v store.Value, ok bool) error {
		if !ok {
			return nil
		}
		var h header
		if err := h.decode(v.Head); err != nil {
			return err
		}
		gone, err := tx.gone(h.expires)
		if !gone {
			ans.Num++
		}
		return err
	})
}

// decodeKeys reads a KVKeys into tx.keys and judges it whole.
func (tx *Tx) decodeKeys(body []byte) error {
	clear(tx.keys.Keys)
	if err := tx.keys.Decode(body); err != nil {
		return err
	}
	if tx.keys.DB >= wire.KVDatabases {
		return errDB
	}
	return checkKeys(tx.keys.Keys)
}
