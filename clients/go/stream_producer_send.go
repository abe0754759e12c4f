package flin

import (
	"errors"
	"runtime"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	refreshTime = 30 * time.Second       // how often the topic is asked for more partitions
	shortLull   = 2 * time.Millisecond   // how long a batch that is not full waits, at least and at most, while those of
	longLull    = 50 * time.Millisecond  // other partitions are on their way: about as long as answers take
	longestRest = 200 * time.Millisecond // before batches are sent again
)

// run is the sender: it looks at answers, sends batches, and settles what is over, until the producer is closed and nothing is left.
func (p *Producer) run() {
	told := make(chan struct{})
	go func() {
		defer close(told)
		p.callBack()
	}()
	var work work
	refresh := time.Now().Add(refreshTime)
	for {
		runtime.Gosched() // so that those who are about to add records have added them
		now := time.Now()
		if now.After(refresh) {
			p.refresh()
			refresh = now.Add(refreshTime)
		}
		p.mu.Lock()
		p.review(now)
		p.collect(&work, now)
		idle := len(work.send)+len(work.lacking) == 0
		over := idle && len(p.active) == 0 && (p.closed || p.aborted != nil)
		p.asleep = idle && !over
		p.mu.Unlock()
		switch {
		case over:
			p.mu.Lock()
			p.ended = true
			p.tell.Signal()
			p.mu.Unlock()
			<-told
			close(p.over)
			return
		case idle:
			p.sleep(earlier(work.next, refresh))
			continue
		}
		p.adopt(work.lacking)
		for _, b := range work.send {
			p.send(b, now)
		}
	}
}

// work is what the sender has to do.
type work struct {
	send    []*batch
	lacking []*lane   // need a new producer id
	next    time.Time // when there may be more
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// sleep returns at a time, when there is something to look at, or when the producer's client is closed: then everything is given up.
func (p *Producer) sleep(until time.Time) {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	p.mu.Lock()
	aborted := p.aborted
	p.mu.Unlock()
	closed := p.stream.client.pool.ctx.Done()
	if aborted != nil {
		closed = nil
		p.recall(aborted)
	}
	select {
	case <-p.wake:
		return
	case <-t.C:
	case <-closed:
		p.abort(ErrClosed)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.asleep { // somebody was faster
		<-p.wake
	}
	p.asleep = false
}

// recall takes back the batches that are on their way.
func (p *Producer) recall(why error) {
	var out []*batch
	p.mu.Lock()
	for _, l := range p.active {
		for _, b := range l.line {
			if b.flies {
				out = append(out, b)
			}
		}
	}
	p.mu.Unlock()
	for _, b := range out {
		if b.conn != nil && b.conn.abandon(&b.call) {
			b.call.lost = why
			b.finished()
		}
	}
}

// collect finds what is to be done now. It is called with mu held.
func (p *Producer) collect(w *work, now time.Time) {
	w.send, w.lacking, w.next = w.send[:0], w.lacking[:0], now.Add(time.Hour)
	quiet := p.flying == 0
	wait := p.linger
	if !quiet {
		wait = max(wait, min(max(p.took, shortLull), longLull))
	}
	for _, l := range p.active {
		if l.broken {
			switch {
			case l.flying > 0:
				continue
			case now.Before(l.again):
				w.next = earlier(w.next, l.again)
				continue
			case l.renew:
				w.lacking = append(w.lacking, l)
				continue
			}
			l.broken, l.again = false, time.Time{}
		}
		if l.open != nil && len(l.line) == l.flying && len(l.line) < l.most(now) {
			due := l.open.since.Add(wait)
			switch {
			case p.closed, !now.Before(due) && (quiet || l.flying == 0):
				l.shut()
			case now.Before(due):
				w.next = earlier(w.next, due)
			}
		}
		w.send = l.launch(w.send, now)
	}
}

// most returns how many batches of the lane, from the first that is not settled on, may be on their way.
func (l *lane) most(now time.Time) int {
	if l.flying == 0 && now.Sub(l.last) > forgets {
		l.known = false
	}
	if !l.known {
		return 1
	}
	return flights
}

// launch adds the batches of the lane that may go to out.
func (l *lane) launch(out []*batch, now time.Time) []*batch {
	for _, b := range l.line[:min(len(l.line), l.most(now))] {
		if b.failed != nil {
			break // those behind one that was refused need another id
		}
		if b.flies || b.stored {
			continue
		}
		b.number()
		b.flies, b.sent = true, now
		l.flying++
		l.producer.flying++
		out = append(out, b)
	}
	return out
}

// send sends a batch.
func (p *Producer) send(b *batch, now time.Time) {
	if p.codec != NoCompression && len(b.body) == 0 {
		body, err := b.builder.AppendTo(b.body, p.codec, b.producer())
		if err == nil { // else it goes as it is
			b.body = body
		}
	}
	limit := max(p.timeout-now.Sub(b.since), time.Millisecond)
	if t := p.stream.client.pool.opts.Timeout; t > 0 {
		limit = min(limit, t)
	}
	b.call = call{op: wire.OpStreamAppend, payload: b, then: b, deadline: wire.DeadlineAfter(limit)}
	l := b.lane
	if l.conn == nil {
		l.conn, _ = p.stream.client.pool.pick()
	}
	b.conn = l.conn
	if l.conn == nil {
		b.call.lost = p.stream.client.pool.lastFailure()
		b.finished()
		return
	}
	for {
		room, err := l.conn.send(&b.call, wire.Clock())
		switch {
		case err == nil:
			return
		case room != nil:
			if err := p.stream.client.wait(&b.call, room); err != nil {
				b.call.lost = err
				b.finished()
				return
			}
		case errors.Is(err, ErrTooLarge):
			b.call.resp = wire.Fail(err)
			b.finished()
			return
		default:
			l.conn, b.call.lost = nil, err
			b.finished()
			return
		}
	}
}
