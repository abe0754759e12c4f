package replica

import (
	"errors"
	"runtime"
	"time"

	"github.com/hashicorp/raft"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// look is how often commands that cannot move on are looked through for passed deadlines.
const look = 20 * time.Millisecond

// eager is which part of a full batch does not wait for the entries before it.
const eager = 8

// run makes entries until close; the second goroutine, reap, is told of each.
func (p *proposer) run() {
	defer close(p.sent)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		b, ok := p.next(timer)
		if !ok {
			return
		}
		if !p.seal(b) {
			continue
		}
		seq := b.seq // b is another's as soon as Raft has it
		p.sent <- sentEntry{seq: seq, future: p.submit(b.buf)}
		p.prepare()
	}
}

// prepare makes a buffer while nobody waits for it: clearing half a megabyte takes longer than a hundred commands.
func (p *proposer) prepare() {
	p.mu.Lock()
	size := p.guess
	need := p.ready == nil && p.open.buf == nil
	p.mu.Unlock()
	if !need {
		return
	}
	buf := make([]byte, entryHead, max(size, entryHead))
	p.mu.Lock()
	p.ready = buf
	p.mu.Unlock()
}

// next waits until an entry may be closed and puts it in flight.
func (p *proposer) next(timer *time.Timer) (*batch, bool) {
	yielded := false
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, false
		}
		ready := p.leading && p.room() && (p.open.crowd() > 0 || p.opening)
		if ready && yielded {
			if wait := p.rally.begin(p.open.crowd(), p.opening || p.open.weight() >= p.limit/eager); wait > 0 {
				p.asleep = true
				p.mu.Unlock()
				p.gather(timer, wait)
				continue
			}
			b := p.detach()
			p.mu.Unlock()
			return b, true
		}
		if ready {
			p.mu.Unlock()
			// Whoever is about to propose gets the chance to be in this entry: many share one fsync.
			runtime.Gosched()
			yielded = true
			continue
		}
		yielded = false
		p.asleep = true
		waiting := p.open.crowd() > 0 || p.lanes.live > 0 || len(p.flight) > 0
		p.mu.Unlock()
		if !waiting {
			<-p.wake
			continue
		}
		timer.Reset(look)
		select {
		case <-p.wake:
		case <-timer.C:
			p.expire()
		}
	}
}

// gather waits until enough have joined the open batch, or for the given time.
func (p *proposer) gather(timer *time.Timer, wait time.Duration) {
	timer.Reset(wait)
	select {
	case <-p.wake:
		return
	case <-timer.C:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.asleep {
		<-p.wake // somebody has just sent it, or is about to: the channel has a slot
	}
	p.asleep = false
	p.rally.late()
}

// room reports whether another entry may be closed now. While one is on its way a small batch goes on growing: Raft writes one
// thing after the other anyway, and the more commands share an fsync the better. The lock is held.
func (p *proposer) room() bool {
	return len(p.flight) == 0 || len(p.flight) < p.inFlight && p.open.weight() >= p.limit/eager
}

// expire answers what waits and is too late, and takes the goroutine's sleep back.
func (p *proposer) expire() {
	p.mu.Lock()
	if !p.asleep {
		// Somebody is sending, or has sent, a wake: it must be taken.
		p.mu.Unlock()
		<-p.wake
		p.mu.Lock()
	}
	p.asleep = false
	gone := p.takeExpired(wire.Clock())
	leading := p.leading
	p.mu.Unlock()
	p.answer(gone, p.late(leading))
}

// late is the answer to a command whose deadline has passed before it was in an entry.
func (p *proposer) late(leading bool) *wire.Error {
	if leading {
		return wire.Errorf(wire.Timeout, "the deadline passed before the command was executed")
	}
	return wire.Errorf(wire.Unavailable, "group %s has no leader; the command was not executed", p.name)
}

// detach puts the open batch in flight and opens the next. The lock is held.
func (p *proposer) detach() *batch {
	b := p.open
	p.seq++
	b.seq, b.must = p.seq, p.opening
	b.left = wire.Clock()
	p.opening = false
	p.flight = append(p.flight, b)
	p.owed++
	if n := len(p.spare); n > 0 {
		p.open, p.spare = p.spare[n-1], p.spare[:n-1]
	} else {
		p.open = &batch{}
	}
	p.guess = min((3*p.guess+b.weight())/4+64, p.limit+p.limit/8)
	if b.buf == nil && b.weight() <= cap(p.ready) {
		b.buf, p.ready = p.ready, nil
	}
	p.settle()
	return b
}

// seal answers what is too late, and finishes the entry's bytes. It reports whether there is an entry to send.
func (p *proposer) seal(b *batch) bool {
	b.finish(p.limit)
	if b.soon != 0 {
		if now := wire.Clock(); b.soon <= now {
			late := p.late(true)
			for i := range b.cmds {
				if c := &b.cmds[i]; c.r != nil && c.deadline != 0 && c.deadline <= now {
					c.r.Reply(c.tag, wire.Fail(late))
					c.r = nil
					b.live--
				}
			}
		}
	}
	b.compact()
	if b.live == 0 && !b.must {
		p.mu.Lock()
		p.remove(b.seq)
		p.recycle(b)
		p.owed--
		p.mu.Unlock()
		return false
	}
	if b.buf == nil {
		b.buf = make([]byte, entryHead)
	}
	if 8*len(b.buf) < 5*cap(b.buf) {
		// Machines keep the whole buffer alive by any part of it.
		b.buf = append(make([]byte, 0, len(b.buf)), b.buf...)
	}
	sealEntry(b.buf, p.origin, b.seq, p.clock.now(p.floor()), len(b.cmds))
	b.mark = &b.buf[0]
	return true
}

// remove takes the entry out of flight. The lock is held.
func (p *proposer) remove(seq uint64) {
	for i, b := range p.flight {
		if b.seq == seq {
			copy(p.flight[i:], p.flight[i+1:])
			p.flight[len(p.flight)-1] = nil
			p.flight = p.flight[:len(p.flight)-1]
			return
		}
	}
}

// recycle keeps b for the next entries. The lock is held.
func (p *proposer) recycle(b *batch) {
	if len(p.spare) < p.inFlight && cap(b.cmds) <= 16<<10 {
		b.reset()
		p.spare = append(p.spare, b)
	}
}

// take returns the batch of an entry that is about to be applied, nil if nobody here waits for it.
func (p *proposer) take(seq uint64) *batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.flight {
		if b.seq == seq && !b.taken {
			b.taken = true
			return b
		}
	}
	return nil
}

// done gives back a batch whose commands have all been answered. Only now may the next small batch be closed, so that
// those who were just answered can be in it.
func (p *proposer) done(b *batch) {
	p.mu.Lock()
	p.rally.ended(len(b.cmds)+b.guests, p.open.crowd()+p.lanes.live, wire.Clock()-b.left)
	p.remove(b.seq)
	p.recycle(b)
	wake := p.asleep
	p.asleep = false
	p.mu.Unlock()
	if wake {
		p.wake <- struct{}{}
	}
}

// reap waits for each entry's future in turn. What was applied has been answered by the apply goroutine before.
func (p *proposer) reap() {
	for s := range p.sent {
		err := s.future.Error()
		if err == nil {
			err = errFaulted // if the apply goroutine has not answered, it has stopped applying
		}
		p.fail(s.seq, err)
		p.mu.Lock()
		p.owed--
		p.mu.Unlock()
	}
}

// fail answers the commands of an entry that Raft has given up.
func (p *proposer) fail(seq uint64, err error) {
	b := p.take(seq)
	if b == nil {
		return
	}
	p.mu.Lock()
	leader := p.leader
	p.mu.Unlock()
	p.answer(b.cmds, p.verdict(err, leader))
	p.done(b)
}

// failAll answers everything that is on its way and that nobody is answering.
func (p *proposer) failAll(err error) {
	p.mu.Lock()
	var seqs []uint64
	for _, b := range p.flight {
		seqs = append(seqs, b.seq)
	}
	p.mu.Unlock()
	for _, seq := range seqs {
		p.fail(seq, err)
	}
}

// verdict says what Raft's error means to a client: three of its errors are given before anything reaches the log, all
// others leave open whether the entry survives.
func (p *proposer) verdict(err error, leader string) *wire.Error {
	switch {
	case !errors.Is(err, raft.ErrNotLeader) && !errors.Is(err, raft.ErrLeadershipTransferInProgress) && !errors.Is(err, raft.ErrEnqueueTimeout):
		return wire.Errorf(wire.OutcomeUnknown, "group %s lost its leader or its log while the command was on its way: it may or may not have been executed (%v)", p.name, err)
	case leader != "":
		return wire.Errorf(wire.NotLeader, "group %s is led by %s", p.name, leader)
	default:
		return wire.Errorf(wire.Unavailable, "group %s has just lost its leader; the command was not executed", p.name)
	}
}

// idle reports whether nothing is on its way.
func (p *proposer) idle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.flight) == 0 && p.owed == 0
}
