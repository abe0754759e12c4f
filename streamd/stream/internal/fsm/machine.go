package fsm

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Options shape a Machine. The hooks are called on the apply goroutine, from Applied or Reset, and must not call back.
type Options struct {
	// MaxMessage bounds the bytes of a record's key, value and headers that this node lets in; 0 or more than wire.MaxRecord is
	// wire.MaxRecord.
	MaxMessage int
	// OnAppend is called once for each partition that the entry has put records into. end is the offset of the next.
	OnAppend func(topic string, partition int, end int64)
	// OnGroup is called once for each group of which members, ownership or, by a reset, committed offsets have changed.
	OnGroup func(group string)
	// OnTopic is called once for each topic that was created, altered or deleted, and for each that a snapshot may have changed.
	OnTopic func(topic string)
}

// Machine applies the commands of the log to the topics and groups in a store. Apply, Applied and Reset are called by one
// goroutine, the apply goroutine; everything else may be called by any.
type Machine struct {
	st *store.Store
	o  Options

	// mu guards all that memory has of topics and groups. The apply goroutine holds it for each command; readers never read the
	// store under it.
	mu           sync.RWMutex
	topics       map[string]*topic
	byTID        map[uint64]*topic
	sortedTopics []*topic // by name
	recent       *topic   // that the apply goroutine found last
	groups       map[string]*group
	byGID        map[uint64]*group
	sortedGroups []*group // by name
	partitions   int      // of all topics
	retention    agenda[*partition]
	empty        agenda[*group] // those without members
	producers    producerList
	trash        []trash // by key

	// index is of the last entry that memory has all of. The store is ahead of it between the installation of a snapshot and Reset.
	index atomic.Uint64

	noted notes
	p     payloads  // of the apply goroutine
	key   []byte    // likewise, the key that is being made
	value []byte    // likewise
	out   []byte    // likewise, of answers
	pool  sync.Pool // of *payloads
	reads sync.Pool // of *record.Reader

	// Figures for Totals, under mu but for the first two.
	appendedRecords, appendedBytes atomic.Uint64
	batches, bytes, records        int64
	members                        int
}

// NewMachine returns the machine over st, with what is in it.
func NewMachine(st *store.Store, o Options) (*Machine, error) {
	if o.MaxMessage <= 0 || o.MaxMessage > wire.MaxRecord {
		o.MaxMessage = wire.MaxRecord
	}
	m := &Machine{st: st, o: o}
	m.pool.New = func() any { return new(payloads) }
	m.reads.New = func() any { return new(record.Reader) }
	return m, m.load()
}

// Engine says whose commands these are.
func (m *Machine) Engine() wire.EngineID { return wire.EngineStream }

// Store is where the state is kept.
func (m *Machine) Store() *store.Store { return m.st }

// Frees reports whether a command gives space back, so that it is let through when the disk is full.
func (m *Machine) Frees(op wire.Op, _ []byte) bool {
	return ops[byte(op)].frees && op.Engine() == wire.EngineStream
}

// Slow reports whether a read may touch the disk or many topics, and is better not done where it must not wait.
func (m *Machine) Slow(op wire.Op) bool {
	return ops[byte(op)].slow && op.Engine() == wire.EngineStream
}

// maxHeld is the largest answer, in bytes, whose memory is used again.
const maxHeld = 1 << 20

// Apply executes one command. An answer's Body is valid until the next.
func (m *Machine) Apply(c *replica.Command, ans *wire.Response) error {
	r := &ops[byte(c.Op)]
	switch {
	case c.Op.Engine() != wire.EngineStream || r.kind == None:
		*ans = wire.Failf(wire.Unsupported, "the stream engine has no operation %v", c.Op)
		return nil
	case r.kind == Read:
		// The apply goroutine is the only one that writes, so it needs no more than any reader.
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
	m.mu.Lock()
	err := r.run(m, c, ans)
	m.mu.Unlock()
	if err == nil {
		return nil
	}
	if e, ok := err.(*wire.Error); ok { //nolint:errorlint // faults are wrapped, answers never
		*ans = wire.Fail(e)
		return nil
	}
	return fmt.Errorf("stream: %v: %w", c.Op, err)
}

// notes are what the entry under way has touched.
type notes struct {
	parts  []*partition
	groups []*group
	topics []string
}

func (n *notes) appended(p *partition) {
	if !p.noted {
		p.noted = true
		n.parts = append(n.parts, p)
	}
}

func (n *notes) group(g *group) {
	if !g.noted {
		g.noted = true
		n.groups = append(n.groups, g)
	}
}

func (n *notes) topic(name string) {
	if !slices.Contains(n.topics, name) {
		n.topics = append(n.topics, name)
	}
}

// Applied tells who waits what the entry has changed.
func (m *Machine) Applied(p store.Position) {
	m.index.Store(p.Index)
	n := &m.noted
	for _, name := range n.topics {
		if m.o.OnTopic != nil {
			m.o.OnTopic(name)
		}
	}
	for _, g := range n.groups {
		g.noted = false
		if m.o.OnGroup != nil {
			m.o.OnGroup(g.name)
		}
	}
	for _, p := range n.parts {
		p.noted = false
		if m.o.OnAppend != nil && !p.t.deleted {
			m.o.OnAppend(p.t.snap.Name, int(p.no), p.end)
		}
	}
	clear(n.topics)
	clear(n.groups)
	clear(n.parts)
	n.topics, n.groups, n.parts = n.topics[:0], n.groups[:0], n.parts[:0]
}
