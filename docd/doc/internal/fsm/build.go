package fsm

import (
	"fmt"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// build serves OpDocBuild: the index that has been building for longest is given the next documents of its collection. Num is how
// many, or 1 if only the state of the index has changed. A document that cannot be in the index, and two that it may not have
// both, end the build.
func build(m *Machine, c *replica.Command, ans *wire.Response) error {
	limit, err := wire.TakeLimit(c.Body, BuildLimit)
	if err != nil || len(m.building) == 0 {
		return err
	}
	w := m.building[0]
	t := m.begin(c)
	s := t.stage(&wire.DocName{DB: []byte(w.db), Coll: []byte(w.name)})
	p := piece{t: t, s: s, place: s.now.place(w.iid), limit: limit}
	if err := p.run(); err != nil {
		return err
	}
	t.commit()
	ans.Num, ans.Rev = int64(max(p.seen, 1)), c.Revision
	return nil
}

// piece is a part of a build.
type piece struct {
	t     *tx
	s     *stage
	place int
	limit int

	seen   int
	bytes  int
	cursor []byte
	more   bool
	failed *wire.Error // why the build has failed
	fault  error
}

func (p *piece) run() error {
	t := p.t
	ix := p.s.now.Indexes[p.place]
	from := append(keys.Append(nil, kindDocument, p.s.now.ID), ix.cursor...)
	if len(ix.cursor) > 0 {
		from = append(from, 0) // the first key behind it
	}
	to := keys.After(keys.Append(nil, kindDocument, p.s.now.ID))
	v := t.m.st.View()
	defer v.Close()
	err := v.Iterate(from, to, store.IterOptions{}, p.document)
	if err == nil {
		err = p.fault
	}
	if err != nil {
		return fmt.Errorf("building an index: %w", err)
	}
	if p.failed != nil {
		t.fail(p.s, p.place, p.failed)
		return nil
	}
	p.s.sized = true
	t.alter(p.s, p.place, func(ix *Index) {
		ix.Seen += uint64(p.seen)
		ix.cursor = p.cursor
		if !p.more {
			ix.State, ix.cursor = wire.DocIndexReady, nil
		}
	})
	return nil
}

// document adds a document's entries. It returns whether to go on.
func (p *piece) document(key []byte, v store.Value) bool {
	t := p.t
	if p.seen == p.limit || p.seen > 0 && p.bytes+len(v.Body) > buildBytes {
		p.more = true
		return false
	}
	t.id = append(t.id[:0], key[prefixSize:]...)
	t.plan, t.arena, t.marks = t.plan[:0], t.arena[:0], t.marks[:0]
	if err := t.planIndex(p.s, p.place, nil, v.Body); err != nil {
		if e, ok := answerOf(err); ok {
			p.failed = e
		} else {
			p.fault = err
		}
		return false
	}
	if t.tooLarge(true) {
		p.more = true
		return false
	}
	if p.fault = t.write(p.s); p.fault != nil {
		return false
	}
	p.seen++
	p.bytes += len(v.Body)
	p.cursor = append(p.cursor[:0], t.id...)
	return true
}
