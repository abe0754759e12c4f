package store

import (
	"bytes"
	"hash/maphash"
	"time"
)

// entry is one write that is in a table. It is never changed once it is there (but for next and over), so whoever found it may
// keep what it points to.
type entry struct {
	kh   []byte // key, then head
	body []byte // aliases the log entry, or is a copy with Options.Memory
	next *entry // of those with the same hash; guarded by Store.mu
	hash uint64
	klen uint32
	dead bool // a deletion
	over bool // a newer entry of the same key is in the same table; guarded by Store.mu until rotation
}

func (e *entry) key() []byte  { return e.kh[:e.klen:e.klen] }
func (e *entry) head() []byte { return e.kh[e.klen:] }

func (e *entry) value() Value {
	if e.dead {
		return Value{}
	}
	return Value{Head: e.head(), Body: e.body}
}

// size is how many bytes the entry holds.
func (e *entry) size() int64 { return int64(len(e.kh) + len(e.body)) }

// lsmSize is the most that the entry adds to a Badger transaction, by Badger's way of counting.
func (e *entry) lsmSize() int64 {
	n := int64(len(e.kh)) + lsmOverhead
	if len(e.body) <= maxInline {
		return n + int64(len(e.body))
	}
	return n + maxPointer
}

// table is what was written since some position: a hash index for point reads, the writes in the order they came, and,
// for those who ask, a tree in the order of keys. The live table is changed by the apply goroutine alone, under Store.mu;
// a rotated one never changes. The tree is filled by whoever scans, so that writing does not pay for order that nobody
// wants: it has one owner, order.
type table struct {
	index   map[uint64]*entry // newest entry of each key, chained by hash
	entries []*entry          // all that were put, oldest first; not with Options.Memory
	keys    int               // in index
	order   order

	written  int64     // bytes of all entries ever put, overwritten ones too: they are still referred to
	live     int64     // bytes of the entries that are there
	lsmBytes int64     // bound of what a flush puts into Badger
	first    time.Time // of the first write; zero for an empty table

	end  Position     // set by rotation: where the log is after the last write
	done []chan error // closed or failed when the table is durable
}

func newTable() *table {
	return &table{index: make(map[uint64]*entry), order: newOrder()}
}

// count is how many keys have an entry.
func (t *table) count() int { return t.keys }

// each calls fn for the newest entry of each key, in the order they came, until it returns false. For rotated tables.
func (t *table) each(fn func(*entry) bool) {
	for _, e := range t.entries {
		if !e.over && !fn(e) {
			return
		}
	}
}

// find returns the entry of a key, or nil. hash is the key's.
func (t *table) find(hash uint64, key []byte) *entry {
	e := t.index[hash]
	for e != nil && !bytes.Equal(e.key(), key) {
		e = e.next
	}
	return e
}

// put adds e, or puts it in the place of the entry of the same key.
func (t *table) put(e *entry) {
	t.entries = append(t.entries, e)
	t.link(e)
}

// keep is put where the table is the whole store: there is no end to it, so the writes are not kept one by one.
func (t *table) keep(e *entry) {
	t.link(e)
	t.order.set(e)
}

func (t *table) link(e *entry) {
	t.written += e.size()
	t.live += e.size()
	t.lsmBytes += e.lsmSize()
	if old := t.unlink(e.hash, e.key()); old != nil {
		t.live -= old.size()
		t.lsmBytes -= old.lsmSize()
		old.over = true
	} else {
		t.keys++
	}
	e.next = t.index[e.hash]
	t.index[e.hash] = e
}

// unlink takes a key's entry out of the hash index.
func (t *table) unlink(hash uint64, key []byte) *entry {
	var last *entry
	for e := t.index[hash]; e != nil; last, e = e, e.next {
		if !bytes.Equal(e.key(), key) {
			continue
		}
		if last != nil {
			last.next = e.next
		} else if e.next != nil {
			t.index[hash] = e.next
		} else {
			delete(t.index, hash)
		}
		return e
	}
	return nil
}

// remove takes a key out: only where the table is the whole store does a deletion leave nothing behind.
func (t *table) remove(e *entry) {
	if old := t.unlink(e.hash, e.key()); old != nil {
		t.live -= old.size()
		t.keys--
		t.order.drop(old)
	}
}

// slab hands out entries and the memory of their keys a piece at a time: two allocations for some hundred writes. What it
// hands out lives as long as the table, which is flushed soon; so it is not for a table that is the store.
type slab struct {
	seed    maphash.Seed
	entries []entry
	bytes   []byte
	single  bool // each entry by itself
}

const (
	slabEntries = 128
	slabBytes   = 16 << 10
)

// new returns an entry with a copy of key and head, and the body as it is.
func (s *slab) new(key, head, body []byte, dead bool) *entry {
	n := len(key) + len(head)
	var e *entry
	if s.single {
		e = &entry{kh: make([]byte, 0, n)}
		body = bytes.Clone(body)
	} else {
		if len(s.entries) == 0 {
			s.entries = make([]entry, slabEntries)
		}
		e, s.entries = &s.entries[0], s.entries[1:]
		if len(s.bytes) < n {
			s.bytes = make([]byte, max(slabBytes, n))
		}
		e.kh, s.bytes = s.bytes[:0:n], s.bytes[n:]
	}
	e.kh = append(append(e.kh, key...), head...)
	e.klen = uint32(len(key))
	e.body = body
	e.dead = dead
	e.hash = maphash.Bytes(s.seed, key)
	return e
}
