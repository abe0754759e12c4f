package fsm

import "github.com/skshohagmiah/flin/pkg/wire"

// flush serves OpKVFlush. However many keys there are, it writes one record.
func flush(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVDB
	if err := m.Decode(body); err != nil {
		return err
	}
	ks := tx.spaces().clone()
	first, last := m.DB, m.DB
	switch {
	case m.DB == wire.AllDatabases:
		first, last = 0, wire.KVDatabases-1
	case m.DB >= wire.KVDatabases:
		return errDB
	}
	for db := first; db <= last; db++ {
		ks.empty(int(db))
	}
	if err := tx.setKeyspace(ks); err != nil {
		return err
	}
	for db := first; db <= last; db++ {
		tx.tell(wire.EventFlush, db, 0, nil, nil)
	}
	ans.Rev = tx.rev
	return nil
}

// swap serves OpKVSwap. Watchers of either database are told that it was emptied: what they know of it is void, and
// naming every key would make the event as large as the data.
func swap(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVDB
	if err := m.Decode(body); err != nil {
		return err
	}
	if m.DB >= wire.KVDatabases || m.Other >= wire.KVDatabases {
		return errDB
	}
	ans.Rev = tx.rev
	if m.DB == m.Other {
		return nil
	}
	ks := tx.spaces().clone()
	ks.swap(int(m.DB), int(m.Other))
	if err := tx.setKeyspace(ks); err != nil {
		return err
	}
	tx.tell(wire.EventFlush, m.DB, 0, nil, nil)
	tx.tell(wire.EventFlush, m.Other, 0, nil, nil)
	return nil
}
