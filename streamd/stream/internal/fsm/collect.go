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

// trash are keys that nobody sees any more: all that a topic had, or the offsets of a group in a topic.
type trash struct {
	key  []byte // kindTrash, tid, and for the offsets of a group its gid
	mark []byte // below it nothing is left
}

// Garbage reports whether deleted topics or groups have left keys for OpStreamCollect. Any goroutine may call it.
func (m *Machine) Garbage() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.trash) > 0
}

// discard puts keys aside for OpStreamCollect. key is kept.
func (m *Machine) discard(b *store.Batch, key []byte) {
	i, _ := slices.BinarySearchFunc(m.trash, key, func(t trash, key []byte) int { return bytes.Compare(t.key, key) })
	m.trash = slices.Insert(m.trash, i, trash{key: key})
	b.Set(key, nil, nil)
}

// prefixes lists what the keys begin with that are to go, in order.
func (t *trash) prefixes() (list [][]byte) {
	const ofTopic = 1 + 8
	if len(t.key) > ofTopic {
		return [][]byte{append([]byte{kindOffset}, t.key[1:]...)}
	}
	for _, kind := range topicKinds {
		list = append(list, append([]byte{kind}, t.key[1:]...))
	}
	return list
}

// collect serves OpStreamCollect. Num is the number of keys removed.
func collect(m *Machine, c *replica.Command, ans *wire.Response) error {
	limit, err := wire.TakeLimit(c.Body, CollectLimit)
	if err != nil || len(m.trash) == 0 {
		return err
	}
	t := m.trash[0]
	m.mu.Unlock() // nobody else writes
	n, mark, err := m.collectSome(&t, limit)
	m.mu.Lock()
	if err != nil {
		return fmt.Errorf("collecting: %w", err)
	}
	ans.Num, ans.Rev = int64(n), c.Revision
	if mark != nil {
		m.trash[0].mark = mark
	} else {
		m.trash = slices.Delete(m.trash, 0, 1)
	}
	return nil
}

// collectSome deletes at most limit keys. If there are more it returns where the next piece begins, so that that need not pass over
// what this one has deleted.
func (m *Machine) collectSome(t *trash, limit int) (n int, mark []byte, err error) {
	b := m.st.Begin()
	v := m.st.View()
	defer v.Close()
	for _, prefix := range t.prefixes() {
		from, to := prefix, keys.After(prefix)
		if bytes.Compare(t.mark, from) > 0 {
			from = t.mark
		}
		if to != nil && bytes.Compare(from, to) >= 0 {
			continue
		}
		err := v.Iterate(from, to, store.IterOptions{HeadsOnly: true}, func(key []byte, _ store.Value) bool {
			if n == limit {
				mark = bytes.Clone(key)
				return false
			}
			n++
			b.Delete(key)
			return true
		})
		if err != nil {
			return 0, nil, err
		}
		if mark != nil {
			break
		}
	}
	if mark != nil {
		b.Set(t.key, nil, mark)
	} else {
		b.Delete(t.key)
	}
	b.Commit()
	return n, mark, nil
}
