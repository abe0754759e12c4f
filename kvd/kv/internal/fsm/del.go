package fsm

import "github.com/skshohagmiah/flin/pkg/wire"

// del serves OpKVDel. A missing key has version 0.
func del(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVDel
	if err := m.Decode(body); err != nil {
		return err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return err
	}
	h, _, ok, err := tx.stat(p)
	if err != nil {
		return err
	}
	if m.IfVersion && h.version != m.Version {
		return errVersion
	}
	if !ok {
		return nil
	}
	ans.Num, ans.Rev = 1, tx.rev
	return tx.remove(p, wire.EventDelete)
}

// mdel serves OpKVMDel. A key named twice is removed, and counted, once.
func mdel(tx *Tx, body []byte, ans *wire.Response) error {
	if err := tx.decodeKeys(body); err != nil {
		return err
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
		if !ok {
			continue
		}
		ans.Num++
		if err := tx.remove(p, wire.EventDelete); err != nil {
			return err
		}
	}
	if ans.Num > 0 {
		ans.Rev = tx.rev
	}
	return nil
}
