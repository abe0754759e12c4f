package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"

	"github.com/skshohagmiah/flin/pkg/store/internal/blob"
)

// base is one generation of what is on disk: a Badger folder and the blob files that it points to. A rebuild and an
// install begin a new one.
type base struct {
	dir      string
	db       *badger.DB
	blobs    *blob.Set // shared by all generations of a store
	ringFrom uint64
	mems     []memFile
	names    string // what the folder listed after the last flush
}

// epoch is what a finished flush left behind: what a reader holds to see disk as it was then. It is alive while it is
// Store.cur or somebody holds it; nothing that it needs is removed before.
type epoch struct {
	base   *base // nil with Options.Memory
	number uint64
	pos    Position
	refs   atomic.Int64
	idle   func() // called when the last reference has gone
}

// acquire takes a reference. The caller holds one already, or Store.mu under which the epoch is Store.cur.
func (e *epoch) acquire() *epoch {
	e.refs.Add(1)
	return e
}

func (e *epoch) release() {
	if e.refs.Add(-1) == 0 {
		e.idle()
	}
}

var keyBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 256); return &b }}

// lookup finds a key's record and calls fn with it, if there is one, deletions included. The record is valid during the call.
func (e *epoch) lookup(key []byte, fn func(r *record) error) error {
	if e.base == nil {
		return nil
	}
	kb := keyBuffers.Get().(*[]byte) //nolint:forcetypeassert // the pool holds nothing else
	*kb = appendUserKey((*kb)[:0], key)
	txn := e.base.db.NewTransactionAt(e.number, false)
	err := e.lookupIn(txn, *kb, fn)
	txn.Discard()
	keyBuffers.Put(kb)
	return err
}

func (e *epoch) lookupIn(txn *badger.Txn, key []byte, fn func(r *record) error) error {
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the key tree in %s: %w", e.base.dir, err)
	}
	return item.Value(func(b []byte) error {
		r, err := parseRecord(b)
		if err != nil {
			return fmt.Errorf("%s: %w", e.base.dir, err)
		}
		return fn(&r)
	})
}

// get reads a key from disk, into buf or, if that is too small, into new memory.
func (e *epoch) get(key, buf []byte) (v Value, ok bool, err error) {
	err = e.lookup(key, func(r *record) error {
		if r.kind == kindTombstone {
			return nil
		}
		ok = true
		v, err = e.read(key, r, buf)
		return err
	})
	if err != nil {
		return Value{}, false, err
	}
	return v, ok, nil
}

// read makes a value of a record: it does not alias the record.
func (e *epoch) read(key []byte, r *record, buf []byte) (Value, error) {
	if r.kind == kindInline {
		b := append(append(buf[:0], r.head...), r.body...)
		n := len(r.head)
		return Value{Head: b[:n:n], Body: b[n:]}, nil
	}
	n := int(blob.RecordSize(len(key), int(r.ptr.Size)))
	if cap(buf) < n+len(r.head) {
		buf = make([]byte, n+len(r.head))
	}
	buf = buf[:n+len(r.head)]
	body, err := e.base.blobs.Read(r.ptr, key, buf[:n:n])
	if err != nil {
		return Value{}, fmt.Errorf("%w; restore the store from a replica or a backup", err)
	}
	copy(buf[n:], r.head)
	return Value{Head: buf[n:], Body: body}, nil
}

// head reads a key's head from disk, appended to buf[:0], and the size of its body.
func (e *epoch) head(key, buf []byte) (head []byte, size int, ok bool, err error) {
	err = e.lookup(key, func(r *record) error {
		if ok = r.kind != kindTombstone; ok {
			head, size = append(buf[:0], r.head...), r.size()
		}
		return nil
	})
	return head, size, ok, err
}
