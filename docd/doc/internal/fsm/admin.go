package fsm

import (
	"slices"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// createCollection serves OpDocCreate.
func createCollection(m *Machine, c *replica.Command, ans *wire.Response) error {
	n := &m.p.name
	if err := n.Decode(c.Body); err != nil {
		return err
	}
	t := m.begin(c)
	s := t.stage(n)
	if s.now != nil {
		return nil
	}
	if err := t.create(s); err != nil {
		return err
	}
	t.commit()
	ans.Num, ans.Rev = 1, c.Revision
	return nil
}

// dropCollections serves OpDocDrop.
func dropCollections(m *Machine, c *replica.Command, ans *wire.Response) error {
	n := &m.p.name
	if err := n.Decode(c.Body); err != nil {
		return err
	}
	t := m.begin(c)
	if len(n.Coll) > 0 {
		t.stage(n)
	} else {
		for _, coll := range m.sorted(string(n.DB)) {
			t.stage(&wire.DocName{DB: n.DB, Coll: []byte(coll.Name)})
		}
	}
	for _, s := range t.stages {
		if s.now == nil {
			continue
		}
		t.drop(s)
		ans.Num++
	}
	if ans.Num > 0 {
		t.commit()
		ans.Rev = c.Revision
	}
	return nil
}

// drop removes a collection. What it has is collected later.
func (t *tx) drop(s *stage) {
	c := s.now
	t.key = appendNameKey(t.key[:0], c.DB, c.Name)
	t.remove(t.key)
	t.key = keys.Append(t.key[:0], kindSize, c.ID)
	t.remove(t.key)
	t.discard(kindDocument, c.ID)
	for _, ix := range c.Indexes {
		t.forgetIndex(c, ix)
	}
	s.now = nil
	if s.feeds {
		t.note(s, wire.DocEventDrop, nil, nil)
	}
}

// forgetIndex removes what is known of an index and puts its entries aside, unless that has been done when its build failed.
func (t *tx) forgetIndex(c *Collection, ix *Index) {
	t.key = keys.Append(t.key[:0], kindIndex, c.ID, ix.ID)
	t.remove(t.key)
	if ix.State != wire.DocIndexFailed {
		t.discard(kindEntry, ix.ID)
	}
}

// dropIndex serves OpDocDropIndex.
func dropIndex(m *Machine, c *replica.Command, ans *wire.Response) error {
	d := &m.p.drop
	if err := d.Decode(c.Body); err != nil {
		return err
	}
	t := m.begin(c)
	s := t.stage(&d.Name)
	if s.now == nil {
		return errNoCollection(&d.Name)
	}
	all := string(d.Index) == "*"
	for i := len(s.now.Indexes) - 1; i >= 0; i-- {
		if all || s.now.Indexes[i].Name == string(d.Index) {
			t.takeIndex(s, i)
			ans.Num++
		}
	}
	if ans.Num == 0 && !all {
		return errNoIndex(s.now, d.Index)
	}
	if ans.Num > 0 {
		t.commit()
		ans.Rev = c.Revision
	}
	return nil
}

// takeIndex takes an index out of a collection.
func (t *tx) takeIndex(s *stage, place int) {
	t.forgetIndex(s.now, s.now.Indexes[place])
	c := *s.now
	c.Indexes = slices.Delete(slices.Clone(c.Indexes), place, place+1)
	s.now, s.sized = &c, true
	s.entries = slices.Delete(s.entries, place, place+1)
	s.due = slices.Delete(s.due, place, place+1)
}
