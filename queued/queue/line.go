package queue

import (
	"context"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// line holds those who wait for messages of one queue, in the order of their tickets. It is there while somebody does, or
// was woken and has not been heard of since.
type line struct {
	queue       string
	first, last *pop
	claimed     uint64 // messages that those who were woken may take
}

// tidy drops a line that nobody stands in. The lock is held.
func (d *pops) tidy(l *line) {
	if l.first == nil && l.claimed == 0 {
		delete(d.lines, l.queue)
	}
}

// park puts a pop into its queue's line: at the end, or in its old place if it has been there. It refuses, and forgets the
// pop, where nobody may wait. The lock is held.
func (d *pops) park(p *pop) error {
	if p.ticket == 0 && d.ends.Len() >= d.limit {
		d.forget(p)
		return wire.Errorf(wire.Busy, "%d pops wait for messages already, which is the limit", d.limit)
	}
	if d.closed {
		d.forget(p)
		return errStopping
	}
	l := d.lines[string(p.queue)]
	if l == nil {
		l = &line{queue: string(p.queue)}
		d.lines[l.queue] = l
	}
	if p.ticket == 0 {
		d.tickets++
		p.ticket = d.tickets
	}
	l.insert(p)
	p.line = l
	d.parked.Add(1)
	d.ends.Add(p)
	return nil
}

// unpark takes a pop out of its line. The lock is held.
func (d *pops) unpark(p *pop) {
	l := p.line
	l.remove(p)
	p.line = nil
	d.tidy(l)
	d.parked.Add(-1)
	d.ends.Remove(p)
}

// insert puts p behind those with a lower ticket: nearly always at one of the two ends.
func (l *line) insert(p *pop) {
	after := l.last
	if l.first != nil && p.ticket < l.first.ticket {
		after = nil
	}
	for after != nil && after.ticket > p.ticket {
		after = after.prev
	}
	p.prev = after
	if after != nil {
		p.next, after.next = after.next, p
	} else {
		p.next, l.first = l.first, p
	}
	if p.next != nil {
		p.next.prev = p
	} else {
		l.last = p
	}
}

func (l *line) remove(p *pop) {
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		l.first = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	} else {
		l.last = p.prev
	}
	p.next, p.prev = nil, nil
}

// over is when the pop's waiting ends, by wire.Clock.
func (p *pop) over() int64 {
	if p.req.Deadline != 0 {
		return min(p.until, p.req.Deadline)
	}
	return p.until
}

func (p *pop) place() *int { return &p.end }

// run answers those whose waiting ends, until ctx does.
func (d *pops) run(ctx context.Context) { d.ends.Run(ctx, d.expire) }

// expire answers those whose waiting is over and returns how long it is until the next.
func (d *pops) expire() time.Duration {
	for {
		d.mu.Lock()
		now := wire.Clock()
		p, left := d.ends.Due(now)
		if left > 0 {
			d.mu.Unlock()
			return left
		}
		resp := wire.Failf(wire.Timeout, "the deadline passed while the request waited for a message")
		if p.until <= now {
			resp = wire.Failf(wire.Empty, "no message came in the time that the request could wait")
		}
		o := p.origin
		d.unpark(p)
		d.forget(p)
		d.mu.Unlock()
		o.Replier.Reply(o.Tag, resp)
	}
}
