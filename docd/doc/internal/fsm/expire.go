package fsm

import (
	"bytes"
	"fmt"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// expire serves OpDocExpire: it removes documents whose time by a TTL index has come, index by index, the earliest first. Num is how
// many. An index that is skipped since nothing is due has nothing that is due in the store either: what memory knows is never late.
func expire(m *Machine, c *replica.Command, ans *wire.Response) error {
	limit, err := wire.TakeLimit(c.Body, ExpireLimit)
	if err != nil {
		return err
	}
	t := m.begin(c)
	v := m.st.View()
	defer v.Close()
	x := expiry{t: t, limit: limit}
	var settled []work
	for _, w := range m.expiring {
		if w.due > c.Time {
			continue
		}
		s := t.stage(&wire.DocName{DB: []byte(w.db), Coll: []byte(w.name)})
		if w.due, err = x.run(v, s, s.now.Indexes[s.now.place(w.iid)]); err != nil {
			return fmt.Errorf("expiring documents: %w", err)
		}
		settled = append(settled, w)
	}
	if x.removed > 0 {
		t.commit()
		ans.Num, ans.Rev = int64(x.removed), c.Revision
	}
	m.mu.Lock()
	for _, w := range settled {
		m.settle(w.iid, w.due)
	}
	m.mu.Unlock()
	return nil
}

// expiry is the work of one OpDocExpire.
type expiry struct {
	t       *tx
	limit   int
	removed int
}

// run removes what is due by an index. It returns when the first document is due that stays.
func (x *expiry) run(v *store.View, s *stage, ix *Index) (due int64, err error) {
	desc := ix.Fields[0].Desc
	prefix := keys.Append(nil, kindEntry, ix.ID)
	from := value.AppendMin(bytes.Clone(prefix), value.ClassDateTime, desc)
	to := value.AppendMax(bytes.Clone(prefix), value.ClassDateTime, desc)
	if desc {
		from, to = to, from
	}
	due = never
	ierr := v.Iterate(from, to, store.IterOptions{Reverse: desc}, func(entry []byte, val store.Value) bool {
		var key, id []byte
		if key, id, err = ix.split(entry, val); err != nil {
			return false
		}
		if due = ix.dueBy(key); due > x.t.c.Time || x.removed == x.limit {
			return false
		}
		var on bool
		on, err = x.document(s, id)
		if on && err == nil {
			due = never
		}
		return on && err == nil
	})
	if err == nil {
		err = ierr
	}
	return due, err
}

// document removes a document, unless the command has done so already. It returns whether to go on.
func (x *expiry) document(s *stage, id []byte) (bool, error) {
	t := x.t
	t.id = append(t.id[:0], id...)
	old, _, err := t.lookUp(s)
	if err != nil || old == nil {
		return true, err
	}
	switch err := t.replace(s, old, nil); err {
	case nil:
		x.removed++
		return true, nil
	case errLarge: //nolint:errorlint // replace returns it as it is
		return false, nil
	default:
		return false, err
	}
}
