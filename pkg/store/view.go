package store

import (
	"slices"
	"sync"

	"github.com/tidwall/btree"
)

// View is the store at one moment. Views are counted: an open one keeps what it needs from being removed, so it must be
// closed, and before the Store is. One goroutine at a time uses a View.
type View struct {
	s     *Store
	trees []*btree.BTreeG[*entry] // newest first; immutable while the view is open
	epoch *epoch
	pos   Position
	close sync.Once
}

// View returns the store as it is now, for the scans of one request. Any goroutine may call it. It puts what was written
// since the last one in order: for point reads use Get and GetMany.
func (s *Store) View() *View {
	s.mu.RLock()
	v := &View{s: s, epoch: s.cur.acquire(), pos: s.applied}
	tables, live := append([]*table{s.live}, s.newestQueued()...), s.live.entries
	s.mu.RUnlock()
	v.add(tables, live)
	return v
}

// newestQueued returns the rotated tables, newest first. Under Store.mu.
func (s *Store) newestQueued() []*table {
	tables := slices.Clone(s.queue)
	slices.Reverse(tables)
	return tables
}

// add puts tables into the view, newest first. live are the entries that the first of them had when the view was made;
// the others do not change any more.
func (v *View) add(tables []*table, live []*entry) {
	for i, t := range tables {
		entries := live
		if i > 0 {
			entries = t.entries
		}
		if len(entries) > 0 || v.s.opts.Memory {
			v.trees = append(v.trees, t.order.snapshot(entries))
		}
	}
}

// PinFlushed returns the store as the last finished flush left it: no table, disk alone. It may stay open for long. With
// Options.Memory it is a copy of the table.
func (s *Store) PinFlushed() *View {
	if s.opts.Memory {
		return s.pinMemory()
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return &View{s: s, epoch: s.cur.acquire(), pos: s.cur.pos}
}

// pinMemory copies the table between two entries, so that the copy's position is exact.
func (s *Store) pinMemory() *View {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.dirty && !s.stopped {
		s.room.Wait()
	}
	return &View{s: s, trees: []*btree.BTreeG[*entry]{s.live.order.snapshot(nil)}, epoch: s.cur.acquire(), pos: s.applied}
}

// Position says how far in the log the view is: with PinFlushed exactly, with View at least.
func (v *View) Position() Position { return v.pos }

// Close gives the view up. A second call does nothing.
func (v *View) Close() { v.close.Do(v.epoch.release) }

// Get reads a key as of the view. The rules of Store.Get hold.
func (v *View) Get(key, buf []byte) (Value, bool, error) {
	if len(v.trees) > 0 {
		probe := entry{kh: key, klen: uint32(len(key))}
		for _, t := range v.trees {
			if e, ok := t.Get(&probe); ok {
				return e.value(), !e.dead, nil
			}
		}
	}
	return v.epoch.get(key, buf)
}
