package fsm

import (
	"bytes"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// collect serves OpKVCollect: it removes a piece of what emptied databases have left, with the index entries that go
// with it. Num is the number of keys removed; with Rev set there is more.
func collect(tx *Tx, body []byte, ans *wire.Response) error {
	if tx.b == nil {
		return errRead
	}
	limit, err := wire.TakeLimit(body, CollectLimit)
	if err != nil {
		return err
	}
	if len(tx.ks.garbage) == 0 {
		return nil
	}
	r := tx.ks.garbage[0]
	from, to := genPrefix(r.lo), genPrefix(r.hi)
	if from, err = tx.collected(r, from); err != nil {
		return err
	}
	last, err := tx.discard(from, to, limit, ans)
	if err != nil {
		return err
	}
	ans.Rev = tx.rev
	if last != nil {
		mark := append(append(genPrefix(r.lo), last...), 0)
		if err := tx.count(len(metaCollect) + len(mark)); err != nil {
			return err
		}
		tx.w.Set(metaCollect, nil, mark)
		return nil
	}
	ks := tx.ks.clone()
	ks.garbage = ks.garbage[1:]
	if len(ks.garbage) == 0 {
		ans.Rev = 0
	}
	return tx.setKeyspace(ks)
}

// collected returns how far the range has been removed. The mark names the range it belongs to by its first generation: a
// range that has grown downwards since begins anew.
func (tx *Tx) collected(r genRange, from []byte) ([]byte, error) {
	v, ok, err := tx.r.Get(metaCollect, nil)
	if err != nil || !ok {
		return from, err
	}
	owner := genPrefix(r.lo)
	if mark, mine := bytes.CutPrefix(v.Body, owner); mine && bytes.Compare(mark, from) > 0 {
		return bytes.Clone(mark), nil
	}
	return from, nil
}

// discard deletes keys in [from, to), at most limit. It returns the last one if there may be more.
func (tx *Tx) discard(from, to []byte, limit int, ans *wire.Response) (last []byte, err error) {
	view := tx.m.st.View()
	defer view.Close()
	var failed error
	size, more := 0, false
	err = view.Iterate(from, to, store.IterOptions{HeadsOnly: true}, func(key []byte, v store.Value) bool {
		if ans.Num >= int64(limit) || size > pieceBytes {
			more = true
			return false
		}
		last = append(last[:0], key...)
		size += len(key)
		ans.Num++
		failed = tx.drop(key, v.Head)
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if !more {
		last = nil
	}
	return last, err
}

// drop deletes one key of a generation that nobody sees any more.
func (tx *Tx) drop(key, head []byte) error {
	var h header
	if err := h.decode(head); err != nil {
		return err
	}
	if h.expires != 0 {
		gen, user, ok := takeGen(key[1:])
		if !ok {
			return errHead
		}
		tx.ibuf = appendIndex(tx.ibuf[:0], h.expires, gen, user)
		if err := tx.count(len(tx.ibuf)); err != nil {
			return err
		}
		tx.w.Delete(tx.ibuf)
	}
	if err := tx.count(len(key)); err != nil {
		return err
	}
	tx.w.Delete(key)
	return nil
}
