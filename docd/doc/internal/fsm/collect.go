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

// trash are keys that nobody looks for any more: the documents of a collection, or the entries of an index.
type trash struct {
	key  []byte // kindTrash, then what the keys begin with
	mark []byte // below it nothing is left
}

// Garbage reports whether there are keys for OpDocCollect. Any goroutine may call it.
func (m *Machine) Garbage() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.trash) > 0
}

// addTrash notes what the store has been told of. key is kept.
func (m *Machine) addTrash(key, mark []byte) {
	i, _ := slices.BinarySearchFunc(m.trash, key, func(t trash, key []byte) int { return bytes.Compare(t.key, key) })
	m.trash = slices.Insert(m.trash, i, trash{key: key, mark: mark})
}

// collect serves OpDocCollect. Num is the number of keys removed.
func collect(m *Machine, c *replica.Command, ans *wire.Response) error {
	limit, err := wire.TakeLimit(c.Body, CollectLimit)
	if err != nil || len(m.trash) == 0 {
		return err
	}
	t := m.begin(c)
	x := m.trash[0]
	n, mark, err := t.collectSome(&x, limit)
	if err != nil {
		return fmt.Errorf("collecting: %w", err)
	}
	if mark != nil {
		t.b.Set(x.key, nil, mark)
	} else {
		t.b.Delete(x.key)
	}
	t.commit()
	m.mu.Lock()
	if mark != nil {
		m.trash[0].mark = mark
	} else {
		m.trash = slices.Delete(m.trash, 0, 1)
	}
	m.mu.Unlock()
	ans.Num, ans.Rev = int64(n), c.Revision
	return nil
}

// collectSome deletes at most limit keys. If there are more it returns where the next piece begins, so that that need not pass over
// what this one has deleted.
func (t *tx) collectSome(x *trash, limit int) (n int, mark []byte, err error) {
	from, to := x.key[1:], keys.After(x.key[1:])
	if len(x.mark) > 0 {
		from = x.mark
	}
	v := t.m.st.View()
	defer v.Close()
	err = v.Iterate(from, to, store.IterOptions{HeadsOnly: true}, func(key []byte, _ store.Value) bool {
		if n == limit {
			mark = bytes.Clone(key)
			return false
		}
		n++
		t.remove(key)
		return true
	})
	return n, mark, err
}
