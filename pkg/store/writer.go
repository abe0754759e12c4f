package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/skshohagmiah/flin/pkg/store/internal/blob"
)

// writer makes one flush: values into blob files, then keys and marker into Badger. It is used under flushMu.
//
// Normally that is one transaction. What does not fit goes into several with the same timestamp, each of which says in
// its intent that it is a part; the last holds the marker and takes the intent back. Readers see none of it before the
// flush is published, and if the last part is missing after a crash, recovery undoes the others (undo.go).
type writer struct {
	s     *Store
	base  *base
	m     *marker
	txn   *badger.Txn
	parts int
	mem   []byte         // where keys and values of the transaction are made
	ents  []badger.Entry // that are not used yet
	gone  []uint32       // blob files to which nothing leads after this flush
	put   int            // user's keys
}

// newWriter begins the flush that follows the last finished one and brings the store to pos.
func (s *Store) newWriter(pos Position) *writer {
	w := &writer{s: s, base: s.base}
	w.m = &marker{number: s.epochs[len(s.epochs)-1].number + 1, ringFrom: s.base.ringFrom, mems: s.base.mems, pos: pos}
	return w
}

// epoch is what the finished flush leaves.
func (w *writer) epoch() *epoch { return &epoch{base: w.base, number: w.m.number, pos: w.m.pos} }

// putTable writes what a table holds.
func (w *writer) putTable(t *table) error {
	if t.count() == 0 {
		return nil
	}
	ptrs, err := w.putBodies(t)
	if err != nil {
		return err
	}
	drop, err := w.s.sample(t)
	if err != nil {
		return err
	}
	next := 0
	t.each(func(e *entry) bool {
		switch {
		case e.dead:
			if !drop[e] {
				err = w.set(e.key(), 1, func(b []byte) []byte { return append(b, kindTombstone) })
			}
		case len(e.body) <= maxInline:
			err = w.set(e.key(), 2+len(e.head())+len(e.body), func(b []byte) []byte { return appendInline(b, e.head(), e.body) })
		default:
			p := ptrs[next]
			next++
			err = w.set(e.key(), 2+len(e.head())+maxPointer, func(b []byte) []byte { return appendPointer(b, e.head(), p) })
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	return w.s.step("keys")
}

// putBodies appends the large values of a table to blob files and returns where they are, in the table's order.
func (w *writer) putBodies(t *table) ([]blob.Pointer, error) {
	var ptrs []blob.Pointer
	var err error
	t.each(func(e *entry) bool {
		if e.dead || len(e.body) <= maxInline {
			return true
		}
		var p blob.Pointer
		p, err = w.base.blobs.Append(e.key(), e.body)
		ptrs = append(ptrs, p)
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	return ptrs, w.s.step("blobs")
}

// set adds a user's key whose value, of at most size bytes, is made by fn.
func (w *writer) set(key []byte, size int, fn func([]byte) []byte) error {
	n := 1 + len(key) + size
	if len(w.mem) < n {
		w.mem = make([]byte, max(n, 256<<10))
	}
	k := appendUserKey(w.mem[:0:1+len(key)], key)
	v := fn(w.mem[1+len(key) : 1+len(key) : n])
	w.mem = w.mem[n:]
	w.put++
	return w.add(k, v)
}

// add adds a key to the transaction, or to a new one if it is full. key and value are kept.
func (w *writer) add(key, value []byte) error {
	if len(w.ents) == 0 {
		w.ents = make([]badger.Entry, 512)
	}
	e := &w.ents[0]
	w.ents = w.ents[1:]
	e.Key, e.Value = key, value
	if w.txn == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	err := w.txn.SetEntry(e)
	if errors.Is(err, badger.ErrTxnTooBig) {
		if err := w.commitPart(); err != nil {
			return err
		}
		if err := w.begin(); err != nil {
			return err
		}
		err = w.txn.SetEntry(e)
	}
	if err != nil {
		return fmt.Errorf("adding a key to a flush: %w", err)
	}
	return nil
}

// begin begins a transaction as if it were a part; the last one takes that back.
func (w *writer) begin() error {
	w.txn = w.base.db.NewTransactionAt(w.m.number-1, true)
	if err := w.txn.Set(intentKey, binary.LittleEndian.AppendUint64(nil, w.m.number)); err != nil {
		return fmt.Errorf("writing the flush's intent: %w", err)
	}
	return nil
}

// commitPart commits a part that is not the last. What it points to in blob files is made durable at the end: nothing
// points there for a reader before that.
func (w *writer) commitPart() error {
	txn := w.txn
	w.txn = nil
	w.parts++
	if err := txn.CommitAt(w.m.number, nil); err != nil {
		return fmt.Errorf("committing a part of flush %d: %w", w.m.number, err)
	}
	return w.s.step("part")
}

// commit makes the flush durable.
func (w *writer) commit() error {
	lengths, err := w.base.blobs.Sync()
	if err != nil {
		return err
	}
	if err := w.s.step("blobs synced"); err != nil {
		return err
	}
	for _, l := range lengths {
		f := w.s.space.grown(l)
		if err := w.add(fileKey(l.File), f.encode()); err != nil {
			return err
		}
	}
	for no, f := range w.s.space.changed() {
		if err := w.add(fileKey(no), f.encode()); err != nil {
			return err
		}
	}
	for _, no := range w.gone {
		if err := w.add(fileKey(no), []byte{0}); err != nil {
			return err
		}
	}
	w.m.nextBlob = w.base.blobs.Next()
	w.m.keys, w.m.tombs = w.s.space.estimates()
	if w.txn == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	err = putMarker(w.txn, w.m)
	if errors.Is(err, badger.ErrTxnTooBig) {
		if err = w.commitPart(); err == nil {
			err = w.begin()
		}
		if err == nil {
			err = putMarker(w.txn, w.m)
		}
	}
	if err != nil {
		return err
	}
	if err := w.txn.CommitAt(w.m.number, nil); err != nil {
		return fmt.Errorf("committing flush %d: %w", w.m.number, err)
	}
	if err := w.s.step("committed"); err != nil {
		return err
	}
	if err := w.base.noteFiles(w.m.number); err != nil {
		return err
	}
	for _, no := range w.gone {
		w.s.space.retire(no, w.m.number)
	}
	return w.s.step("folder synced")
}
