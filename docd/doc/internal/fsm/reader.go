package fsm

import (
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Reader is a collection at one moment, with its documents and the entries of its indexes at that moment: of what indexes it says
// are there none lacks an entry. It must be closed, and soon: for what takes long see store.View. One goroutine at a time
// uses a Reader.
type Reader struct {
	*Collection
	view *store.View
	lent bool   // the view is a Snapshot's, which closes it
	key  []byte // that is looked up
}

// Open returns a reader of a collection, or nil if that is not there. Any goroutine may call it.
func (m *Machine) Open(db, name []byte) *Reader {
	for {
		c := m.Collection(db, name)
		if c == nil {
			return nil
		}
		v := m.st.View()
		// A command makes its changes to the store and to memory visible under mu. If the collection is still the same, the view
		// was taken while it was.
		if m.Collection(db, name) == c && m.fits() {
			return &Reader{Collection: c, view: v}
		}
		v.Close()
	}
}

// fits reports whether memory has been read from the store as it is. It has not for as long as it takes to read it after a snapshot was
// installed: then it waits a little.
func (m *Machine) fits() bool {
	m.mu.RLock()
	installs := m.installs
	m.mu.RUnlock()
	if m.st.Installs() == installs {
		return true
	}
	time.Sleep(time.Millisecond) //nolint:forbidigo // a reader waits, not what is applied
	return false
}

// Close gives the reader up. A second call does nothing.
func (r *Reader) Close() {
	if !r.lent {
		r.view.Close()
	}
}

// Get returns the document whose _id has the key id (AppendID), and its version; nil if it is not there. The document is in buf, in
// new memory, or in memory of the store that does not change.
func (r *Reader) Get(id, buf []byte) (doc bsoncore.Document, version uint64, err error) {
	if len(id) > wire.MaxDocID {
		return nil, 0, nil
	}
	r.key = append(keys.Append(r.key[:0], kindDocument, r.ID), id...)
	v, ok, err := r.view.Get(r.key, buf)
	return found(v, ok, err)
}

// Get returns a document of a collection as it is now: without a view, and so for little. The rules of Reader.Get hold. Any
// goroutine may call it.
func (m *Machine) Get(cid uint64, id, buf []byte) (doc bsoncore.Document, version uint64, err error) {
	if len(id) > wire.MaxDocID {
		return nil, 0, nil
	}
	key := m.keys.Get().(*[]byte) //nolint:forcetypeassert // the pool holds nothing else
	*key = append(keys.Append((*key)[:0], kindDocument, cid), id...)
	v, ok, err := m.st.Get(*key, buf)
	m.keys.Put(key)
	return found(v, ok, err)
}

func found(v store.Value, ok bool, err error) (bsoncore.Document, uint64, error) {
	if err != nil {
		return nil, 0, fmt.Errorf("doc: reading a document: %w", err)
	}
	if !ok {
		return nil, 0, nil
	}
	version, err := decodeVersion(v.Head)
	return v.Body, version, err
}

// GetAt is Reader.Get by way of what the store has cached, where that is known to be the same: a view reads all from disk.
func (m *Machine) GetAt(r *Reader, id, buf []byte) (doc bsoncore.Document, version uint64, err error) {
	doc, version, err = m.Get(r.ID, id, buf)
	if err == nil && (doc == nil || version > r.view.Position().Revision) {
		return r.Get(id, buf) // it has changed since, or perhaps has
	}
	return doc, version, err
}

// Lookup returns the key of the _id of the document that has a key in a unique index now, nil if there is none. It is in buf, in new
// memory, or in memory of the store that does not change. Any goroutine may call it.
func (m *Machine) Lookup(ix *Index, indexKey, buf []byte) (id []byte, err error) {
	if len(indexKey) > wire.MaxDocIndexKey {
		return nil, nil
	}
	key := m.keys.Get().(*[]byte) //nolint:forcetypeassert // the pool holds nothing else
	*key = append(keys.Append((*key)[:0], kindEntry, ix.ID), indexKey...)
	v, ok, err := m.st.Get(*key, buf)
	m.keys.Put(key)
	if err != nil {
		return nil, fmt.Errorf("doc: reading an index: %w", err)
	}
	if !ok {
		return nil, nil
	}
	return entryID(v), nil
}

// Scan calls fn for the documents in the order of their _id, until it returns false: those whose key of the _id is from or behind
// it and before to. nil is no bound. What fn gets is valid during the call only.
func (r *Reader) Scan(from, to []byte, reverse bool, fn func(id []byte, doc bsoncore.Document, version uint64) bool) error {
	low, high := bounds(keys.Append(nil, kindDocument, r.ID), from, to)
	var failed error
	err := r.view.Iterate(low, high, store.IterOptions{Reverse: reverse}, func(key []byte, v store.Value) bool {
		version, err := decodeVersion(v.Head)
		if err != nil {
			failed = err
			return false
		}
		return fn(key[prefixSize:], v.Body, version)
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("doc: reading documents: %w", err)
	}
	return nil
}

// IndexScan calls fn for the entries of an index in the order of their keys, until it returns false: those whose key is from or
// behind it and before to. nil is no bound; a bound may be the beginning of keys. Entries of one key come in the order of their
// _ids. id is the key of the document's _id. What fn gets is valid during the call only.
func (r *Reader) IndexScan(ix *Index, from, to []byte, reverse bool, fn func(key, id []byte) bool) error {
	low, high := bounds(keys.Append(nil, kindEntry, ix.ID), from, to)
	var failed error
	// The head has the _id of almost all entries; the body is wanted for unique ones of very long _ids.
	o := store.IterOptions{Reverse: reverse, HeadsOnly: !ix.Unique()}
	err := r.view.Iterate(low, high, o, func(entry []byte, v store.Value) bool {
		key, id, err := ix.split(entry, v)
		if err != nil {
			failed = err
			return false
		}
		return fn(key, id)
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("doc: reading an index: %w", err)
	}
	return nil
}

// Count returns how many entries of an index lie in a range as of IndexScan, or bound if there are as many or more.
func (r *Reader) Count(ix *Index, from, to []byte, bound int) (n int, err error) {
	low, high := bounds(keys.Append(nil, kindEntry, ix.ID), from, to)
	if bound <= 0 {
		return 0, nil
	}
	err = r.view.Iterate(low, high, store.IterOptions{HeadsOnly: true}, func([]byte, store.Value) bool {
		n++
		return n < bound
	})
	if err != nil {
		return 0, fmt.Errorf("doc: counting in an index: %w", err)
	}
	return n, nil
}

// CountIDs returns how many documents have a key of their _id in a range as of Scan, or bound if there are as many or more.
func (r *Reader) CountIDs(from, to []byte, bound int) (n int, err error) {
	low, high := bounds(keys.Append(nil, kindDocument, r.ID), from, to)
	if bound <= 0 {
		return 0, nil
	}
	err = r.view.Iterate(low, high, store.IterOptions{HeadsOnly: true}, func([]byte, store.Value) bool {
		n++
		return n < bound
	})
	if err != nil {
		return 0, fmt.Errorf("doc: counting documents: %w", err)
	}
	return n, nil
}

// bounds makes of bounds behind a prefix those of an iteration.
func bounds(prefix, from, to []byte) (low, high []byte) {
	low = append(append(make([]byte, 0, len(prefix)+len(from)), prefix...), from...)
	if to == nil {
		return low, keys.After(prefix)
	}
	return low, append(prefix, to...)
}
