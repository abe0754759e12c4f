package replica

import (
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Machine is the deterministic state machine of one engine. It has no clock, no dice and no I/O but its store.
type Machine interface {
	// Engine says whose commands the machine executes.
	Engine() wire.EngineID
	// Store is where it keeps its state. The group advances, rotates and installs it.
	Store() *store.Store
	// Apply executes one command of the log on the apply goroutine. ans.Body may alias memory that stays valid until the
	// next Apply. A business failure is an answer (ans.Code); a returned error is a fault, after which the process ends.
	Apply(c *Command, ans *wire.Response) error
	// Applied is called on the apply goroutine after the last command of each entry, when the store has been advanced to p.
	Applied(p store.Position)
	// Reset is called on the apply goroutine after a snapshot was installed: caches, in-memory indexes and watch history
	// are to be dropped.
	Reset() error
}

// Freer is an optional part of a Machine. Commands it reports are proposed even when the store is full, because they are
// how space comes back.
type Freer interface {
	// Frees reports whether the command gives space back. Any goroutine may ask; body is on loan.
	Frees(op wire.Op, body []byte) bool
}

// Sealer is an optional part of a Machine: one that gathers what the commands of an entry have in common, and writes it
// once for all of them.
type Sealer interface {
	// Seal is called on the apply goroutine after the last command of each entry of which the machine executed any, before
	// its store is advanced. Commands have been answered by then: their entry is durable, but readers beside the log must
	// find in memory what is not in the store yet. A returned error is a fault.
	Seal() error
}

// Command is one operation of the log, on loan to Machine.Apply except for Body.
type Command struct {
	Op   wire.Op
	Body []byte // aliases the log entry: immutable, may be kept
	// Index is the Raft index of the command's entry. It is not for clients.
	Index uint64
	// Revision is the command's own, whether it writes or not, so that counting stays the same when a store skips what it
	// already has. A Read has the revision of the last command before it.
	Revision uint64
	Time     int64 // the entry's time in ms since 1970; never runs back
	// Session, Seq and Acked are the client's exactly-once window; 0 without one.
	Session, Seq, Acked uint64
	// Read is an ordered read that rides in the log: it must not write. Only the node that was asked executes it.
	Read bool
	// Wanted says that somebody here waits for the answer. If not, it need not be built; the writes must be the same.
	Wanted bool
}
