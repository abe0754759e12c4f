package queue

import "github.com/skshohagmiah/flin/pkg/wire"

// settleClaim ends what a woken pop was promised, and returns who gets its wakeup if it has not made use of it: its command
// was not executed. One that has found nothing, or not all, passes nothing on: whoever took the rest has touched the queue,
// and if that has more, it is said again. Where commands are refused, the next would be refused too: its turn comes when the
// ticker looks. The lock is held.
func (d *pops) settleClaim(p *pop, resp *wire.Response) *pop {
	l := p.claims
	if l == nil {
		return nil
	}
	p.claims = nil
	l.claimed -= p.count
	switch {
	case resp.Code == wire.OK || resp.Code == wire.Empty || l.first == nil:
		d.tidy(l)
		return nil
	case resp.Code == wire.Canceled || resp.Code == wire.Timeout:
		return d.promise(l)
	default:
		d.stalled = append(d.stalled, l.queue)
		return nil
	}
}

// promise takes the first out of a line, to be proposed. The lock is held.
func (d *pops) promise(l *line) *pop {
	p := l.first
	p.claims = l
	l.claimed += p.count
	d.unpark(p)
	return p
}

// wake proposes a pop that was taken out of its line; nil is none.
func (d *pops) wake(p *pop) {
	if p != nil {
		p.propose(d.group.Load())
	}
}

// ready is called on the apply goroutine when a queue can deliver so many messages: it wakes the first in line.
func (d *pops) ready(queue string, available int) {
	if d.parked.Load() > 0 {
		d.woken = d.rouse(queue, uint64(available), d.woken[:0])
	}
}

// rouse wakes the first in a queue's line, for so many messages less those that are spoken for. woken is memory to use.
func (d *pops) rouse(queue string, available uint64, woken []*pop) []*pop {
	d.mu.Lock()
	for l := d.lines[queue]; l != nil && l.first != nil && l.claimed < available; {
		woken = append(woken, d.promise(l))
	}
	d.mu.Unlock()
	for i, p := range woken {
		woken[i] = nil
		d.wake(p)
	}
	return woken
}
