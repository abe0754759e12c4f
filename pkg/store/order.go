package store

import (
	"bytes"
	"sync"

	"github.com/tidwall/btree"
)

// order is a table in the order of its keys.
type order struct {
	mu     sync.Mutex // guards what follows; taken after Store.mu where both are
	tree   *btree.BTreeG[*entry]
	upTo   int                   // of the table's entries, how many are in tree
	shared *btree.BTreeG[*entry] // a copy of tree as it is, for all who ask before it changes
}

func newOrder() order {
	return order{tree: btree.NewBTreeGOptions(func(a, b *entry) bool {
		return bytes.Compare(a.key(), b.key()) < 0
	}, btree.Options{NoLocks: true, Degree: 32})}
}

// snapshot returns a tree that later writes do not change, of the first entries of the table at least: where somebody
// else has asked since they were counted it may have more of them, but always those of whole commands. So with what is
// older than the table it is the store at one moment. Copies make later changes dearer, so one is shared by all who ask
// before the next.
func (o *order) snapshot(entries []*entry) *btree.BTreeG[*entry] {
	o.mu.Lock()
	defer o.mu.Unlock()
	for ; o.upTo < len(entries); o.upTo++ {
		o.shared = nil
		o.tree.Set(entries[o.upTo])
	}
	if o.shared == nil {
		o.shared = o.tree.Copy()
	}
	return o.shared
}

// set puts an entry into the tree at once. Apply goroutine, where the table is the whole store.
func (o *order) set(e *entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shared = nil
	o.tree.Set(e)
}

// drop takes an entry out of the tree. Apply goroutine, where the table is the whole store.
func (o *order) drop(e *entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shared = nil
	o.tree.Delete(e)
}
