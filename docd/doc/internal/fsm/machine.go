package fsm

import (
	"fmt"
	"sync"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Options shape a Machine. The hooks are called on the apply goroutine, from Applied, and must not call back.
type Options struct {
	// OnCollection is called once for each collection of which the entry has changed what is known besides its documents: that
	// it is there, its indexes and how far they are built.
	OnCollection func(db, name string)
	// OnChanges is called when the entry has recorded changes, or altered what is recorded.
	OnChanges func()
}

// Machine applies the commands of the log to the collections in a store. Apply, Applied and Reset are called by one
// goroutine, the apply goroutine; everything else may be called by any.
type Machine struct {
	st *store.Store
	o  Options

	// mu guards what memory has of collections. The apply goroutine reads without it, and holds it for as long as a command
	// makes its changes visible, in the store and here; readers never read the store under it.
	mu          sync.RWMutex
	databases   map[string]map[string]*Collection
	installs    uint64 // of the store, when all this was read from it
	edition     uint64 // of databases: each change makes another
	shared      bool   // a Snapshot has databases: the next change is made to a copy
	collections int
	building    []work  // indexes that are being built, by number
	expiring    []work  // TTL indexes that are ready, by number
	trash       []trash // by key
	feeds       feeds
	record      record // of changes
	recent      recent // likewise

	changed  []*Collection // by the entry under way, for OnCollection
	recorded bool          // likewise, for OnChanges
	tx       tx            // of the apply goroutine
	p        payloads      // likewise
	out      []byte        // likewise, of answers
	pool     sync.Pool     // of *payloads
	keys     sync.Pool     // of *[]byte, keys that readers make
}

// work is an index that the engine has to do something about.
type work struct {
	iid      uint64
	db, name string
	due      int64 // of a TTL index: no document is due before, in ms since 1970
}

// NewMachine returns the machine over st, with what is in it.
func NewMachine(st *store.Store, o Options) (*Machine, error) {
	m := &Machine{st: st, o: o}
	m.pool.New = func() any { return new(payloads) }
	m.keys.New = func() any { return new([]byte) }
	return m, m.Reset()
}

// Engine says whose commands these are.
func (m *Machine) Engine() wire.EngineID { return wire.EngineDoc }

// Store is where the state is kept.
func (m *Machine) Store() *store.Store { return m.st }

// Frees reports whether a command gives space back, so that it is let through when the disk is full. Of writes those do that only
// delete.
func (m *Machine) Frees(op wire.Op, body []byte) bool {
	if op != wire.OpDocApply {
		return ops[byte(op)].frees && op.Engine() == wire.EngineDoc
	}
	p := m.pool.Get().(*payloads) //nolint:forcetypeassert // the pool holds nothing else
	defer m.pool.Put(p)
	if p.apply.Decode(body) != nil {
		return false
	}
	frees := len(p.apply.Changes) > 0
	for i := range p.apply.Changes {
		k := p.apply.Changes[i].Kind
		frees = frees && (k == wire.DocChangeRemove || k == wire.DocChangeDelete)
	}
	forget(&p.apply)
	return frees
}

// maxHeld is the largest answer, in bytes, whose memory is used again.
const maxHeld = 1 << 20

// Apply executes one command. An answer's Body is valid until the next.
func (m *Machine) Apply(c *replica.Command, ans *wire.Response) error {
	r := &ops[byte(c.Op)]
	switch {
	case c.Op.Engine() != wire.EngineDoc || r.kind == None:
		*ans = wire.Failf(wire.Unsupported, "the document engine has no operation %v", c.Op)
		return nil
	case r.kind == Read:
		*ans = m.Read(c.Op, c.Body, m.out[:0])
		return nil
	case r.kind == Engine && c.Read:
		return nil // whoever asked has waited for what was before it
	case r.kind == Engine:
		*ans = wire.Failf(wire.Unsupported, "operation %v is no command", c.Op)
		return nil
	case c.Read:
		*ans = wire.Fail(errRead)
		return nil
	}
	if cap(m.out) > maxHeld {
		m.out = nil
	}
	err := r.run(m, c, ans)
	m.tx.end()
	if err == nil {
		return nil
	}
	if e, ok := answerOf(err); ok {
		*ans = wire.Fail(e)
		return nil
	}
	return fmt.Errorf("doc: %v: %w", c.Op, err)
}

// Applied tells who wants to know which collections the entry has changed, and that it has recorded changes.
func (m *Machine) Applied(store.Position) {
	for _, c := range m.changed {
		if m.o.OnCollection != nil {
			m.o.OnCollection(c.DB, c.Name)
		}
	}
	clear(m.changed)
	m.changed = m.changed[:0]
	if m.recorded && m.o.OnChanges != nil {
		m.o.OnChanges()
	}
	m.recorded = false
}

// note remembers a collection for Applied.
func (m *Machine) note(c *Collection) {
	for _, other := range m.changed {
		if other.DB == c.DB && other.Name == c.Name {
			return
		}
	}
	m.changed = append(m.changed, c)
}
