package queue

import (
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/engine/waits"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// pops knows every pop and lease that has not been answered: those whose command is on its way, and those that are parked
// in the line of their queue until it has something for them.
//
// A wakeup is never lost: a pop is parked on the goroutine that applies, when its command has found nothing, and whatever
// is pushed is applied there too, and said by ready, after it.
type pops struct {
	log   *zap.Logger
	group *atomic.Pointer[replica.Group]
	limit int

	parked atomic.Int64 // in lines; read without mu before a line is looked for

	mu      sync.Mutex // guards everything below and the pops; never held while something is proposed or answered
	all     map[pool.Origin]*pop
	lines   map[string]*line
	ends    *waits.Waits[*pop] // of all who are parked
	tickets uint64
	owed    int           // canceled pops that are on their way, and what is being put back
	settled chan struct{} // not nil: closed when nothing is owed
	returns []piece       // to be proposed again
	stalled []string      // queues whose lines have a wakeup coming
	spare   []*pop
	closed  bool

	woken []*pop // of ready, which only the apply goroutine calls

	lost     atomic.Uint64 // messages that could not be put back
	returned atomic.Uint64 // messages that were put back
}

func newPops(limit int, log *zap.Logger, group *atomic.Pointer[replica.Group]) *pops {
	return &pops{
		log: log, group: group, limit: limit, ends: waits.New((*pop).over, (*pop).place),
		all: make(map[pool.Origin]*pop), lines: make(map[string]*line),
	}
}

// keepPops is how many unused pops are kept.
const keepPops = 1024

var errStopping = wire.Errorf(wire.Unavailable, "the queue engine is stopping")

// submit takes a pop whose payload has been checked. One that may wait stands behind those who do already.
func (d *pops) submit(g *replica.Group, req *wire.Request, r engine.Replier) {
	var m wire.QueuePop
	if err := m.Decode(req.Body); err != nil {
		r.Reply(req.Tag, wire.Fail(err))
		return
	}
	until := int64(0)
	if m.Wait > 0 {
		until = wire.DeadlineAfter(time.Duration(m.Wait) * time.Millisecond)
	}
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		r.Reply(req.Tag, wire.Fail(errStopping))
		return
	}
	p := d.make()
	p.asked = asked{origin: pool.Origin{Replier: r, Tag: req.Tag}, req: *req, count: m.Count, lease: m.Lease, until: until}
	p.req.Tag, p.req.Body = p.uses, nil
	p.queue = append(p.queue[:0], m.Queue...)
	d.all[p.origin] = p
	if l := d.lines[string(m.Queue)]; until != 0 && l != nil && l.first != nil && g.Leads() {
		err := d.park(p)
		d.mu.Unlock()
		if err != nil {
			r.Reply(req.Tag, wire.Fail(err))
		}
		return
	}
	d.mu.Unlock()
	p.propose(g)
}

// make returns a pop for a new request. The lock is held.
func (d *pops) make() *pop {
	if n := len(d.spare); n > 0 {
		p := d.spare[n-1]
		d.spare = d.spare[:n-1]
		p.uses++
		return p
	}
	return &pop{d: d}
}

// forget takes a pop that is about to be answered out of the table, and keeps its memory for another. The lock is held; p is
// not to be touched after it is given up.
func (d *pops) forget(p *pop) {
	delete(d.all, p.origin)
	if len(d.spare) < keepPops {
		p.asked = asked{}
		d.spare = append(d.spare, p)
	}
}

// cancel withdraws a pop, if there is one of that name. One that is parked has taken nothing; what one that is on its way
// has taken is put back before it is answered.
func (d *pops) cancel(r engine.Replier, tag uint64) bool {
	d.mu.Lock()
	p := d.all[pool.Origin{Replier: r, Tag: tag}]
	if p == nil {
		d.mu.Unlock()
		return false
	}
	if p.line != nil {
		d.unpark(p)
		d.forget(p)
		d.mu.Unlock()
		r.Reply(tag, canceled())
		return true
	}
	if !p.canceled {
		p.canceled = true
		d.owed++
	}
	command := p.uses
	d.mu.Unlock()
	d.group.Load().Cancel(p, command)
	return true
}

func canceled() wire.Response { return wire.Failf(wire.Canceled, "the request was withdrawn") }

// close answers all who are parked and lets nobody wait any more. Commands on their way are answered by the group.
func (d *pops) close() {
	d.mu.Lock()
	d.closed = true
	var gone []pool.Origin
	for d.ends.Len() > 0 {
		p := d.ends.First()
		gone = append(gone, p.origin)
		d.unpark(p)
		d.forget(p)
	}
	d.mu.Unlock()
	for _, o := range gone {
		o.Replier.Reply(o.Tag, wire.Fail(errStopping))
	}
}

// resign proposes all who are parked again, because this node does not lead any more: they are told who does, or wait for a
// leader as any command does.
func (d *pops) resign(g *replica.Group) {
	if d.parked.Load() == 0 {
		return
	}
	d.mu.Lock()
	var gone []*pop
	for d.ends.Len() > 0 {
		p := d.ends.First()
		d.unpark(p)
		gone = append(gone, p)
	}
	d.mu.Unlock()
	for _, p := range gone {
		p.propose(g)
	}
}
