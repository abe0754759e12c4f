package fsm

import (
	"cmp"
	"math"
	"slices"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// never is a time that does not come.
const never = int64(math.MaxInt64)

// publish puts a collection as a command has left it in the place of what was. Under mu.
func (m *Machine) publish(s *stage) {
	if s.now != s.was {
		m.exchange(s.was, s.now)
		m.note(cmp.Or(s.now, s.was))
	}
	if s.now == nil || !s.sized {
		return
	}
	s.now.documents.Store(s.docs)
	s.now.bytes.Store(s.bytes)
	for i, ix := range s.now.Indexes {
		ix.entries.Store(s.entries[i])
		if s.due[i] != never {
			m.hasten(ix.ID, s.due[i])
		}
	}
}

// exchange makes a collection known in the place of what it was. Either may be nil.
func (m *Machine) exchange(was, now *Collection) {
	m.unshare()
	if was != nil {
		for _, ix := range was.Indexes {
			removeWork(&m.building, ix.ID)
			if now == nil || now.place(ix.ID) < 0 {
				removeWork(&m.expiring, ix.ID)
			}
		}
	}
	switch {
	case now != nil:
		m.enlist(now)
	case was != nil:
		m.collections--
		colls := m.databases[was.DB]
		if delete(colls, was.Name); len(colls) == 0 {
			delete(m.databases, was.DB)
		}
	}
}

// enlist makes a collection known, and what is to be done about its indexes. Of a TTL index that is new here it is not known when
// the first document is due, so one is to look.
func (m *Machine) enlist(c *Collection) {
	colls := m.databases[c.DB]
	if colls == nil {
		colls = map[string]*Collection{}
		m.databases[c.DB] = colls
	}
	if colls[c.Name] == nil {
		m.collections++
	}
	colls[c.Name] = c
	for _, ix := range c.Indexes {
		switch {
		case ix.State == wire.DocIndexBuilding:
			addWork(&m.building, work{iid: ix.ID, db: c.DB, name: c.Name})
		case ix.Ready() && ix.Flags&wire.DocIndexTTL != 0:
			addWork(&m.expiring, work{iid: ix.ID, db: c.DB, name: c.Name})
		}
	}
}

func byIID(w work, iid uint64) int { return cmp.Compare(w.iid, iid) }

// addWork adds an index unless it is there.
func addWork(list *[]work, w work) {
	if i, ok := slices.BinarySearchFunc(*list, w.iid, byIID); !ok {
		*list = slices.Insert(*list, i, w)
	}
}

func removeWork(list *[]work, iid uint64) {
	if i, ok := slices.BinarySearchFunc(*list, iid, byIID); ok {
		*list = slices.Delete(*list, i, i+1)
	}
}

// hasten notes that a document of a TTL index is due at a time, unless one is earlier.
func (m *Machine) hasten(iid uint64, at int64) {
	if i, ok := slices.BinarySearchFunc(m.expiring, iid, byIID); ok {
		m.expiring[i].due = min(m.expiring[i].due, at)
	}
}

// settle notes when the first document of a TTL index is due.
func (m *Machine) settle(iid uint64, at int64) {
	if i, ok := slices.BinarySearchFunc(m.expiring, iid, byIID); ok {
		m.expiring[i].due = at
	}
}

// Building reports whether an index is to be built: an OpDocBuild. Any goroutine may call it.
func (m *Machine) Building() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.building) > 0
}

// ExpireDue is when, in ms since 1970, an OpDocExpire may have something to do: math.MaxInt64 is never as far as is known now. Any
// goroutine may call it.
func (m *Machine) ExpireDue() int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	at := never
	for i := range m.expiring {
		at = min(at, m.expiring[i].due)
	}
	return at
}
