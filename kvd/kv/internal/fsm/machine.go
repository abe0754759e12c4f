package fsm

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Machine applies the commands of the log to a store. Apply, Applied and Reset are called by one goroutine; everything
// else may be called by any.
type Machine struct {
	st       *store.Store
	ops      *Table
	ring     *Ring
	maxValue int
	tx       *Tx           // of Apply
	tables   chan struct{} // slots for reads that build the table of an LCS

	keys atomic.Pointer[keyspace]
	rev  atomic.Uint64 // of the newest command that is committed
	now  atomic.Int64  // time of the newest entry that is being or has been applied, ms
	due  atomic.Int64  // no key expires before this time, ms; 0 is not known
	junk atomic.Bool   // there is garbage to collect
}

// NewMachine returns the machine over st. maxValue bounds, in bytes, the values that this node lets in.
func NewMachine(st *store.Store, ring *Ring, maxValue int) (*Machine, error) {
	m := &Machine{st: st, ops: &Ops, ring: ring, maxValue: maxValue, tables: make(chan struct{}, lcsTables)}
	m.tx = newTx(m)
	return m, m.Reset()
}

// Engine says whose commands these are.
func (m *Machine) Engine() wire.EngineID { return wire.EngineKV }

// Store is where the state is kept.
func (m *Machine) Store() *store.Store { return m.st }

// Now is the time of the newest entry in ms since 1970: what expiry is judged by.
func (m *Machine) Now() int64 { return m.now.Load() }

// Revision is that of the newest command that can be read here: those of its entry that come behind it may not be there.
func (m *Machine) Revision() uint64 { return m.rev.Load() }

// Due is a time in ms before which no key expires: 0 if it is not known, math.MaxInt64 if none ever does.
func (m *Machine) Due() int64 { return m.due.Load() }

// Garbage reports whether emptied databases have left keys that are to be collected.
func (m *Machine) Garbage() bool { return m.junk.Load() }

// Frees reports whether a command gives space back, so that it is let through when the disk is full.
func (m *Machine) Frees(op wire.Op, _ []byte) bool {
	switch op {
	case wire.OpKVDel, wire.OpKVMDel, wire.OpKVGetDel, wire.OpKVFlush, wire.OpKVSweep, wire.OpKVCollect:
		return true
	}
	return false
}

// Reset reads from the store what is kept in memory and forgets the rest: after opening and after the installation of a
// snapshot.
func (m *Machine) Reset() error {
	v, ok, err := m.st.Get(metaKeyspace, nil)
	if err != nil {
		return fmt.Errorf("kv: reading the table of databases: %w", err)
	}
	ks := firstKeyspace()
	if ok {
		if ks, err = decodeKeyspace(v.Body); err != nil {
			return err
		}
	}
	pos := m.st.Applied()
	m.rev.Store(pos.Revision)
	m.keys.Store(ks)
	m.junk.Store(len(ks.garbage) > 0)
	m.now.Store(max(m.now.Load(), pos.Time))
	m.due.Store(0)
	m.ring.Reset(pos.Revision)
	return nil
}

// Applied makes the changes of an entry known to the watches, whole.
func (m *Machine) Applied(p store.Position) { m.ring.Publish(p.Revision) }

// Apply executes one command.
func (m *Machine) Apply(c *replica.Command, ans *wire.Response) error {
	// Before the first command of the entry changes anything: a read that sees the change sees the time.
	if c.Time > m.now.Load() {
		m.now.Store(c.Time)
	}
	row := m.ops.Row(c.Op)
	if row.Run == nil {
		*ans = wire.Failf(wire.Unsupported, "the key-value engine has no operation %v that goes through the log", c.Op)
		return nil
	}
	if c.Read {
		return m.applyRead(c, row, ans)
	}
	tx := m.tx
	b := m.st.Begin()
	tx.begin(b, b, m.keys.Load())
	tx.b, tx.now, tx.rev, tx.emit = b, m.now.Load(), c.Revision, true
	err := row.Run(tx, c.Body, ans)
	if tx.over != nil {
		err = tx.over
	}
	if err != nil {
		b.Discard()
		return settle(err, ans)
	}
	m.commit(tx, b)
	m.rev.Store(c.Revision)
	if tx.exact || tx.due != 0 && tx.due < m.due.Load() {
		m.due.Store(tx.due)
	}
	return nil
}

// commit makes what the command has done visible.
func (m *Machine) commit(tx *Tx, b *store.Batch) {
	if tx.newKS == nil {
		b.Commit()
	} else {
		moving := tx.ks.clone()
		moving.moving = true
		m.keys.Store(moving)
		b.Commit()
		m.keys.Store(tx.newKS)
		m.junk.Store(len(tx.newKS.garbage) > 0)
	}
	for i := range tx.events {
		m.ring.Add(&tx.events[i])
	}
	clear(tx.events)
}

// applyRead answers an ordered read: the state is that after the commands before it.
func (m *Machine) applyRead(c *replica.Command, row *Row, ans *wire.Response) error {
	if row.Kind != Read && (row.Pure == nil || !row.Pure(m.ops, c.Body)) {
		*ans = wire.Fail(errRead)
		return nil
	}
	tx := m.tx
	tx.begin(m.st, nil, m.keys.Load())
	tx.now, tx.rev = m.now.Load(), c.Revision
	err := row.Run(tx, c.Body, ans)
	if tx.over != nil {
		err = tx.over
	}
	return settle(err, ans)
}

// settle makes an answer of a business error and returns a fault.
func settle(err error, ans *wire.Response) error {
	if err == nil {
		return nil
	}
	e, ok := business(err)
	if !ok {
		return err
	}
	*ans = wire.Fail(e)
	return nil
}

// checkValue judges the length of a value in a payload. The limit is this node's configuration, so it is asked before a
// command is proposed and never again: replicas may be configured differently.
func (m *Machine) checkValue(n int, rehearsal bool) error {
	if rehearsal && n > m.maxValue {
		return wire.Errorf(wire.TooLarge, "value of %d bytes is over the limit of %d (-max-value)", n, m.maxValue)
	}
	return nil
}

// checkEnd judges how long a value becomes when n bytes are written at offset.
func (m *Machine) checkEnd(offset int64, n int, rehearsal bool) error {
	limit := hardMaxValue
	if rehearsal {
		limit = min(limit, m.maxValue)
	}
	if n > 0 && (offset > int64(limit) || int(offset)+n > limit) {
		return errTooLong
	}
	return nil
}

// nothingDue is Due when no key has an expiry.
const nothingDue = math.MaxInt64
