package fsm

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// trash are keys that nobody sees any more.
type trash struct {
	key   []byte // kindTrash, qid, and for dedup ids the start of their bucket
	mark  []byte // below it nothing is left
	fresh bool   // put aside by this entry
}

// discard puts keys aside for OpQueueCollect.
func (m *Machine) discard(key []byte) {
	m.addTrash(trash{key: key, fresh: true})
	m.newTrash = append(m.newTrash, key)
}

func (m *Machine) addTrash(t trash) {
	i, _ := slices.BinarySearchFunc(m.trash, t.key, func(t trash, key []byte) int { return bytes.Compare(t.key, key) })
	m.trash = slices.Insert(m.trash, i, t)
}

// ranges lists the prefixes of the keys that are to go, in order.
func (t *trash) ranges() (list [][]byte) {
	if len(t.key) > 9 {
		return [][]byte{append([]byte{kindDedup}, t.key[1:]...)}
	}
	for _, kind := range ownKinds {
		list = append(list, append([]byte{kind}, t.key[1:]...))
	}
	return list
}

// collect serves OpQueueCollect. Num is the number of keys removed; with Rev set there is more.
func collect(m *Machine, c *replica.Command, ans *wire.Response) error {
	limit, err := wire.TakeLimit(c.Body, CollectLimit)
	if err != nil {
		return err
	}
	k := slices.IndexFunc(m.trash, func(t trash) bool { return !t.fresh })
	if k < 0 {
		if len(m.trash) > 0 {
			ans.Rev = c.Revision
		}
		return nil
	}
	t := &m.trash[k]
	m.mu.Unlock() // nobody else writes
	n, more, err := m.collectSome(t, limit)
	m.mu.Lock()
	if err != nil {
		return fmt.Errorf("collecting: %w", err)
	}
	ans.Num = int64(n)
	if !more {
		m.trash = slices.Delete(m.trash, k, k+1)
	}
	if n > 0 || len(m.trash) > 0 {
		ans.Rev = c.Revision
	}
	return nil
}

// collectSome deletes at most limit keys. It moves the mark, so that the next piece need not pass over what this one has
// deleted.
func (m *Machine) collectSome(t *trash, limit int) (n int, more bool, err error) {
	b := m.st.Begin()
	v := m.st.View()
	defer v.Close()
	var last []byte
	for _, prefix := range t.ranges() {
		from, to := prefix, keys.After(prefix)
		if bytes.Compare(t.mark, from) > 0 {
			from = t.mark
		}
		if to != nil && bytes.Compare(from, to) >= 0 {
			continue
		}
		err := v.Iterate(from, to, store.IterOptions{HeadsOnly: true}, func(key []byte, _ store.Value) bool {
			if n == limit {
				more = true
				return false
			}
			n++
			last = append(last[:0], key...)
			b.Delete(key)
			return true
		})
		if err != nil {
			return 0, false, err
		}
		if more {
			break
		}
	}
	if more {
		t.mark = append(bytes.Clone(last), 0)
		b.Set(t.key, nil, t.mark)
	} else {
		b.Delete(t.key)
	}
	b.Commit()
	return n, more, nil
}
