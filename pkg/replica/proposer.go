package replica

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// proposer coalesces the commands of all connections into entries. There is no timer: an entry is what has come while the
// ones before it were on their way.
type proposer struct {
	origin   uint64 // random; tells this process's entries from all others
	name     string
	limit    int // bytes at which an entry closes
	inFlight int
	maxBytes int64
	patience time.Duration
	submit   func(data []byte) raft.ApplyFuture
	clock    entryClock
	floor    func() int64 // the time of the last applied entry
	sent     chan sentEntry
	wake     chan struct{} // one slot; filled when the goroutine sleeps and there is something to look at

	mu      sync.Mutex // guards everything below; never held across a Reply
	open    *batch
	lanes   lanes
	flight  []*batch // on their way, oldest first
	owed    int      // entries whose future has not been heard: Raft must not be stopped before
	spare   []*batch
	seq     uint64
	guess   int    // bytes that the next entry will probably have
	ready   []byte // the buffer of the next batch, made outside the lock; may be nil
	asleep  bool   // the goroutine waits for wake
	rally   rally
	leading bool   // Raft takes entries here
	opening bool   // an entry is due even if it is empty: the first of a leadership
	leader  string // who leads, if somebody else does and is known
	closed  bool

	proposed, failed uint64 // commands, for metrics
}

// sentEntry is one entry that Raft has taken over; its future tells failure only.
type sentEntry struct {
	seq    uint64
	future raft.ApplyFuture
}

func newProposer(cfg *Config, origin uint64, submit func([]byte) raft.ApplyFuture, floor func() int64) *proposer {
	wall := cfg.wall
	if wall == nil {
		wall = time.Now
	}
	return &proposer{
		origin: origin, name: cfg.Name, limit: cfg.EntryBytes, inFlight: cfg.InFlight, maxBytes: cfg.MaxPending,
		patience: cfg.Patience, submit: submit, floor: floor,
		clock: entryClock{wall: wall, mono: wire.Clock, log: cfg.Log},
		sent:  make(chan sentEntry, 2*cfg.InFlight),
		wake:  make(chan struct{}, 1),
		open:  &batch{},
		guess: 4 << 10,
	}
}

// propose copies the command into the open batch, or behind it. It answers nothing but refusals.
func (p *proposer) propose(req *wire.Request, read bool, r wire.Replier) {
	size := commandHead + len(req.Body)
	if size > wire.MaxCommand {
		r.Reply(req.Tag, wire.Failf(wire.TooLarge, "a command of %d bytes is over the limit of %d", len(req.Body), wire.MaxCommand-commandHead))
		return
	}
	p.mu.Lock()
	p.open.close(req.Op.Engine(), p.limit)
	err := p.put(req, read, r, nil)
	wake := err == nil && p.takeWake()
	p.mu.Unlock()
	switch {
	case err != nil:
		r.Reply(req.Tag, wire.Fail(err))
	case wake:
		p.wake <- struct{}{}
	}
}

// put copies the command into the open batch, or behind it into the lane of its owner (nil: laneOf(r)), or says why it refuses it.
// The lock is held.
func (p *proposer) put(req *wire.Request, read bool, r, owner wire.Replier) *wire.Error {
	size, deadline := commandHead+len(req.Body), req.Deadline
	if !p.leading {
		if err := p.refusal(); err != nil {
			return err
		}
		if deadline == 0 {
			deadline = wire.DeadlineAfter(p.patience)
		}
	}
	b := p.open
	switch {
	case p.fits(size):
		if b.buf == nil && entryHead+size <= cap(p.ready) {
			b.buf, p.ready = p.ready, nil
		}
		b.grow(size, p.guess, p.limit)
		b.buf = appendCommand(b.buf[:b.size()], req, read)
		b.added(r, req.Tag, deadline)
	case int64(p.lanes.bytes+size) > p.maxBytes:
		return wire.Errorf(wire.Busy, "group %s has %d bytes of commands waiting for its disk or its peers: try again later", p.name, p.lanes.bytes)
	default:
		if owner == nil {
			owner = laneOf(r)
		}
		p.lanes.add(req, read, r, owner, deadline)
	}
	p.proposed++
	return nil
}

// fits reports whether the open batch takes a command of size bytes, which nobody waits before. The lock is held.
func (p *proposer) fits(size int) bool {
	return p.lanes.live == 0 && (len(p.open.cmds)+p.open.guests == 0 || p.open.weight()+size <= p.limit)
}

// takeWake reports whether the goroutine sleeps and is to be woken, which the caller must do, by what has just come. The lock is held.
func (p *proposer) takeWake() bool {
	wake := p.asleep && (!p.leading || p.room() && p.rally.over(p.open.crowd(), p.open.weight() >= p.limit/eager))
	if wake {
		p.asleep = false
	}
	return wake
}

// refusal says why a command cannot even wait, if so. The lock is held and leading is false.
func (p *proposer) refusal() *wire.Error {
	if p.closed {
		return wire.Errorf(wire.Unavailable, "group %s is stopping", p.name)
	}
	if p.leader != "" {
		return wire.Errorf(wire.NotLeader, "group %s is led by %s", p.name, p.leader)
	}
	return nil
}

// cancel withdraws a command that is not in an entry yet and answers it. Any other is left alone.
func (p *proposer) cancel(r wire.Replier, tag uint64) {
	p.mu.Lock()
	found := withdraw(p.open.cmds, r, tag)
	if found {
		p.open.live--
	} else if ln := p.lanes.by[laneOf(r)]; ln != nil && withdraw(ln.cmds[ln.head:], r, tag) {
		found = true
		p.lanes.live--
	}
	p.settle()
	p.mu.Unlock()
	if found {
		r.Reply(tag, wire.Failf(wire.Canceled, "the command was canceled before it was executed"))
	}
}

func withdraw(cmds []pending, r wire.Replier, tag uint64) bool {
	for i := range cmds {
		if cmds[i].tag == tag && cmds[i].r == r {
			cmds[i].r = nil
			return true
		}
	}
	return false
}

// lead begins or ends the time in which Raft takes entries here. leader names who leads instead, if that is known: then
// what waits is told so, otherwise it goes on waiting, to its deadline or for the group's patience.
func (p *proposer) lead(leading bool, leader string) {
	p.mu.Lock()
	leading = leading && !p.closed
	if leading && !p.leading {
		p.opening = true
	}
	p.leading, p.leader = leading, leader
	var gone []pending
	if !leading {
		p.open.finish(p.limit)
		p.opening = false
		if err := p.refusal(); err != nil {
			gone = p.takeAll()
		} else {
			p.bound(wire.DeadlineAfter(p.patience))
		}
	}
	err := p.refusal()
	p.mu.Unlock()
	p.answer(gone, err)
	p.rouse()
}

// close refuses what waits and what comes, and ends the goroutine when nothing is left to do. Entries on their way go on.
func (p *proposer) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.lead(false, "")
}

// rouse wakes the goroutine if it sleeps.
func (p *proposer) rouse() {
	p.mu.Lock()
	wake := p.asleep
	p.asleep = false
	p.mu.Unlock()
	if wake {
		p.wake <- struct{}{}
	}
}

// bound gives everything that waits without a deadline the given one. The lock is held.
func (p *proposer) bound(deadline int64) {
	set := func(cmds []pending) {
		for i := range cmds {
			if cmds[i].deadline == 0 {
				cmds[i].deadline = deadline
			}
		}
	}
	set(p.open.cmds)
	if len(p.open.cmds) > 0 && p.open.soon == 0 {
		p.open.soon = deadline
	}
	for _, ln := range p.lanes.ring {
		set(ln.cmds[ln.head:])
	}
}

// takeAll empties the open batch and the lanes and returns what was in them. The lock is held.
func (p *proposer) takeAll() []pending {
	var all []pending
	take := func(cmds []pending) {
		for _, c := range cmds {
			if c.r != nil {
				all = append(all, c)
			}
		}
	}
	take(p.open.cmds)
	p.open.reset()
	for _, ln := range p.lanes.ring {
		take(ln.cmds[ln.head:])
	}
	p.lanes = lanes{}
	return all
}

// takeExpired withdraws everything whose deadline has passed and returns it. The lock is held.
func (p *proposer) takeExpired(now int64) []pending {
	var gone []pending
	for i := range p.open.open {
		if at := p.open.open[i].deadline; at != 0 && at <= now {
			p.open.finish(p.limit)
			break
		}
	}
	take := func(cmds []pending) (n int) {
		for i := range cmds {
			if c := &cmds[i]; c.r != nil && c.deadline != 0 && c.deadline <= now {
				gone = append(gone, *c)
				c.r = nil
				n++
			}
		}
		return n
	}
	p.open.live -= take(p.open.cmds)
	for _, ln := range p.lanes.ring {
		p.lanes.live -= take(ln.cmds[ln.head:])
	}
	p.settle()
	return gone
}

// settle drops what is left of batch and lanes when all in them has been withdrawn, and lets lanes move up into an empty
// batch. The lock is held.
func (p *proposer) settle() {
	if p.lanes.live == 0 && len(p.lanes.ring) > 0 {
		p.lanes = lanes{spare: p.lanes.spare}
	}
	if p.open.live == 0 && len(p.open.open) == 0 && len(p.open.cmds) > 0 {
		p.open.reset()
	}
	if p.open.live == 0 && len(p.open.open) == 0 && p.lanes.live > 0 {
		p.lanes.refill(p.open, p.guess, p.limit)
	}
}

// answer gives err to each.
func (p *proposer) answer(gone []pending, err *wire.Error) {
	if len(gone) == 0 {
		return
	}
	p.mu.Lock()
	p.failed += uint64(len(gone))
	p.mu.Unlock()
	resp := wire.Fail(err)
	for _, c := range gone {
		if c.r != nil {
			c.r.Reply(c.tag, resp)
		}
	}
}
