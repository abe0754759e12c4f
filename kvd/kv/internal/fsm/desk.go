package fsm

import (
	"runtime"
	"sync"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Reader side: what runs beside the log, on any goroutine.

// Desk lends the Tx's that reads and rehearsals run in.
type Desk struct {
	m     *Machine
	clock func() int64
	pool  sync.Pool
}

// NewDesk returns a desk. clock is the wall clock in ms since 1970.
func NewDesk(m *Machine, clock func() int64) *Desk {
	d := &Desk{m: m, clock: clock}
	d.pool.New = func() any { return newTx(m) }
	return d
}

// Read answers a read from what is committed. late reports that it found a key which is gone by the clock but not yet by
// the time of an entry: then there is no answer, and the read has to be ordered by the log. With stale set the time of
// entries alone decides. The answer is valid until the Tx is given back by Done.
func (d *Desk) Read(row *Row, body []byte, stale bool) (tx *Tx, late bool) {
	tx = d.pool.Get().(*Tx)
	for {
		ks := d.m.keys.Load()
		if ks.moving {
			runtime.Gosched()
			continue
		}
		tx.begin(d.m.st, nil, ks)
		tx.clock = d.clock
		if stale {
			tx.clock = noClock
		}
		err := row.Run(tx, body, &tx.ans)
		if d.m.keys.Load() != ks {
			continue // the databases changed under the read: what it saw may be of neither state
		}
		if err == nil {
			return tx, false
		}
		if err == errLate { //nolint:errorlint // made here, wrapped by nobody
			return tx, true
		}
		tx.ans = answer(err)
		return tx, false
	}
}

// noClock is the wall clock of those who do not ask it.
func noClock() int64 { return 0 }

// answer is what a reader is told of an error. A fault is Internal: reading it does not end the process.
func answer(err error) wire.Response {
	if e, ok := business(err); ok {
		return wire.Fail(e)
	}
	return wire.Failf(wire.Internal, "%v", err)
}

// Answer is what the read has found.
func (tx *Tx) Answer() wire.Response { return tx.ans }

// Done gives the Tx back. Its answer must not be used any more.
func (d *Desk) Done(tx *Tx) {
	tx.r, tx.ks, tx.newKS = nil, nil, nil
	if cap(tx.out) > maxKept || cap(tx.res) > maxKept || cap(tx.kbuf[0]) > maxKept {
		return // one large answer must not stay in the pool
	}
	d.pool.Put(tx)
}

// maxKept is the largest buffer, in bytes, that goes back to the pool.
const maxKept = 128 << 10

// Rehearse runs a command without writing anything, before it is proposed: what its payload alone makes impossible is
// answered at once, what it would put into the store is added up, and what it reads is in the cache when it is applied.
// It returns nil if the command may be proposed.
func (d *Desk) Rehearse(row *Row, body []byte) error {
	tx := d.pool.Get().(*Tx)
	defer d.Done(tx)
	ks := d.m.keys.Load()
	tx.begin(d.m.st, nil, ks)
	tx.rehearsal, tx.now = true, d.m.now.Load()
	err := row.Run(tx, body, &tx.ans)
	if tx.over != nil {
		return tx.over
	}
	// What is wrong with the state is for the command to find: another may be before it in the log. What is wrong before
	// the first look at the state is wrong with the payload.
	if err != nil && tx.reads == 0 {
		return err
	}
	return nil
}
