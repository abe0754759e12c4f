package fsm

import (
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// How much one sweep or collect removes (wire.AppendLimit): its keys are looked up while the whole group waits.
const (
	SweepLimit   = 256     // index entries in one sweep
	CollectLimit = 2000    // keys in one collect
	pieceBytes   = 2 << 20 // bytes of their keys
)

// sweep serves OpKVSweep: it removes what has expired by the time of its entry, oldest first. An index entry whose key
// has another expiry by now, or is gone, is just dropped. Num is the number of keys removed; with Rev set there is more.
func sweep(tx *Tx, body []byte, ans *wire.Response) error {
	if tx.b == nil {
		return errRead
	}
	limit, err := wire.TakeLimit(body, SweepLimit)
	if err != nil {
		return err
	}
	from, err := tx.swept()
	if err != nil {
		return err
	}
	list, more, next, err := tx.overdue(from, limit)
	if err != nil {
		return err
	}
	tx.due, tx.exact = next, true
	for _, index := range list {
		expired, err := tx.expireBy(index)
		if err != nil {
			return err
		}
		if expired {
			ans.Num++
		}
		if err := tx.count(len(index)); err != nil {
			return err
		}
		tx.w.Delete(index)
	}
	if more {
		ans.Rev, tx.due = tx.rev, tx.now
	}
	if len(list) == 0 {
		return nil
	}
	// Below here the index is empty, for good: time does not run back. The next sweep need not pass over what this one
	// has deleted.
	mark := append(list[len(list)-1], 0)
	if err := tx.count(len(metaSwept) + len(mark)); err != nil {
		return err
	}
	tx.w.Set(metaSwept, nil, tx.keep(mark))
	return nil
}

// swept returns where the index begins.
func (tx *Tx) swept() ([]byte, error) {
	v, ok, err := tx.r.Get(metaSwept, nil)
	if err != nil {
		return nil, err
	}
	if !ok {
		return indexFrom(0), nil
	}
	return append([]byte(nil), v.Body...), nil
}

// overdue lists index keys whose time has come, at most limit, and finds when the next one's will.
func (tx *Tx) overdue(from []byte, limit int) (list [][]byte, more bool, next int64, err error) {
	next = nothingDue
	size := 0
	err = tx.b.Iterate(from, indexEnd(), func(key []byte, _ store.Value) bool {
		at, _, _, ok := takeIndex(key)
		if ok && at > tx.now {
			next = at
			return false
		}
		if len(list) >= limit || size > pieceBytes {
			more = true
			return false
		}
		list = append(list, append(make([]byte, 0, len(key)+1), key...))
		size += len(key)
		return true
	})
	return list, more, next, err
}

// expireBy removes the key of an index entry if that is still what makes it expire.
func (tx *Tx) expireBy(index []byte) (bool, error) {
	at, gen, key, ok := takeIndex(index)
	if !ok {
		return false, nil
	}
	db := tx.ks.database(gen)
	if db < 0 {
		return false, nil
	}
	p, err := tx.at(0, byte(db), key)
	if err != nil {
		return false, err
	}
	head, _, ok, err := tx.r.Head(p.full, tx.hbuf)
	if err != nil || !ok {
		return false, err
	}
	var h header
	if err := h.decode(head); err != nil {
		return false, err
	}
	if h.expires != at {
		return false, nil
	}
	return true, tx.remove(p, wire.EventExpire)
}
