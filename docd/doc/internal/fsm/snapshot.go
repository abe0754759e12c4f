package fsm

import (
	"maps"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/store"
)

// Snapshot is all collections at one moment. It must be closed: for what that costs see store.View. One goroutine at a time uses a
// Snapshot and the readers that it has opened.
type Snapshot struct {
	view      *store.View
	databases map[string]map[string]*Collection
}

// Snapshot returns all collections as they are now. Any goroutine may call it.
func (m *Machine) Snapshot() *Snapshot {
	for {
		m.mu.Lock()
		s, edition := &Snapshot{databases: m.databases}, m.edition
		m.shared = true
		m.mu.Unlock()
		s.view = m.st.View()
		// A command makes its changes to the store and to memory visible under mu. If nothing but documents has changed, the view was
		// taken while collections were as they are.
		m.mu.RLock()
		same := m.edition == edition
		m.mu.RUnlock()
		if same && m.fits() {
			return s
		}
		s.view.Close()
	}
}

// Open returns a reader of a collection as it was: of one that was not there, an empty one whose ID is 0.
func (s *Snapshot) Open(db, name []byte) *Reader {
	c := s.databases[string(db)][string(name)]
	if c == nil {
		c = &Collection{DB: string(db), Name: string(name), documents: new(atomic.Int64), bytes: new(atomic.Int64)}
	}
	return &Reader{Collection: c, view: s.view, lent: true}
}

// Revision is that of the newest command that the snapshot has for certain.
func (s *Snapshot) Revision() uint64 { return s.view.Position().Revision }

// Close gives the snapshot up, and with it its readers. A second call does nothing.
func (s *Snapshot) Close() { s.view.Close() }

// unshare begins a change of what collections there are: of a copy, if a Snapshot has what is there. Under mu.
func (m *Machine) unshare() {
	m.edition++
	if !m.shared {
		return
	}
	m.shared = false
	m.databases = maps.Clone(m.databases)
	for db, colls := range m.databases {
		m.databases[db] = maps.Clone(colls)
	}
}
