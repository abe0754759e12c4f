package fsm

import (
	"fmt"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// TrimDue reports whether an OpDocTrim would have something to do. Any goroutine may call it.
func (m *Machine) TrimDue(before int64, most uint64) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.record.due(before, most)
}

func (r *record) due(before int64, most uint64) bool {
	return r.chunks > 0 && (r.oldest < before || r.bytes > most)
}

// trim serves OpDocTrim.
func trim(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.trim
	if err := p.Decode(c.Body); err != nil {
		return err
	}
	if !m.record.due(p.Before, p.Bytes) {
		return nil
	}
	t := m.begin(c)
	n, err := t.trim(p.Before, p.Bytes, int(min(max(p.Limit, 1), TrimLimit)))
	if err != nil {
		return fmt.Errorf("trimming recorded changes: %w", err)
	}
	if n > 0 {
		t.commit()
		ans.Num, ans.Rev = int64(n), c.Revision
	}
	return nil
}

// trim removes at most limit chunks. It begins at the floor, so that it need not pass over what has been removed before.
func (t *tx) trim(before int64, most uint64, limit int) (n int, err error) {
	r := &t.taking.record
	v := t.m.st.View()
	defer v.Close()
	r.oldest = never
	ierr := v.Iterate(append(appendPlace(nil, r.floor), 0), []byte{kindChange + 1}, store.IterOptions{HeadsOnly: true}, func(key []byte, v store.Value) bool {
		var size uint64
		if r.oldest, size, err = readChunkHead(v.Head); err != nil || n == limit || !r.due(before, most) {
			return false
		}
		if r.floor, err = readPlace(key); err != nil {
			return false
		}
		r.chunks--
		r.bytes -= size
		r.oldest = never
		n++
		t.remove(key)
		return true
	})
	if err == nil {
		err = ierr
	}
	return n, err
}
