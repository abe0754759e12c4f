package fsm

import "github.com/skshohagmiah/flin/pkg/wire"

// put writes a key: its body, which must not change any more, under the command's revision, to expire when expires says
// (0 never). was is the expiry that the key is known to have had, so that an index entry which is there is not written
// again. An expiry that has come removes the key.
func (tx *Tx) put(p place, typ byte, expires, was int64, body []byte) error {
	if expires != 0 && expires <= tx.now {
		return tx.remove(p, wire.EventExpire)
	}
	h := header{version: tx.rev, expires: expires, typ: typ}
	tx.wbuf = h.append(tx.wbuf[:0])
	inLSM := len(body)
	if inLSM > inlineBody {
		inLSM = pointerCost
	}
	if err := tx.count(len(p.full) + len(tx.wbuf) + inLSM); err != nil {
		return err
	}
	if expires != 0 && expires != was {
		tx.ibuf = appendIndex(tx.ibuf[:0], expires, tx.spaces().gens[p.db], p.key)
		if err := tx.count(len(tx.ibuf)); err != nil {
			return err
		}
	}
	if tx.rehearsal {
		return nil
	}
	tx.w.Set(p.full, tx.wbuf, body)
	if expires != 0 {
		if expires != was {
			tx.w.Set(tx.ibuf, nil, nil)
		}
		if tx.due == 0 || expires < tx.due {
			tx.due = expires
		}
	}
	tx.tell(wire.EventSet, p.db, expires, p.key, body)
	return nil
}

// refresh writes a key again with another expiry and the value that it has.
func (tx *Tx) refresh(p place, h header, expires int64, body []byte) error {
	if expires != 0 && expires <= tx.now {
		return tx.remove(p, wire.EventDelete)
	}
	told := tx.emit
	tx.emit = false
	err := tx.put(p, h.typ, expires, h.expires, body)
	tx.emit = told
	if err == nil {
		tx.tell(wire.EventRefresh, p.db, expires, p.key, nil)
	}
	return err
}

// remove deletes a key and tells why. Its index entry, if it has one, stays until its time has come: the sweep drops it.
func (tx *Tx) remove(p place, why wire.EventKind) error {
	if err := tx.count(len(p.full)); err != nil {
		return err
	}
	if tx.rehearsal {
		return nil
	}
	tx.w.Delete(p.full)
	tx.tell(why, p.db, 0, p.key, nil)
	return nil
}

// count adds an entry of n bytes to what the command puts into the LSM tree.
func (tx *Tx) count(n int) error {
	if tx.w == nil && !tx.rehearsal {
		return errRead
	}
	tx.entries++
	tx.bytes += n + entryCost
	if tx.entries > wire.MaxBatchKeys {
		return tx.exceed("the command writes more than %d entries: split it", wire.MaxBatchKeys)
	}
	if tx.bytes > wire.MaxBatchLSM {
		return tx.exceed("the keys and small values that the command writes take more than %d bytes: split it", wire.MaxBatchLSM)
	}
	return nil
}

// tell remembers a change for the watchers. They are told when the command is committed.
func (tx *Tx) tell(kind wire.EventKind, db byte, expires int64, key, value []byte) {
	if tx.emit {
		tx.events = append(tx.events, wire.KVEvent{Kind: kind, DB: db, Rev: tx.rev, Expires: expires, Key: key, Value: value})
	}
}

// setKeyspace makes ks what the databases show once the command is committed.
func (tx *Tx) setKeyspace(ks *keyspace) error {
	body := ks.append(nil)
	if err := tx.count(len(metaKeyspace) + len(body)); err != nil {
		return err
	}
	if !tx.rehearsal {
		tx.w.Set(metaKeyspace, nil, body)
	}
	tx.newKS = ks
	return nil
}
