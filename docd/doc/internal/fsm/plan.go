package fsm

import (
	"bytes"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// change is one entry of an index to write.
type change struct {
	place    int // of the index
	from, to int // of its key, in tx.arena
	dead     bool
}

// mark is what a write makes of an index besides its entries.
type mark struct {
	place    int
	multikey bool
	due      int64       // of a TTL index: when the earliest date that is new is due
	failed   *wire.Error // why its build has failed
}

// planIndex adds to the plan what changes in an index.
func (t *tx) planIndex(s *stage, place int, old, now bsoncore.Document) error {
	ix := s.now.Indexes[place]
	if old != nil && now != nil && ix.untouched(old, now) {
		return nil
	}
	planned, used := len(t.plan), len(t.arena)
	t.before.reset()
	if old != nil {
		// What was let in then is let in now.
		if _, err := t.keysOf(ix, old, &t.before); err != nil {
			return err
		}
	}
	t.behind.reset()
	multikey := false
	if now != nil {
		var err error
		if multikey, err = t.keysOf(ix, now, &t.behind); err != nil {
			return err
		}
	}
	due, err := t.compare(ix, place)
	if err == nil && ix.Unique() {
		err = t.checkUnique(s, ix, t.plan[planned:], now)
	}
	if err != nil {
		t.plan, t.arena = t.plan[:planned], t.arena[:used]
		return err
	}
	if multikey = multikey && !ix.Multikey; multikey || due != never {
		t.marks = append(t.marks, mark{place: place, multikey: multikey, due: due})
	}
	return nil
}

// untouched reports that two documents have the same keys in an index, since they have the same in all of its fields, to the last
// byte. It may say no where they have.
func (ix *Index) untouched(a, b bsoncore.Document) bool {
	if ix.filter != nil {
		return false
	}
	for _, f := range ix.Fields {
		name, _, _ := value.Cut(f.Path)
		v, _ := value.Get(a, name)
		w, _ := value.Get(b, name)
		if v.Type != w.Type || !bytes.Equal(v.Data, w.Data) {
			return false
		}
	}
	return true
}

// compare adds to the plan what one list of keys has and the other has not; both are in order. due is when the earliest date that is
// new is due.
func (t *tx) compare(ix *Index, place int) (due int64, err error) {
	due = never
	i, k := 0, 0
	for i < t.before.len() || k < t.behind.len() {
		c := 1
		switch {
		case i < t.before.len() && k < t.behind.len():
			c = bytes.Compare(t.before.at(i), t.behind.at(k))
		case i < t.before.len():
			c = -1
		}
		switch {
		case c == 0:
			i++
			k++
		case c < 0:
			t.planEntry(ix, place, t.before.at(i), true)
			i++
		default:
			key := t.behind.at(k)
			if len(key) > wire.MaxDocIndexKey {
				return never, errKeyTooLong(ix, len(key))
			}
			if ix.Flags&wire.DocIndexTTL != 0 {
				due = min(due, ix.dueBy(key))
			}
			t.planEntry(ix, place, key, false)
			k++
		}
	}
	return due, nil
}

func (t *tx) planEntry(ix *Index, place int, key []byte, dead bool) {
	from := len(t.arena)
	t.arena = append(keys.Append(t.arena, kindEntry, ix.ID), key...)
	if !ix.Unique() {
		t.arena = append(t.arena, t.id...)
	}
	t.plan = append(t.plan, change{place: place, from: from, to: len(t.arena), dead: dead})
}

// checkUnique refuses entries that another document has.
func (t *tx) checkUnique(s *stage, ix *Index, plan []change, now bsoncore.Document) error {
	for _, p := range plan {
		if p.dead {
			continue
		}
		v, there, err := t.b.Get(t.arena[p.from:p.to], t.other)
		if err != nil {
			return fmt.Errorf("reading an index: %w", err)
		}
		if there && !bytes.Equal(entryID(v), t.id) {
			return errDuplicate(s.now, ix.Name, keyText(now, ix.Fields))
		}
	}
	return nil
}
