package fsm

import "github.com/skshohagmiah/flin/pkg/wire"

// rename serves OpKVRename: within one database, or to another.
func rename(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVCopy
	if err := m.Decode(body); err != nil {
		return err
	}
	if m.DB == m.DstDB && string(m.Src) == string(m.Dst) {
		// As in Redis: the key must be there, and is its own new self.
		p, err := tx.at(0, m.DB, m.Src)
		if err != nil {
			return err
		}
		h, _, ok, err := tx.stat(p)
		if err != nil {
			return err
		}
		if !ok {
			return errNoKey
		}
		if m.Replace {
			ans.Num, ans.Rev = 1, h.version
		}
		return nil
	}
	return tx.transfer(&m, true, ans)
}

// copyKey serves OpKVCopy.
func copyKey(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVCopy
	if err := m.Decode(body); err != nil {
		return err
	}
	if m.DB == m.DstDB && string(m.Src) == string(m.Dst) {
		return errSameObject
	}
	return tx.transfer(&m, false, ans)
}

// move serves OpKVMove: a key goes to another database, under the same name or another.
func move(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVCopy
	if err := m.Decode(body); err != nil {
		return err
	}
	if m.DB == m.DstDB && string(m.Src) == string(m.Dst) {
		return errSameObject
	}
	return tx.transfer(&m, true, ans)
}

// transfer writes a second key with the value and the expiry of the first.
func (tx *Tx) transfer(m *wire.KVCopy, removes bool, ans *wire.Response) error {
	src, err := tx.at(0, m.DB, m.Src)
	if err != nil {
		return err
	}
	dst, err := tx.at(1, m.DstDB, m.Dst)
	if err != nil {
		return err
	}
	if !m.Replace {
		_, _, there, err := tx.stat(dst)
		if err != nil {
			return err
		}
		if there {
			// A missing source is NotFound also then.
			_, _, ok, err := tx.stat(src)
			if err == nil && !ok {
				err = errNoKey
			}
			return err
		}
	}
	h, val, ok, err := tx.own(src)
	if err != nil {
		return err
	}
	if !ok {
		return errNoKey
	}
	if err := tx.touch(len(val)); err != nil {
		return err
	}
	ans.Num, ans.Rev = 1, tx.rev
	if err := tx.put(dst, h.typ, h.expires, 0, val); err != nil {
		return err
	}
	if removes {
		return tx.remove(src, wire.EventDelete)
	}
	return nil
}
