package stream

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/engine/waits"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// calls knows every fetch, consume and reset that has not been answered: those on their way to a worker or on one, and those
// that are parked until something comes.
//
// A wakeup is never lost: before a call looks for the last time it listens (see spot), and what happens after that marks it; a call
// that is marked is not parked.
type calls struct {
	e     *Engine
	limit int
	crew  *crew[*call]

	listeners atomic.Int64 // calls that listen; read without mu before a spot is looked for
	waiting   atomic.Int64 // calls that are parked
	orders    atomic.Uint64

	mu     sync.Mutex // guards what follows and a part of each call; never held while the machine or the group is asked
	all    map[pool.Origin]*call
	spots  map[place]*spot     // the first in each place
	ends   *waits.Waits[*call] // of all who are parked
	spare  []*call
	closed bool
}

func newCalls(e *Engine, limit, workers int) *calls {
	d := &calls{e: e, limit: limit, ends: waits.New((*call).over, (*call).place), all: make(map[pool.Origin]*call), spots: make(map[place]*spot)}
	d.crew = newCrew(workers, d.work)
	return d
}

// keepCalls is how many unused calls are kept.
const keepCalls = 1024

// submit takes a request.
func (d *calls) submit(g *replica.Group, req *wire.Request, r engine.Replier) {
	c, err := d.make(req, r)
	if err != nil {
		r.Reply(req.Tag, wire.Fail(err))
		return
	}
	if c.flags&wire.FlagOrdered != 0 {
		g.Pass(&barrier, c.deadline, r, c.ready)
		return
	}
	c.gate()
}

// make returns a call that is known.
func (d *calls) make(req *wire.Request, r engine.Replier) (*call, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errStopping
	}
	if len(d.all) >= d.limit {
		return nil, wire.Errorf(wire.Busy, "%d fetches and consumes are under way already, which is the limit", d.limit)
	}
	c := &call{d: d}
	if n := len(d.spare); n > 0 {
		c, d.spare = d.spare[n-1], d.spare[:n-1]
	}
	c.body = append(c.body[:0], req.Body...)
	c.asked = asked{origin: pool.Origin{Replier: r, Tag: req.Tag}, op: req.Op, flags: req.Flags, deadline: req.Deadline}
	wait, err := c.decode()
	if err != nil {
		d.spareCall(c)
		return nil, err
	}
	if wait > 0 {
		c.until = wire.DeadlineAfter(time.Duration(wait) * time.Millisecond)
	}
	if c.consume.Turn > 0 {
		c.order = d.orders.Add(1)
	}
	d.all[c.origin] = c
	return c, nil
}

// work looks after one call, on a worker.
func (d *calls) work(c *call) {
	switch {
	case d.gone(c):
		c.answer(canceled())
	case c.deadline != 0 && wire.Clock() > c.deadline:
		c.answer(errLate())
	case c.op == wire.OpStreamFetch:
		d.e.fetch(c)
	case c.op == wire.OpStreamConsume:
		d.e.consume(c)
	default:
		d.e.reset(c)
	}
}

func errLate() wire.Response {
	return wire.Failf(wire.Timeout, "the deadline passed before the request was through")
}

// gone reports whether the call was withdrawn.
func (d *calls) gone(c *call) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return c.canceled
}

// finish takes a call that is about to be answered out of the table: it cannot be withdrawn any more. It reports whether it was.
func (d *calls) finish(c *call) (canceled bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.all, c.origin)
	d.unlisten(c)
	return c.canceled
}

// release keeps a call's memory for another.
func (d *calls) release(c *call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spareCall(c)
}

// spareCall does that with the lock held.
func (d *calls) spareCall(c *call) {
	if len(d.spare) < keepCalls && cap(c.owned) <= keepOwned && cap(c.body) <= keepBody {
		clear(c.spots[:cap(c.spots)])
		c.asked = asked{}
		d.spare = append(d.spare, c)
	}
}

// keepBody is how many bytes a payload may have had of which the memory is used again: more than any that is good.
const keepBody = 4 << 10

// keepOwned is of how many partitions a call may have been whose memory is used again.
const keepOwned = 1024

// park lets a call wait, or answers it if it cannot wait any more; the call may be another's then. It is false, and the call is to
// look again, if something has happened since it began to listen.
func (d *calls) park(c *call) bool {
	d.mu.Lock()
	if c.canceled || d.closed {
		d.mu.Unlock()
		c.answer(wire.Fail(errStopping)) // or Canceled
		return true
	}
	if c.woken {
		c.woken = false
		d.mu.Unlock()
		return false
	}
	c.parked = true
	d.waiting.Add(1)
	d.ends.Add(c)
	d.mu.Unlock()
	return true
}

// unpark takes a call from those who wait; whoever calls it has it then. The lock is held.
func (d *calls) unpark(c *call) {
	c.parked = false
	d.waiting.Add(-1)
	d.ends.Remove(c)
}

// cancel withdraws a call, if there is one of that name. One that is on its way is answered when it gets to a worker, or with
// what it has found by then.
func (d *calls) cancel(r engine.Replier, tag uint64) bool {
	d.mu.Lock()
	c := d.all[pool.Origin{Replier: r, Tag: tag}]
	if c == nil {
		d.mu.Unlock()
		return false
	}
	c.canceled = true
	had := c.parked
	if had {
		d.unpark(c)
	}
	d.mu.Unlock()
	if had {
		c.answer(canceled())
	}
	return true
}

// resign sends those who are parked to ask again whether this node leads, because it does not: they are told who does, or wait for
// a leader as any request does.
func (d *calls) resign() {
	if d.waiting.Load() == 0 {
		return
	}
	d.mu.Lock()
	var gone []*call
	for _, c := range d.ends.All() {
		if !c.stale() {
			gone = append(gone, c)
		}
	}
	for _, c := range gone {
		d.unpark(c)
	}
	d.mu.Unlock()
	for _, c := range gone {
		c.gate()
	}
}

// close answers all who are parked or queued, lets nobody wait any more and waits for the workers.
func (d *calls) close() {
	d.mu.Lock()
	d.closed = true
	var parked []*call
	for d.ends.Len() > 0 {
		c := d.ends.First()
		d.unpark(c)
		parked = append(parked, c)
	}
	d.mu.Unlock()
	for _, c := range append(parked, d.crew.close()...) {
		c.answer(wire.Fail(errStopping))
	}
}
