package fsm

import (
	"bytes"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// lcsTables is how many reads may build the table of an LCS at once: each may take four bytes for every one of
// maxLCSCells.
const lcsTables = 2

// lcs serves OpKVLCS by dynamic programming, as Redis does: time and memory go with the product of the two lengths,
// which is bounded for one command.
func lcs(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVLCS
	if err := m.Decode(body); err != nil {
		return err
	}
	switch {
	case m.DB >= wire.KVDatabases:
		return errDB
	case m.Flags&^(wire.LCSLen|wire.LCSIdx) != 0:
		return errSyntax
	case m.Flags == wire.LCSLen|wire.LCSIdx:
		return errLCSFlags
	}
	a, b, err := tx.two(m.DB, m.A, m.B)
	if err != nil || tx.rehearsal {
		return err
	}
	cells := (len(a) + 1) * (len(b) + 1)
	if cells > maxLCSCells-tx.cells {
		return errLCSMemory
	}
	tx.cells += cells
	if m.Flags&wire.LCSLen != 0 {
		ans.Num = lcsLen(a, b)
		return nil
	}
	if tx.clock != nil {
		// Beside the log many connections may ask at once; the log does one command after the other.
		tx.m.tables <- struct{}{}
		defer func() { <-tx.m.tables }()
	}
	t := lcsTable(a, b)
	if m.Flags&wire.LCSIdx != 0 {
		ans.Num, tx.out = t.matches(tx.out[:0], m.MinLen)
	} else {
		tx.out = t.subsequence(tx.out[:0])
	}
	ans.Body = tx.out
	return nil
}

// two reads two values of one moment; a missing one is empty.
func (tx *Tx) two(db byte, x, y []byte) (a, b []byte, err error) {
	if err := checkKeys([][]byte{x, y}); err != nil {
		return nil, nil, err
	}
	s, whole := tx.r.(*store.Store)
	if !whole {
		p, err := tx.at(0, db, x)
		if err != nil {
			return nil, nil, err
		}
		if _, a, _, err = tx.load(0, p); err != nil {
			return nil, nil, err
		}
		if p, err = tx.at(1, db, y); err != nil {
			return nil, nil, err
		}
		_, b, _, err = tx.load(1, p)
		return a, b, err
	}
	var vals [2][]byte
	err = tx.readMany(s, db, [][]byte{x, y}, func(i int, v store.Value, ok bool) error {
		if !ok {
			return nil
		}
		var h header
		if err := h.decode(v.Head); err != nil {
			return err
		}
		gone, err := tx.gone(h.expires)
		if err != nil || gone {
			return err
		}
		vals[i] = bytes.Clone(v.Body)
		return tx.touch(len(v.Body))
	})
	return vals[0], vals[1], err
}

// lcsLen works out the length alone: two rows are enough.
func lcsLen(a, b []byte) int64 {
	above, row := make([]uint32, len(b)+1), make([]uint32, len(b)+1)
	for _, c := range a {
		for j, d := range b {
			if c == d {
				row[j+1] = above[j] + 1
			} else {
				row[j+1] = max(above[j+1], row[j])
			}
		}
		above, row = row, above
	}
	return int64(above[len(b)])
}

// lcsTab holds the length of the longest common subsequence of every pair of beginnings.
type lcsTab struct {
	a, b []byte
	n    []uint32 // row by row, len(b)+1 in each
}

func lcsTable(a, b []byte) *lcsTab {
	w := len(b) + 1
	t := &lcsTab{a: a, b: b, n: make([]uint32, (len(a)+1)*w)}
	for i := range a {
		above, row := t.n[i*w:(i+1)*w], t.n[(i+1)*w:(i+2)*w]
		for j := range b {
			if a[i] == b[j] {
				row[j+1] = above[j] + 1
			} else {
				row[j+1] = max(above[j+1], row[j])
			}
		}
	}
	return t
}

// back steps from the pair of beginnings (i, j), whose last bytes differ, towards the longer subsequence.
func (t *lcsTab) back(i, j int) (int, int) {
	w := len(t.b) + 1
	if t.n[(i-1)*w+j] > t.n[i*w+j-1] {
		return i - 1, j
	}
	return i, j - 1
}

func (t *lcsTab) subsequence(out []byte) []byte {
	n := int(t.n[len(t.n)-1])
	out = append(out, make([]byte, n)...)
	for i, j := len(t.a), len(t.b); i > 0 && j > 0; {
		if t.a[i-1] != t.b[j-1] {
			i, j = t.back(i, j)
			continue
		}
		i, j, n = i-1, j-1, n-1
		out[n] = t.a[i]
	}
	return out
}

// matches appends the runs that the subsequence is made of, last first, and returns its length.
func (t *lcsTab) matches(out []byte, minLen uint64) (int64, []byte) {
	i, j := len(t.a), len(t.b)
	for i > 0 && j > 0 {
		if t.a[i-1] != t.b[j-1] {
			i, j = t.back(i, j)
			continue
		}
		endA, endB := i-1, j-1
		for i > 0 && j > 0 && t.a[i-1] == t.b[j-1] {
			i, j = i-1, j-1
		}
		size := uint64(endA - i + 1)
		if size < minLen {
			continue
		}
		for _, n := range [...]int{i, endA, j, endB} {
			out = wire.AppendUvarint(out, uint64(n))
		}
		out = wire.AppendUvarint(out, size)
	}
	return int64(t.n[len(t.n)-1]), out
}
