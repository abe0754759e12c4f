package doc

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// rememberedTxns is of how many transactions that have ended it is known why, for those who go on with them.
const rememberedTxns = 1000

// txns are the transactions that are open, by their numbers. They are in the memory of one node: who asks another finds none.
type txns struct {
	most    int
	memory  int64
	clock   func() int64
	cursors *cursors

	commits, aborts, conflicts atomic.Uint64 // so far

	mu     sync.Mutex // guards what follows; never held while a transaction is used
	all    map[uint64]*txn
	held   int64             // bytes that all have written
	why    map[uint64]string // they have ended, of the last ones
	gone   []uint64          // whose reasons why has, oldest first
	closed bool
}

// txn is a transaction. While it is in use it belongs to whoever uses it.
type txn struct {
	id     uint64
	snap   *fsm.Snapshot
	draft  *draft
	leaves bool // a read has left a cursor, which ends with it

	// Guarded by txns.mu.
	until int64 // by the clock
	held  int64
	busy  bool
	ended string // why it is to end when it is in use no more
}

// Why transactions end.
const (
	committed = "it has ended with its commit"
	aborted   = "it was aborted"
	tooOld    = "it was open for more than 60 s"
)

// sizeOfDraft is what a document costs in a draft beside itself and its _id, and what a collection costs.
const sizeOfDraft = 256

func newTxns(cfg *Config, c *cursors) *txns {
	return &txns{
		most: cfg.Transactions, memory: cfg.TransactionMemory, clock: cfg.clock, cursors: c,
		all: make(map[uint64]*txn), why: make(map[uint64]string),
	}
}

// open makes a transaction known, which is in use: by whoever makes its snapshot.
func (l *txns) open() (*txn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return nil, errStopping
	case len(l.all) >= l.most:
		return nil, wire.Errorf(wire.Busy, "%d transactions are open, as many as there may be: commit or abort some", l.most)
	}
	x := &txn{busy: true, until: l.clock() + wire.MaxDocTransaction}
	for x.id == 0 || l.all[x.id] != nil {
		x.id = rand.Uint64() & maxCursorID
	}
	l.all[x.id] = x
	return x, nil
}

// take hands a transaction to its user.
func (l *txns) take(id uint64) (*txn, error) {
	now := l.clock()
	l.mu.Lock()
	if x := l.all[id]; x != nil && now > x.until {
		l.mu.Unlock()
		l.abort(tooOld, id)
		l.mu.Lock()
	}
	defer l.mu.Unlock()
	x := l.all[id]
	switch {
	case x == nil:
		why, ok := l.why[id]
		if !ok {
			why = "it has ended, or is another node's"
		}
		return nil, noTxn(id, why)
	case x.busy:
		return nil, txnError(wire.Conflict, codeInUse, "transaction %d is in use: ask for the next operation once the last is answered", id)
	}
	x.busy = true
	return x, nil
}

func noTxn(id uint64, why string) error {
	return txnError(wire.NotFound, wire.DocNoSuchTransaction, "transaction %d is not open: %s; begin again", id, why)
}

func txnError(code wire.Code, sub uint32, format string, args ...any) error {
	err := wire.Errorf(code, format, args...)
	err.Sub = sub
	return err
}

// give takes a transaction back from its user. It ends if there is a reason, or has been one meanwhile; that is returned.
func (l *txns) give(x *txn, why string) (ended string) {
	l.mu.Lock()
	x.busy = false
	if x.ended == "" {
		x.ended = why
	}
	if ended = x.ended; ended != "" {
		l.remove(x)
	}
	l.mu.Unlock()
	if ended == "" {
		return ""
	}
	if ended != committed {
		l.aborts.Add(1)
	}
	l.end(x)
	return ended
}

// remove makes a transaction unknown, but for why it has ended. Under mu.
func (l *txns) remove(x *txn) {
	delete(l.all, x.id)
	l.held -= x.held
	if len(l.gone) == rememberedTxns {
		delete(l.why, l.gone[0])
		l.gone = l.gone[1:]
	}
	l.gone = append(l.gone, x.id)
	l.why[x.id] = x.ended
}

// end gives up what a transaction has that nobody knows any more.
func (l *txns) end(x *txn) {
	if x.leaves {
		l.cursors.end(func(_ uint64, c *cursor) bool {
			left, ok := c.src.(*leftOver)
			return ok && left.x == x
		})
	}
	if x.snap != nil {
		x.snap.Close()
	}
}

// grown notes how much a transaction has written, or says that it is too much.
func (l *txns) grown(x *txn) error {
	held := int64(x.draft.size + sizeOfDraft*(len(x.draft.order)+len(x.draft.colls)))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held += held - x.held
	x.held = held
	if l.held > l.memory {
		return wire.Errorf(wire.Full, "what open transactions have written would be over %d bytes: commit sooner, or write less in one", l.memory)
	}
	return nil
}

// abort ends a transaction: one in use when it is given back. It is false if it was not open.
func (l *txns) abort(why string, id uint64) bool {
	l.mu.Lock()
	x := l.all[id]
	if x == nil || x.ended != "" {
		l.mu.Unlock()
		return false
	}
	x.ended = why
	busy := x.busy
	if !busy {
		l.remove(x)
	}
	l.mu.Unlock()
	if !busy {
		l.aborts.Add(1)
		l.end(x)
	}
	return true
}

// sweep ends transactions that have been open for too long.
func (l *txns) sweep() {
	now := l.clock()
	l.abortAll(tooOld, func(x *txn) bool { return now > x.until })
}

func (l *txns) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.abortAll("the server was stopped", func(*txn) bool { return true })
}

func (l *txns) abortAll(why string, fn func(x *txn) bool) {
	var ids []uint64
	l.mu.Lock()
	for id, x := range l.all {
		if fn(x) {
			ids = append(ids, id)
		}
	}
	l.mu.Unlock()
	for _, id := range ids {
		l.abort(why, id)
	}
}

// load returns how many transactions are open, and the bytes that they have written.
func (l *txns) load() (n int, held int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all), l.held
}

// fail ends a transaction that is in use because of an error of a write.
func (l *txns) fail(x *txn, err error) {
	if isConflict(err) {
		l.conflicts.Add(1)
	}
	l.give(x, "it was aborted because a write failed: "+err.Error())
}
