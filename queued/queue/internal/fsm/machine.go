package fsm

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/engine/heap"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Options shape a Machine.
type Options struct {
	// MaxMessage bounds the bytes of a body that this node lets in; 0 or more than wire.MaxMessage is wire.MaxMessage.
	MaxMessage int
	// OnReady is called on the apply goroutine, from Applied, for each queue that the entry touched, if only by letting
	// time pass, and that can deliver something now. available is at least 1, at most 1<<20. It must not call back.
	OnReady func(queue string, available int)
}

// Machine applies the commands of the log to the queues in a store. Apply, Seal, Applied and Reset are called by one
// goroutine, the apply goroutine; everything else may be called by any.
type Machine struct {
	st *store.Store
	o  Options

	// mu guards all of the queues and their messages in memory. The apply goroutine holds it for each command, but lets go
	// of it while it reads the store: nobody else writes. Readers never read the store under it.
	mu          sync.RWMutex
	queues      map[string]*queue
	byQID       map[uint64]*queue
	sorted      []*queue // by name
	recent      *queue   // found last
	number      uint64   // the last qid
	now         int64    // time of the newest entry
	wakes       heap.Heap[*chunk]
	alarms      heap.Heap[alarm] // what will need a tick
	overdue     heap.Heap[alarm] // what needs one
	cache       cache
	trash       []trash
	sparseBytes int64 // dead bytes that are worth writing a chunk anew
	stale       int   // alarms that have probably lost their chunk

	// What the entry under way has touched. It is written by Seal.
	rev         uint64
	budget      int // writes that Seal will make, roughly
	buried      int // bytes moved to dead letters
	numbered    bool
	dirtyQueues []*queue
	dirty       []*chunk
	groups      []dirtyGroup
	noted       []*queue
	newTrash    [][]byte // keys to set

	p       payloads
	out     []byte // of answers
	scratch []byte
	keyBuf  []byte
	arena   []byte // small values, which the store keeps
	spare   [][]msg
	seen    map[dedupID]uint64
	pool    sync.Pool // of *payloads

	due  atomic.Int64
	junk atomic.Bool
}

type dirtyGroup struct {
	q *queue
	g *group
}

// NewMachine returns the machine over st, with what is in it.
func NewMachine(st *store.Store, o Options) (*Machine, error) {
	if o.MaxMessage <= 0 || o.MaxMessage > wire.MaxMessage {
		o.MaxMessage = wire.MaxMessage
	}
	m := &Machine{st: st, o: o, seen: map[dedupID]uint64{}, sparseBytes: sparseBytes}
	m.cache.limit = cacheBytes
	m.pool.New = func() any { return new(payloads) }
	return m, m.Reset()
}

// Engine says whose commands these are.
func (m *Machine) Engine() wire.EngineID { return wire.EngineQueue }

// Store is where the state is kept.
func (m *Machine) Store() *store.Store { return m.st }

// Due is a time in ms before which nothing is due by time; math.MaxInt64 if nothing ever is. From then on an OpQueueTick
// has something to do, or at least lets time pass: leases that ran out and delays that are over are seen by the first
// command that comes.
func (m *Machine) Due() int64 { return m.due.Load() }

// Garbage reports whether cleared or deleted queues, or forgotten dedup ids, have left keys for OpQueueCollect.
func (m *Machine) Garbage() bool { return m.junk.Load() }

// Frees reports whether a command gives space back, so that it is let through when the disk is full.
func (m *Machine) Frees(op wire.Op, _ []byte) bool {
	return ops[byte(op)].frees && op.Engine() == wire.EngineQueue
}

// Slow reports whether a read may touch the disk or many queues, and is better not done where it must not wait.
func (m *Machine) Slow(op wire.Op) bool { return ops[byte(op)].slow && op.Engine() == wire.EngineQueue }

// Apply executes one command. An answer's Body is valid until the next.
func (m *Machine) Apply(c *replica.Command, ans *wire.Response) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.Time > m.now {
		if err := m.pass(c.Time); err != nil {
			return err
		}
	}
	r := &ops[byte(c.Op)]
	switch {
	case c.Op.Engine() != wire.EngineQueue || r.kind == None:
		*ans = wire.Failf(wire.Unsupported, "the queue engine has no operation %v", c.Op)
		return nil
	case r.kind == Read:
		*ans = m.orderedRead(c)
		return nil
	case c.Read:
		*ans = wire.Fail(errRead)
		return nil
	}
	m.rev = c.Revision
	if cap(m.out) > maxHeld {
		m.out = nil
	}
	err := r.run(m, c, ans)
	if err == nil {
		return nil
	}
	if e, ok := err.(*wire.Error); ok { //nolint:errorlint // faults are wrapped, answers never
		*ans = wire.Fail(e)
		return nil
	}
	return fmt.Errorf("queue: %v: %w", c.Op, err)
}

// maxHeld is the largest answer, in bytes, whose memory is used again.
const maxHeld = 1 << 20

// orderedRead answers a read that rides in the log: memory has everything that came before it, but the store has not, so
// it is answered as any other.
func (m *Machine) orderedRead(c *replica.Command) wire.Response {
	m.mu.Unlock()
	defer m.mu.Lock()
	return m.Read(c.Op, c.Body, m.out[:0])
}

// Applied tells who waits which queues can deliver.
func (m *Machine) Applied(store.Position) {
	for _, q := range m.noted {
		q.noted = false
		if n := q.available(); n > 0 && m.o.OnReady != nil {
			m.o.OnReady(q.name, min(n, 1<<20))
		}
	}
	clear(m.noted)
	m.noted = m.noted[:0]
}

// setDue finds out when something is due next.
func (m *Machine) setDue() {
	due := int64(math.MaxInt64)
	if m.wakes.Len() > 0 {
		due = m.wakes.First().wake
	}
	if m.alarms.Len() > 0 {
		due = min(due, m.alarms.First().at)
	}
	if m.overdue.Len() > 0 {
		due = 0
	}
	m.due.Store(due)
}

// Totals are figures over all queues, for metrics. The counts of messages are of this moment, the others since the queues
// were made.
type Totals struct {
	Queues, Ready, Delayed, Leased       uint64
	Pushed, Popped, Acked, Died, Dropped uint64
	Chunks                               uint64 // in the store
	CachedBytes                          int64  // of decoded chunks
}

// Totals returns the figures of this moment. It looks at every queue.
func (m *Machine) Totals() Totals {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t := Totals{Queues: uint64(len(m.sorted)), CachedBytes: int64(m.cache.bytes)}
	for _, q := range m.sorted {
		t.Ready += uint64(q.ready)
		t.Delayed += uint64(q.delayed)
		t.Leased += uint64(q.leased)
		t.Pushed += q.pushed
		t.Popped += q.popped
		t.Acked += q.acked
		t.Died += q.died
		t.Dropped += q.dropped
		for _, l := range q.lanes {
			t.Chunks += uint64(l.chunks)
		}
	}
	return t
}
