package replica

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// host is one machine of the group and the log index that its store holds.
type host struct {
	machine Machine
	sealer  Sealer // nil: the machine is none
	store   *store.Store
	at      uint64
	touched bool // the machine has executed a command of the entry under way
}

// fsm feeds the log to the machines. Raft calls it from one goroutine, the apply goroutine, which owns all but the atomics.
type fsm struct {
	g      *Group
	hosts  []*host
	byID   [256]*host // by wire.EngineID
	memory bool

	// mu is held while an entry is being applied, so that the stores of a group in memory can be pinned between entries.
	mu sync.Mutex

	pos   store.Position // of the last entry that all machines have
	cmd   Command
	ans   wire.Response
	void  []any // what Raft gets for its futures: nothing
	dead  bool  // a fault has happened: nothing is applied any more
	index atomic.Uint64
	term  atomic.Uint64
	rev   atomic.Uint64
	time  atomic.Int64
	cmds  atomic.Uint64 // commands applied
	read  atomic.Uint64 // the index that a round of reads waits for; 0: none
}

// newFSM begins at the lowest position of the machines' stores: those that are ahead skip what they have.
func newFSM(g *Group, machines []Machine) (*fsm, error) {
	f := &fsm{g: g, memory: g.cfg.Memory}
	for _, m := range machines {
		id := m.Engine()
		if f.byID[id] != nil {
			return nil, fmt.Errorf("replica: group %s has two machines for engine %s", g.cfg.Name, id)
		}
		h := &host{machine: m, store: m.Store()}
		h.sealer, _ = m.(Sealer)
		f.byID[id] = h
		f.hosts = append(f.hosts, h)
	}
	f.begin()
	return f, nil
}

// begin takes the position from the stores.
func (f *fsm) begin() {
	low := f.hosts[0].store.Applied()
	for _, h := range f.hosts {
		p := h.store.Applied()
		h.at = p.Index
		if p.Index < low.Index {
			low = p
		}
	}
	f.pos = low
	f.publish()
}

// publish shows the position to other goroutines.
func (f *fsm) publish() {
	f.term.Store(f.pos.Term)
	f.rev.Store(f.pos.Revision)
	f.time.Store(f.pos.Time)
	f.index.Store(f.pos.Index)
}

// Apply is not used: Raft prefers ApplyBatch.
func (f *fsm) Apply(l *raft.Log) any { return f.ApplyBatch([]*raft.Log{l})[0] }

// ApplyBatch applies entries in log order and answers the commands among them that were proposed here.
func (f *fsm) ApplyBatch(logs []*raft.Log) []any {
	began := time.Now()
	for len(f.void) < len(logs) {
		f.void = append(f.void, nil)
	}
	for _, l := range logs {
		if f.dead || l.Index <= f.pos.Index {
			continue // after Raft was reopened it feeds the log from the last flush
		}
		if err := f.applyLog(l); err != nil {
			f.dead = true
			f.g.fault(fmt.Errorf("log entry %d of group %s: %w", l.Index, f.g.cfg.Name, err))
		}
	}
	if target := f.read.Load(); target != 0 && f.index.Load() >= target {
		f.g.reads.reached()
	}
	f.g.met.apply.Observe(time.Since(began).Seconds())
	return f.void[:len(logs)]
}

// applyLog applies one log entry of any kind and advances the stores.
func (f *fsm) applyLog(l *raft.Log) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := f.pos
	next.Index, next.Term = l.Index, l.Term
	own := false
	switch l.Type {
	case raft.LogConfiguration:
		next.Conf, next.ConfIndex = l.Data, l.Index
	case raft.LogCommand:
		var err error
		if own, err = f.applyEntry(l, &next); err != nil {
			return err
		}
	}
	f.pos = next
	for _, h := range f.hosts {
		if err := h.seal(); err != nil {
			return err
		}
		if l.Index > h.at {
			h.store.Advance(next)
			h.at = l.Index
			h.machine.Applied(next)
		}
	}
	f.publish()
	if own {
		f.g.stand.applied(l.Term)
	}
	return nil
}

// seal lets the machine write what the commands of the entry have in common.
func (h *host) seal() error {
	if !h.touched {
		return nil
	}
	h.touched = false
	if h.sealer == nil {
		return nil
	}
	if err := h.sealer.Seal(); err != nil {
		return fmt.Errorf("engine %s could not finish the entry: %w", h.machine.Engine(), err)
	}
	return nil
}

// applyEntry applies the commands of an entry; it reports whether this process made it.
func (f *fsm) applyEntry(l *raft.Log, next *store.Position) (own bool, err error) {
	e, err := decodeEntry(l.Data)
	if err != nil {
		return false, remedy(err)
	}
	own = e.origin == f.g.prop.origin
	var b *batch
	if own {
		b = f.g.prop.take(e.seq)
	}
	if b == nil || b.mark != &l.Data[0] {
		// Anything that has been on a disk or a wire since it was sealed is verified.
		if err := checkEntry(l.Data); err != nil {
			f.abandon(b, 0, err)
			return own, remedy(err)
		}
	}
	if e.time > next.Time {
		next.Time = e.time
	}
	c := &f.cmd
	for i := range e.count {
		*c = Command{Index: l.Index, Time: next.Time}
		if err := e.next(c); err != nil {
			f.abandon(b, i, err)
			return own, remedy(err)
		}
		if !c.Read {
			next.Revision++
		}
		c.Revision = next.Revision
		c.Wanted = b != nil
		h := f.byID[c.Op.Engine()]
		if h == nil {
			err := fmt.Errorf("it has a command of engine %s, which this process does not run: start the program with the engines that the group was made for", c.Op.Engine())
			f.abandon(b, i, err)
			return own, err
		}
		if l.Index <= h.at || c.Read && b == nil {
			continue
		}
		f.ans, h.touched = wire.Response{}, true
		if err := h.machine.Apply(c, &f.ans); err != nil {
			f.abandon(b, i, err)
			return own, fmt.Errorf("engine %s could not apply command %d (%s): %w", c.Op.Engine(), i, c.Op, err)
		}
		if b != nil {
			b.cmds[i].r.Reply(b.cmds[i].tag, f.ans)
		}
	}
	if len(e.rest) != 0 {
		f.abandon(b, e.count, errEntry)
		return own, remedy(fmt.Errorf("%w: %d bytes follow its last command", errEntry, len(e.rest)))
	}
	f.cmds.Add(uint64(e.count))
	if b != nil {
		f.g.prop.done(b)
	}
	return own, nil
}

// abandon answers the commands of b from the i-th on, which nobody will execute here.
func (f *fsm) abandon(b *batch, i int, err error) {
	if b != nil {
		f.g.prop.answer(b.cmds[min(i, len(b.cmds)):], f.g.prop.verdict(err, ""))
		f.g.prop.done(b)
	}
}

// Snapshot rotates all stores; what it returns waits until they are on disk. Raft then cuts the log below.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	if f.dead {
		return nil, errFaulted
	}
	done := make([]<-chan error, len(f.hosts))
	for i, h := range f.hosts {
		done[i] = h.store.Rotate()
	}
	return &flushing{g: f.g, done: done}, nil
}

// flushing waits for the flushes that a snapshot asked for.
type flushing struct {
	g    *Group
	done []<-chan error
}

// Persist writes nothing: the stores are the snapshot.
func (s *flushing) Persist(raft.SnapshotSink) error {
	for _, done := range s.done {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("flush of a store: %w", err)
			}
		case <-s.g.stopping:
			return errStopping
		}
	}
	return nil
}

// Release does nothing: a snapshot holds nothing.
func (s *flushing) Release() {}

// Restore installs a snapshot that the leader has sent.
func (f *fsm) Restore(rc io.ReadCloser) error {
	if f.dead {
		return errFaulted
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := readSnapshot(rc, func(id wire.EngineID, r io.Reader) error {
		h := f.byID[id]
		if h == nil {
			return fmt.Errorf("it holds engine %s, which this process does not run", id)
		}
		if err := h.store.Install(r); err != nil {
			return fmt.Errorf("install the store of engine %s: %w", id, err)
		}
		return h.machine.Reset()
	}); err != nil {
		return fmt.Errorf("group %s: snapshot: %w", f.g.cfg.Name, err)
	}
	f.begin()
	f.g.logs.installed(f.pos.Index)
	return nil
}
