package fsm

import (
	"bytes"
	"fmt"

	"github.com/skshohagmiah/flin/pkg/store"
)

// Reset reads from the store what is kept in memory and forgets the rest: after opening, and after the installation of a
// snapshot. Apply goroutine only.
func (m *Machine) Reset() error {
	m.tx.end()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.databases, m.collections, m.shared = map[string]map[string]*Collection{}, 0, false
	m.edition++
	m.installs = m.st.Installs()
	m.building, m.expiring, m.trash = nil, nil, nil
	m.feeds, m.record = feeds{}, record{oldest: never}
	m.recent.reset(After(m.st.Applied().Revision))
	m.recorded = true
	clear(m.changed)
	m.changed = m.changed[:0]
	if err := m.loadAll(); err != nil {
		return fmt.Errorf("doc: reading the store: %w", err)
	}
	if m.o.OnChanges != nil {
		m.o.OnChanges()
	}
	return nil
}

// loader is what is only of interest while the store is being read.
type loader struct {
	m     *Machine
	byCID map[uint64]*Collection
}

// loadAll reads the kinds of keys in an order in which each finds what it needs.
func (m *Machine) loadAll() error {
	l := &loader{m: m, byCID: map[uint64]*Collection{}}
	v := m.st.View()
	defer v.Close()
	for _, k := range [...]struct {
		kind byte
		fn   func(key []byte, v store.Value) error
	}{{kindCollection, l.collection}, {kindIndex, l.index}, {kindSize, l.size}, {kindTrash, l.trash}, {kindFeed, l.feed}, {kindRecord, l.record}} {
		var failed error
		err := v.Iterate([]byte{k.kind}, []byte{k.kind + 1}, store.IterOptions{}, func(key []byte, v store.Value) bool {
			failed = k.fn(key, v)
			return failed == nil
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return err
		}
	}
	for _, c := range l.byCID {
		m.enlist(c)
	}
	return l.firstChunk(v)
}

func (l *loader) collection(key []byte, v store.Value) error {
	db, name, err := readNameKey(key)
	if err != nil {
		return err
	}
	c, err := decodeCollection(db, name, v.Head)
	if err != nil {
		return err
	}
	l.byCID[c.ID] = c
	return nil
}

// index adds an index to its collection: they come in the order of their numbers, which is that in which they were made.
func (l *loader) index(key []byte, v store.Value) error {
	cid, rest, err := readNumber(key[1:])
	if err != nil {
		return err
	}
	iid, rest, err := readNumber(rest)
	c := l.byCID[cid]
	if err != nil || len(rest) > 0 || c == nil {
		return errDamaged
	}
	ix, err := decodeIndex(bytes.Clone(v.Body))
	if err != nil {
		return err
	}
	if ix.ID != iid {
		return errDamaged
	}
	c.Indexes = append(c.Indexes, ix)
	return nil
}

func (l *loader) size(key []byte, v store.Value) error {
	cid, rest, err := readNumber(key[1:])
	c := l.byCID[cid]
	if err != nil || len(rest) > 0 || c == nil {
		return errDamaged
	}
	if len(v.Head) > 0 {
		return c.decodeSize(v.Head)
	}
	return c.decodeSize(v.Body)
}

func (l *loader) trash(key []byte, v store.Value) error {
	if len(key) != 1+prefixSize {
		return errDamaged
	}
	l.m.addTrash(bytes.Clone(key), bytes.Clone(v.Body))
	return nil
}
