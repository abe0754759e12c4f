package store

import (
	"bytes"
	"hash/maphash"
	"time"
)

// Batch gathers the writes of one command. There is one for each Store, and only the apply goroutine uses it.
type Batch struct {
	s      *Store
	slab   slab
	writes []*entry
	index  map[uint64]int // newest write of each key by hash, once there are more than a few
}

// fewWrites is how many writes are searched one by one.
const fewWrites = 8

// Begin begins the writes of one command. Apply goroutine only; the one Batch is used again each time.
func (s *Store) Begin() *Batch {
	s.batch.Discard()
	return &s.batch
}

// Set writes a value. key and head are copied; body is kept by reference and must never change again: it is meant to
// alias the log entry. Bounds: MaxKey, MaxHead, MaxBody; the caller has checked them.
func (b *Batch) Set(key, head, body []byte) { b.add(b.slab.new(key, head, body, false)) }

// Delete removes a key. A missing key is no error.
func (b *Batch) Delete(key []byte) { b.add(b.slab.new(key, nil, nil, true)) }

func (b *Batch) add(e *entry) {
	b.writes = append(b.writes, e)
	switch {
	case len(b.writes) <= fewWrites:
	case b.index == nil:
		b.index = make(map[uint64]int, 4*fewWrites)
		for i, w := range b.writes {
			b.index[w.hash] = i
		}
	default:
		b.index[e.hash] = len(b.writes) - 1
	}
}

// find returns the newest write of a key in this batch, or nil.
func (b *Batch) find(hash uint64, key []byte) *entry {
	last := len(b.writes) - 1
	if b.index != nil {
		i, ok := b.index[hash]
		if !ok {
			return nil
		}
		last = i // equal hashes of different keys: an older write may still be the key's
	}
	for i := last; i >= 0; i-- {
		if w := b.writes[i]; w.hash == hash && bytes.Equal(w.key(), key) {
			return w
		}
	}
	return nil
}

// Get reads a key as this command sees it: with the batch's own writes. The value may alias buf or the store's memory and
// is valid until the next Begin.
func (b *Batch) Get(key, buf []byte) (Value, bool, error) {
	hash := maphash.Bytes(b.s.seed, key)
	if e := b.find(hash, key); e != nil {
		return e.value(), !e.dead, nil
	}
	return b.s.get(hash, key, buf)
}

// Head reads a key's head and the size of its body, without reading the body from a blob file.
func (b *Batch) Head(key, buf []byte) (head []byte, size int, ok bool, err error) {
	hash := maphash.Bytes(b.s.seed, key)
	if e := b.find(hash, key); e != nil {
		return e.head(), len(e.body), !e.dead, nil
	}
	return b.s.head(hash, key, buf)
}

// Iterate calls fn for the keys of [from, to) in order; nil is unbounded. It sees what was committed, not the batch's own
// writes; fn may call Set, Delete, Get and Head of this batch, and ends the iteration by returning false. key and v are
// valid during the call only. It is meant for bounded work.
func (b *Batch) Iterate(from, to []byte, fn func(key []byte, v Value) bool) error {
	v := b.s.View()
	defer v.Close()
	return v.Iterate(from, to, IterOptions{}, fn)
}

// Commit makes all writes of the batch visible at once.
func (b *Batch) Commit() {
	if len(b.writes) == 0 {
		return
	}
	s := b.s
	s.mu.Lock()
	t := s.live
	first := t.first.IsZero()
	if first {
		t.first = time.Now()
	}
	s.dirty = true
	for _, e := range b.writes {
		switch {
		case !s.opts.Memory:
			t.put(e)
		case e.dead:
			t.remove(e)
		default:
			t.keep(e)
		}
	}
	s.mu.Unlock()
	if first && !s.opts.Memory {
		s.wake()
	}
	b.Discard()
}

// Discard drops the writes of the batch.
func (b *Batch) Discard() {
	clear(b.writes)
	if cap(b.writes) > 4096 {
		b.writes = nil
	}
	b.writes = b.writes[:0]
	b.index = nil
}
