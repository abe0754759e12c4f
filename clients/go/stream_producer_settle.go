package flin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// tookOf is how many answers the mean of how long they take is about.
const tookOf = 8

// review looks at the answers that have come. It is called with mu held, as is all below.
func (p *Producer) review(now time.Time) {
	for i, b := range p.answered {
		l := b.lane
		b.flies = false
		l.flying--
		p.flying--
		b.judge()
		if b.stored {
			l.known, l.tries, l.last = true, 0, now
			p.took += (now.Sub(b.sent) - p.took) / tookOf
		} else {
			l.broken = true
		}
		p.answered[i] = nil
	}
	p.answered = p.answered[:0]
	for _, l := range p.active {
		if p.aborted != nil && l.flying == 0 {
			l.abandon(p.aborted)
		}
		l.settle(now)
		if l.broken && l.flying == 0 {
			l.rewind(now)
		}
	}
	p.active = slices.DeleteFunc(p.active, func(l *lane) bool {
		l.active = l.open != nil || len(l.line) > 0
		return !l.active
	})
}

// judge says what the answer makes of the batch.
func (b *batch) judge() {
	k := &b.call
	if k.lost != nil {
		b.unsure = b.unsure || k.sent
		b.cause = &brokenError{cause: k.lost, op: k.op, unknown: k.sent}
		return
	}
	b.cause = k.resp.Err()
	switch k.resp.Code {
	case wire.OK:
		b.stored, b.base = true, k.resp.Num
	case wire.OutcomeUnknown:
		b.unsure = true
	case wire.Exists, wire.Conflict:
		if k.resp.Code == wire.Exists && b.unsure { // longer ago than the server knows where
			b.stored, b.base = true, -1
			return
		}
		// One before it is missing; or its place has been taken by what is not of this producer, since it was never executed.
		b.unsure = false
		if b.lane.line[0] == b { // the server has forgotten those
			b.lane.renew = true
		}
	case wire.Unavailable, wire.NotLeader, wire.Busy, wire.Timeout, wire.Canceled, wire.Full:
	default:
		b.failed = b.cause
	}
}

// settle takes what is over out of the front of the line.
func (l *lane) settle(now time.Time) {
	p := l.producer
	n := 0
	for ; n < len(l.line) && l.line[n].resolved(); n++ {
		b := l.line[n]
		p.pending -= b.cost
		if b.failed != nil {
			if p.failure == nil {
				p.failure = b.failed
			}
			l.renew, l.broken, l.again = true, true, now
		}
		p.settled = append(p.settled, b)
	}
	if n == 0 {
		return
	}
	l.line = slices.Delete(l.line, 0, n)
	p.tell.Signal()
	if p.room != nil {
		close(p.room)
		p.room = nil
	}
}

// rewind says, when no batch of the lane is on its way, when those that are not stored are sent again, from the first on; or gives
// them up because their time is over.
func (l *lane) rewind(now time.Time) {
	l.expire(now)
	if l.again.IsZero() {
		l.again = now.Add(min(minBackoff<<min(l.tries, 10), longestRest))
		l.tries++
	}
}

// expire gives up every batch whose time is over, from the first on. What may have been stored under an id that is given up must not
// be sent under another: it could be stored twice.
func (l *lane) expire(now time.Time) {
	limit := l.producer.timeout
	if l.open != nil && now.Sub(l.open.since) > limit {
		l.shut()
	}
	late, unsure := 0, true // whether those before the next may all have been stored: else it was not
	for ; late < len(l.line) && now.Sub(l.line[late].since) > limit; late++ {
		b := l.line[late]
		unsure = unsure && (b.unsure || b.stored)
		if b.resolved() {
			continue
		}
		why := fmt.Errorf("not stored within %v (DeliveryTimeout)", limit)
		if b.cause != nil {
			why = fmt.Errorf("%w: %w", why, b.cause)
		}
		b.giveUp(why)
	}
	if late == 0 {
		return
	}
	for _, b := range l.line[late:] {
		if unsure = unsure && (b.unsure || b.stored); unsure && !b.resolved() {
			b.giveUp(b.cause)
		}
	}
	l.settle(now)
}

// abandon gives everything up.
func (l *lane) abandon(why error) {
	l.shut()
	for _, b := range l.line {
		if !b.resolved() {
			b.giveUp(why)
		}
	}
}

// giveUp ends a batch of which nobody has said what became of it.
func (b *batch) giveUp(why error) {
	code := ErrTimeout
	switch {
	case b.unsure:
		code = ErrOutcomeUnknown
	case errors.Is(why, ErrClosed) || errors.Is(why, context.Canceled):
		code = ErrCanceled
	}
	b.failed = fmt.Errorf("flin: %v: %w: %w", wire.OpStreamAppend, code, why)
}
