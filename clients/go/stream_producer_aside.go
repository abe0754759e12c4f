package flin

import (
	"context"
	"time"
)

// asideTime is for a question beside the batches.
const asideTime = 5 * time.Second

// aside returns a context for one. It ends early if a batch's time is over before, so that it is given up then.
func (p *Producer) aside() (context.Context, context.CancelFunc) {
	p.mu.Lock()
	now, limit := time.Now(), asideTime
	for _, l := range p.active {
		first := l.open
		if len(l.line) > 0 {
			first = l.line[0]
		}
		if first != nil {
			limit = min(limit, p.timeout-now.Sub(first.since))
		}
	}
	p.mu.Unlock()
	return context.WithTimeout(p.stream.client.pool.ctx, max(limit, longestRest))
}

// adopt gets a producer id for lanes that cannot go on under theirs.
func (p *Producer) adopt(lanes []*lane) {
	if len(lanes) == 0 {
		return
	}
	ctx, cancel := p.aside()
	defer cancel()
	id, err := p.stream.client.With(ctx).Stream.producerID()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range lanes {
		if err != nil {
			l.again = time.Now().Add(longestRest)
			continue
		}
		l.id, l.next, l.known, l.renew = id, 0, false, false
		for _, b := range l.line {
			b.numbered = b.stored
		}
	}
}

// refresh asks how many partitions the topic has by now.
func (p *Producer) refresh() {
	ctx, cancel := p.aside()
	defer cancel()
	info, err := p.stream.client.With(ctx).Stream.Topic(string(p.topic))
	if err != nil {
		return // what is wrong is said of the batches
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grow(&info)
}

// callBack calls the callbacks of what is settled.
func (p *Producer) callBack() {
	var list []*batch
	for {
		p.mu.Lock()
		for len(p.settled) == 0 && !p.ended {
			p.tell.Wait()
		}
		list, p.settled = p.settled, list[:0]
		p.mu.Unlock()
		if len(list) == 0 {
			return
		}
		for _, b := range list {
			b.report()
		}
		p.mu.Lock()
		for i, b := range list {
			b.lane.told++
			p.recycle(b)
			list[i] = nil
		}
		if p.moved != nil {
			close(p.moved)
			p.moved = nil
		}
		p.mu.Unlock()
	}
}

// report calls the callbacks of a batch.
func (b *batch) report() {
	at := Position{Partition: int(b.lane.number), Offset: -1}
	for i, done := range b.done {
		if done == nil {
			continue
		}
		if b.failed == nil && b.base >= 0 {
			at.Offset = b.base + int64(i)
		}
		done(at, b.failed)
	}
}
