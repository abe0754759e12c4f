package queue

import (
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// giveBack puts back what came for a client that has withdrawn its pop meanwhile. The client is answered when that is done:
// Canceled, which says that nothing was taken.
type giveBack struct {
	d      *pops
	origin pool.Origin
	queue  string
	leased bool
	pieces []returnPiece
	open   int // pieces that are not settled; guarded by pops.mu, as lost is
	lost   int // messages that could not be put back
}

// returnPiece is the payload of one OpQueueReturn, and how many messages it has.
type returnPiece struct {
	body []byte
	n    int
}

// piece names a part of a giveBack that is to be proposed again.
type piece struct {
	b *giveBack
	i int
}

// pieceBytes is how many bytes of bodies go into one return. A body more may follow: it stays under the size of a command.
const pieceBytes = 4 << 20

// answerCanceled ends a pop that was withdrawn while its command was on its way. next gets its wakeup, if it had one. It is
// called with the lock held, and gives it back.
func (d *pops) answerCanceled(p *pop, resp wire.Response, next *pop) {
	if resp.Code == wire.OK && resp.Num > 0 {
		b := &giveBack{d: d, origin: p.origin, queue: string(p.queue), leased: p.req.Op == wire.OpQueueLease}
		d.forget(p)
		d.mu.Unlock()
		b.begin(resp.Body)
		return
	}
	origin := p.origin
	d.forget(p)
	d.repay()
	d.mu.Unlock()
	if resp.Code == wire.OK || resp.Code == wire.Empty {
		resp = canceled()
	}
	origin.Replier.Reply(origin.Tag, resp)
	d.wake(next)
}

// begin proposes the return of the deliveries in list.
func (b *giveBack) begin(list []byte) {
	m := wire.QueueReturn{Queue: []byte(b.queue), Leased: b.leased}
	size := 0
	cut := func() {
		if n := len(m.Deliveries); n > 0 {
			b.pieces = append(b.pieces, returnPiece{m.Append(make([]byte, 0, size+64*n)), n})
			m.Deliveries, size = m.Deliveries[:0], 0
		}
	}
	for r := wire.NewReader(list); r.Len() > 0; {
		var dl wire.QueueDelivery
		wire.TakeDelivery(&r, &dl)
		if b.leased {
			dl = wire.QueueDelivery{Receipt: dl.Receipt} // the message is where it was
		}
		if size > 0 && size+len(dl.Body) > pieceBytes {
			cut()
		}
		m.Deliveries = append(m.Deliveries, dl)
		size += len(dl.Body) + deliverySize(&dl)
	}
	cut()
	b.open = len(b.pieces)
	g := b.d.group.Load()
	for i := range b.pieces {
		b.propose(g, i)
	}
}

// deliverySize is about how many bytes a delivery takes beside its body.
func deliverySize(dl *wire.QueueDelivery) int {
	n := 64 + len(dl.Group)
	for i := range dl.Headers {
		n += len(dl.Headers[i].Name) + len(dl.Headers[i].Value) + 8
	}
	return n
}

func (b *giveBack) propose(g *replica.Group, i int) {
	g.Propose(&wire.Request{Op: wire.OpQueueReturn, Tag: uint64(i), Body: b.pieces[i].body}, false, b)
}

// Reply takes what became of a piece. One that was surely not executed is proposed again, while this node leads.
func (b *giveBack) Reply(tag uint64, resp wire.Response) {
	d, i := b.d, int(tag)
	d.mu.Lock()
	switch resp.Code {
	case wire.OK:
		d.returned.Add(uint64(b.pieces[i].n))
	case wire.Unavailable, wire.Busy, wire.Full, wire.Timeout:
		if !d.closed && d.group.Load().Leads() {
			d.returns = append(d.returns, piece{b, i})
			d.mu.Unlock()
			return
		}
		b.lost += b.pieces[i].n
	default:
		b.lost += b.pieces[i].n
	}
	b.open--
	done := b.open == 0
	d.mu.Unlock()
	if done {
		b.finish(&resp)
	}
}

// finish answers the client. Leases that could not be ended run out by themselves.
func (b *giveBack) finish(last *wire.Response) {
	answer := canceled()
	if b.lost > 0 {
		b.d.lost.Add(uint64(b.lost))
		b.d.log.Warn("messages came for a client that had gone and could not be put back", zap.String("queue", b.queue),
			zap.Int("messages", b.lost), zap.Bool("leased", b.leased), zap.Error(last.Err()))
		answer = wire.Failf(wire.OutcomeUnknown, "the request was withdrawn, but %d messages had been handed out and could not be put back: %s", b.lost, last.Body)
	}
	b.origin.Replier.Reply(b.origin.Tag, answer)
	b.d.mu.Lock()
	b.d.repay()
	b.d.mu.Unlock()
}

// retry proposes again what was refused for the moment, and wakes lines whose turn it was then.
func (d *pops) retry(g *replica.Group) {
	d.mu.Lock()
	returns, stalled := d.returns, d.stalled
	d.returns, d.stalled = nil, nil
	d.mu.Unlock()
	for _, p := range returns {
		p.b.propose(g, p.i)
	}
	for _, queue := range stalled {
		d.rouse(queue, 1, nil)
	}
}

// repay notes that a pop that was withdrawn has been answered. The lock is held.
func (d *pops) repay() {
	d.owed--
	if d.owed == 0 && d.settled != nil {
		close(d.settled)
		d.settled = nil
	}
}

// settle waits until everything that was withdrawn has been answered and put back, but no longer than patience.
func (d *pops) settle(patience time.Duration) {
	if g := d.group.Load(); g != nil {
		d.retry(g)
	}
	d.mu.Lock()
	if d.owed == 0 {
		d.mu.Unlock()
		return
	}
	settled := make(chan struct{})
	d.settled = settled
	d.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-settled:
	case <-timer.C:
		d.log.Warn("pops that were withdrawn have not been answered in time")
	}
}
