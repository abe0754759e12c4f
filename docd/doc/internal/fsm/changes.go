package fsm

import (
	"bytes"
	"fmt"
	"sort"

	"github.com/skshohagmiah/flin/pkg/store"
)

// recent are the newest chunks. Who follows the changes as they come reads them here: the keys of the store need not be put in order for
// that, and no value is read.
type recent struct {
	from   Place // all chunks behind it are here
	chunks []Chunk
	bytes  int
	newest uint64 // the revision of the last command that has recorded something, or altered what is recorded; 0: there has been none
}

// Bounds of recent.
const (
	recentChunks = 8192
	recentBytes  = 8 << 20
)

func (r *recent) reset(from Place) { *r = recent{from: from} }

func (r *recent) add(c Chunk) {
	r.chunks, r.newest = append(r.chunks, c), c.Last.Rev
	r.bytes += len(c.Events)
	for len(r.chunks) > recentChunks || r.bytes > recentBytes {
		old := &r.chunks[0]
		r.from = old.Last
		r.bytes -= len(old.Events)
		*old = Chunk{}
		r.chunks = r.chunks[1:]
	}
}

// behind returns the chunks behind a place. ok is false if they are not all here.
func (r *recent) behind(p Place) (chunks []Chunk, ok bool) {
	if p.Before(r.from) {
		return nil, false
	}
	i := sort.Search(len(r.chunks), func(i int) bool { return p.Before(r.chunks[i].Last) })
	return r.chunks[i:], true
}

// Newest returns the newest revision that can be read here: it, and those before it, change nothing more. Any goroutine may call it.
func (m *Machine) Newest() uint64 {
	rev := m.st.Applied().Revision
	m.mu.RLock()
	defer m.mu.RUnlock()
	// The entry under way is not counted among those applied, but what it has done can be seen.
	return max(rev, m.recent.newest)
}

// Changes appends to list the chunks behind a place, in their order: about most bytes of them, but at least one. The events of the first
// may lie before the place. more says that there may be others; without it all changes up to revision rev have been given. Whether
// those before the first have been trimmed is for Kept to say. Any goroutine may call it.
func (m *Machine) Changes(list []Chunk, from Place, most int) (out []Chunk, rev uint64, more bool, err error) {
	rev = m.st.Applied().Revision // before the chunks are looked for, so that none is missing
	m.mu.RLock()
	installs := m.installs
	if m.st.Installs() != installs {
		m.mu.RUnlock()
		return list, nothing(from), false, nil
	}
	chunks, ok := m.recent.behind(from)
	for i := range chunks {
		if most <= 0 {
			more = true
			break
		}
		list = append(list, chunks[i])
		most -= len(chunks[i].Events)
	}
	m.mu.RUnlock()
	if ok {
		return list, rev, more, nil
	}
	if list, rev, more, err = m.stored(list, from, most); err == nil && m.st.Installs() != installs {
		return list[:0], nothing(from), false, nil
	}
	return list, rev, more, err
}

// nothing is the revision up to which a watch has been given everything that is at a place: where a snapshot has come into the place of
// everything, and memory has not been renewed yet, what there is now cannot be told. Reset wakes those who watch.
func nothing(at Place) uint64 { return at.Rev - 1 }

// stored is Changes for a place that recent does not reach back to.
func (m *Machine) stored(list []Chunk, from Place, most int) (out []Chunk, rev uint64, more bool, err error) {
	v := m.st.View()
	defer v.Close()
	var failed error
	low := append(appendPlace(nil, from), 0) // the first key behind it
	err = v.Iterate(low, []byte{kindChange + 1}, store.IterOptions{}, func(key []byte, v store.Value) bool {
		if more = most <= 0; more {
			return false
		}
		c := Chunk{Events: bytes.Clone(v.Body)}
		if c.Last, failed = readPlace(key); failed != nil {
			return false
		}
		list = append(list, c)
		most -= len(c.Events)
		return true
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return list, 0, false, fmt.Errorf("doc: reading recorded changes: %w", err)
	}
	return list, v.Position().Revision, more, nil
}
