package queue

import (
	"math/rand/v2"

	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// pop is one OpQueuePop or OpQueueLease, and the Replier of its command. Its memory is used again: d stays, what is in asked
// is another's then.
type pop struct {
	d     *pops
	uses  uint64 // how often the memory was used: the tag of the command
	queue []byte // the name
	body  []byte // of the command
	asked
}

// asked is what a pop knows of its request.
type asked struct {
	origin pool.Origin
	req    wire.Request // without a body
	count  uint64
	lease  uint64 // ms
	until  int64  // by wire.Clock: when waiting ends; 0: it does not wait

	canceled bool
	ticket   uint64 // its place among those who wait, 0: it has none yet
	line     *line  // not nil: it is parked
	claims   *line  // not nil: it was woken, and what it may take is spoken for
	next     *pop
	prev     *pop
	end      int // index in ends while it is parked
}

// propose gives the pop's command to the log. p may be another's when it returns.
func (p *pop) propose(g *replica.Group) {
	m := wire.QueuePop{Queue: p.queue, Count: p.count, Lease: p.lease}
	for p.req.Op == wire.OpQueueLease && m.Nonce == 0 {
		m.Nonce = rand.Uint64()
	}
	p.body = m.Append(p.body[:0])
	req := p.req
	req.Body = p.body
	g.Propose(&req, false, p)
}

// Lane returns whose order the command keeps. Whoever withdraws a command may ask when the memory is another's already.
func (p *pop) Lane() wire.Replier {
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	return p.origin.Replier
}

// Reply takes what became of the command.
func (p *pop) Reply(_ uint64, resp wire.Response) {
	d := p.d
	d.mu.Lock()
	origin := p.origin
	next := d.settleClaim(p, &resp)
	if p.canceled {
		d.answerCanceled(p, resp, next)
		return
	}
	if (resp.Code == wire.Empty || resp.Code == wire.Busy) && p.until != 0 && wire.Clock() < p.until {
		err := d.park(p)
		if err == nil && resp.Code == wire.Busy {
			d.stalled = append(d.stalled, p.line.queue)
		}
		d.mu.Unlock()
		if err != nil {
			origin.Replier.Reply(origin.Tag, wire.Fail(err))
		}
		return
	}
	d.forget(p)
	d.mu.Unlock()
	origin.Replier.Reply(origin.Tag, resp)
	d.wake(next)
}
