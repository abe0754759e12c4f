package store

import (
	"bytes"
	"fmt"

	"github.com/dgraph-io/badger/v4"
	"github.com/tidwall/btree"
)

// IterOptions shape an iteration.
type IterOptions struct {
	// Reverse goes from the last key below to down to from.
	Reverse bool
	// HeadsOnly leaves Value.Body nil and reads no blob file.
	HeadsOnly bool
}

// Iterate calls fn for the keys of [from, to) in order; nil is unbounded. fn ends it by returning false. key and v are
// valid during the call only.
func (v *View) Iterate(from, to []byte, o IterOptions, fn func(key []byte, v Value) bool) error {
	return v.walk(from, to, o.Reverse, func(it *item) (bool, error) {
		val, err := it.value(v.epoch, o.HeadsOnly)
		if err != nil {
			return false, err
		}
		return fn(it.key, val), nil
	})
}

// item is a living key that an iteration has come to.
type item struct {
	key []byte
	e   *entry // where it is in a table, or
	r   record // where it is on disk
	buf []byte // of the value on disk
}

func (it *item) head() []byte {
	if it.e != nil {
		return it.e.head()
	}
	return it.r.head
}

func (it *item) size() int {
	if it.e != nil {
		return len(it.e.body)
	}
	return it.r.size()
}

func (it *item) value(ep *epoch, headsOnly bool) (Value, error) {
	switch {
	case headsOnly:
		return Value{Head: it.head()}, nil
	case it.e != nil:
		return it.e.value(), nil
	case it.r.kind == kindInline:
		return Value{Head: it.r.head, Body: it.r.body}, nil
	}
	v, err := ep.read(it.key, &it.r, it.buf)
	if cap(v.Body) > cap(it.buf) {
		it.buf = make([]byte, 0, 2*cap(v.Body))
	}
	return v, err
}

// walk calls fn for each living key of [from, to). The item is one and the same each time.
func (v *View) walk(from, to []byte, reverse bool, fn func(it *item) (bool, error)) error {
	if to != nil && bytes.Compare(from, to) >= 0 {
		return nil
	}
	cursors := make([]cursor, 0, len(v.trees)+1)
	for _, t := range v.trees {
		cursors = append(cursors, newTreeCursor(t, from, to, reverse))
	}
	if v.epoch.base != nil {
		c := newDiskCursor(v.epoch, from, to, reverse, 0)
		defer c.close()
		cursors = append(cursors, c)
	}
	return merge(cursors, reverse, fn)
}

// foremost returns the cursor that comes next, the newest of equal ones, or -1 at the end.
func foremost(cursors []cursor, reverse bool) int {
	best := -1
	for i, c := range cursors {
		if !c.valid() {
			continue
		}
		if best < 0 {
			best = i
			continue
		}
		if n := bytes.Compare(c.key(), cursors[best].key()); n < 0 && !reverse || n > 0 && reverse {
			best = i
		}
	}
	return best
}

// merge calls fn for each living key of the cursors, of which earlier ones are newer.
func merge(cursors []cursor, reverse bool, fn func(it *item) (bool, error)) error {
	var it item
	for {
		best := foremost(cursors, reverse)
		if best < 0 {
			return nil
		}
		living, err := cursors[best].load(&it)
		if err != nil {
			return err
		}
		if living {
			if on, err := fn(&it); err != nil || !on {
				return err
			}
		}
		// What the others have of this key is older.
		for i, c := range cursors {
			if i != best && c.valid() && bytes.Equal(c.key(), it.key) {
				c.next()
			}
		}
		cursors[best].next()
	}
}

// cursor is one source of an iteration.
type cursor interface {
	valid() bool
	key() []byte
	// load puts what the cursor is at into it and says whether that is living. it.key is set in any case.
	load(it *item) (bool, error)
	next()
}

// treeCursor goes over a table.
type treeCursor struct {
	it      btree.IterG[*entry]
	from    []byte
	to      []byte
	reverse bool
	ok      bool
}

func newTreeCursor(t *btree.BTreeG[*entry], from, to []byte, reverse bool) *treeCursor {
	c := &treeCursor{it: t.Iter(), from: from, to: to, reverse: reverse}
	switch {
	case !reverse && from == nil:
		c.ok = c.it.First()
	case !reverse:
		c.ok = c.it.Seek(&entry{kh: from, klen: uint32(len(from))})
	case to == nil:
		c.ok = c.it.Last()
	default:
		// Seek stops at the first key that is not below to.
		if c.it.Seek(&entry{kh: to, klen: uint32(len(to))}) {
			c.ok = c.it.Prev()
		} else {
			c.ok = c.it.Last()
		}
	}
	c.check()
	return c
}

func (c *treeCursor) check() {
	if !c.ok {
		return
	}
	key := c.it.Item().key()
	if c.reverse {
		c.ok = bytes.Compare(key, c.from) >= 0
	} else {
		c.ok = c.to == nil || bytes.Compare(key, c.to) < 0
	}
}

func (c *treeCursor) valid() bool { return c.ok }
func (c *treeCursor) key() []byte { return c.it.Item().key() }

func (c *treeCursor) load(it *item) (bool, error) {
	it.e = c.it.Item()
	it.key = it.e.key()
	return !it.e.dead, nil
}

func (c *treeCursor) next() {
	if c.reverse {
		c.ok = c.it.Prev()
	} else {
		c.ok = c.it.Next()
	}
	c.check()
}

// diskCursor goes over the keys on disk.
type diskCursor struct {
	txn     *badger.Txn
	it      *badger.Iterator
	dir     string
	from    []byte
	to      []byte
	reverse bool
	ok      bool
}

// newDiskCursor goes over [from, to) as of the epoch; with since only over what was written after that flush.
func newDiskCursor(e *epoch, from, to []byte, reverse bool, since uint64) *diskCursor {
	c := &diskCursor{dir: e.base.dir, from: from, to: to, reverse: reverse}
	low := appendUserKey(nil, from)
	high := []byte{userPrefix + 1}
	if to != nil {
		high = appendUserKey(nil, to)
	}
	n := 0
	for n < len(low) && n < len(high) && low[n] == high[n] {
		n++
	}
	c.txn = e.base.db.NewTransactionAt(e.number, false)
	c.it = c.txn.NewIterator(badger.IteratorOptions{Prefix: low[:n:n], Reverse: reverse, SinceTs: since})
	if reverse {
		c.it.Seek(high)
		if c.it.Valid() && bytes.Equal(c.it.Item().Key(), high) {
			c.it.Next()
		}
	} else {
		c.it.Seek(low)
	}
	c.check()
	return c
}

func (c *diskCursor) check() {
	if c.ok = c.it.Valid(); !c.ok {
		return
	}
	key := c.it.Item().Key()
	if key[0] != userPrefix {
		c.ok = false
		return
	}
	if c.reverse {
		c.ok = bytes.Compare(key[1:], c.from) >= 0
	} else {
		c.ok = c.to == nil || bytes.Compare(key[1:], c.to) < 0
	}
}

func (c *diskCursor) valid() bool { return c.ok }
func (c *diskCursor) key() []byte { return c.it.Item().Key()[1:] }

func (c *diskCursor) load(it *item) (bool, error) {
	it.e = nil
	it.key = c.key()
	var err error
	verr := c.it.Item().Value(func(b []byte) error {
		it.r, err = parseRecord(b)
		return err
	})
	if verr != nil {
		return false, fmt.Errorf("reading the key tree in %s: %w", c.dir, verr)
	}
	return it.r.kind != kindTombstone, nil
}

func (c *diskCursor) next() {
	c.it.Next()
	c.check()
}

// close gives back the iterator. The transaction must outlive it.
func (c *diskCursor) close() {
	c.it.Close()
	c.txn.Discard()
}
