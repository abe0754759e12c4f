package store

import (
	"errors"
	"math/rand/v2"

	"github.com/skshohagmiah/flin/pkg/store/internal/blob"
)

// How many keys of a flush are looked up before they are overwritten: all of a small flush, some of a large one.
const (
	sampleSets    = 2_000
	sampleDeletes = 20_000
)

// sample looks at what a table is about to overwrite. It keeps the estimates of living keys and dead bytes, and returns
// the deletions that need no tombstone since there is nothing to delete. Under flushMu.
func (s *Store) sample(t *table) (drop map[*entry]bool, err error) {
	deletes := 0
	t.each(func(e *entry) bool {
		if e.dead {
			deletes++
		}
		return true
	})
	sets := newStride(t.count()-deletes, sampleSets)
	dels := newStride(deletes, sampleDeletes)
	ep := s.epochs[len(s.epochs)-1]
	drop = make(map[*entry]bool)
	t.each(func(e *entry) bool {
		st := sets
		if e.dead {
			st = dels
		}
		if !st.take() {
			return true
		}
		was := record{kind: kindTombstone}
		found := false
		err = ep.lookup(e.key(), func(r *record) error {
			found, was = true, record{kind: r.kind, ptr: r.ptr}
			return nil
		})
		if err != nil {
			return false
		}
		s.account(e, &was, found, st.weight, drop)
		return true
	})
	return drop, err
}

// account notes what one looked-up write does, as many times as it stands for.
func (s *Store) account(e *entry, was *record, found bool, weight int64, drop map[*entry]bool) {
	living := found && was.kind != kindTombstone
	switch {
	case e.dead && !living:
		drop[e] = true
	case e.dead:
		s.space.count(-weight, weight)
	case !living && found:
		s.space.count(weight, -weight)
	case !living:
		s.space.count(weight, 0)
	}
	if was.kind == kindPointer {
		s.space.add(was.ptr.File, weight*blob.RecordSize(len(e.key()), int(was.ptr.Size)))
	}
}

// stride takes every n-th of a known number of things, from a random one on.
type stride struct {
	weight int64
	at     int64
}

func newStride(n, budget int) *stride {
	w := max(1, int64(n)/int64(budget))
	return &stride{weight: w, at: rand.Int64N(w)}
}

func (s *stride) take() bool {
	s.at++
	if s.at < s.weight {
		return false
	}
	s.at = 0
	return true
}

// recheck looks at random records of one blob file and corrects the estimate of its dead bytes if it is far off.
// Under flushMu.
func (s *Store) recheck(no uint32) error {
	s.space.mu.Lock()
	f := s.space.files[no]
	if f == nil || f.retired != 0 || f.size <= blob.First {
		s.space.mu.Unlock()
		return nil
	}
	size := f.size
	s.space.mu.Unlock()
	const tries = 32
	dead, seen := 0, 0
	ep := s.epochs[len(s.epochs)-1]
	for range tries {
		key, p, ok := s.base.blobs.Find(no, blob.First+rand.Int64N(size-blob.First))
		if !ok {
			continue
		}
		seen++
		current, err := leadsTo(ep, key, p)
		if err != nil {
			return err
		}
		if !current {
			dead++
		}
	}
	if seen < tries/2 {
		return nil
	}
	found := size * int64(dead) / int64(seen)
	s.space.mu.Lock()
	if f.dead > found+size/4 || f.dead < found-size/4 {
		f.dead = found
	}
	s.space.mu.Unlock()
	return nil
}

// leadsTo says whether a key's record points to p.
func leadsTo(ep *epoch, key []byte, p blob.Pointer) (current bool, err error) {
	err = ep.lookup(key, func(r *record) error {
		current = r.kind == kindPointer && r.ptr == p
		return nil
	})
	return current, err
}

// errCorrupt is what a damaged blob file makes a read fail with.
var errCorrupt = blob.ErrCorrupt

func isCorrupt(err error) bool { return errors.Is(err, errCorrupt) }
