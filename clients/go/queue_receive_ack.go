package flin

import (
	"errors"
	"runtime"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	ackCalls = 2    // requests under way at a time: the one carries what finishes while the other is away
	maxAcks  = 1000 // messages in one of them; never more than Concurrency
)

// handled is a message whose handler has returned nil, and when its lease ends by this machine's clock.
type handled struct {
	m     *Message
	until time.Time
}

// acknowledge acknowledges what is done, all that is there in one request, until done is closed.
func (r *receiver) acknowledge() {
	var batch []handled
	for h := range r.done {
		runtime.Gosched() // so that handlers which are about to return have returned
		batch = r.gather(append(batch, h))
		r.ack(batch)
		clear(batch)
		batch = batch[:0]
	}
}

// gather adds to batch what is done by now.
func (r *receiver) gather(batch []handled) []handled {
	for len(batch) < cap(r.done) {
		select {
		case h, ok := <-r.done:
			if !ok {
				return batch
			}
			batch = append(batch, h)
		default:
			return batch
		}
	}
	return batch
}

// ack acknowledges a batch. An answer that is lost, or a server that cannot be reached, is tried again until the leases
// end.
func (r *receiver) ack(batch []handled) {
	unsure := false
	for try := 0; len(batch) > 0; try++ {
		messages := make([]*Message, len(batch))
		for i, h := range batch {
			messages[i] = h.m
		}
		_, failed := r.settler.AckBatch(messages)
		if failed == nil {
			return
		}
		if stale, ok := errors.AsType[*StaleError](failed); ok {
			if !unsure { // else the one whose answer was lost did it
				r.reportStale(stale.Messages)
			}
			return
		}
		for _, m := range messages {
			r.report(m, failed)
		}
		unsure = unsure || errors.Is(failed, ErrOutcomeUnknown)
		if c := r.settler.client; !c.mayYet(failed) || !c.rest(try) {
			return
		}
		batch = leasedAt(batch, time.Now())
	}
}

// leasedAt returns those of batch, in its memory, whose leases have not ended.
func leasedAt(batch []handled, now time.Time) []handled {
	left := batch[:0]
	for _, h := range batch {
		if now.Before(h.until) {
			left = append(left, h)
		}
	}
	return left
}

// reportStale reports messages that others hold by now, or have dealt with.
func (r *receiver) reportStale(messages []*Message) {
	for _, m := range messages {
		r.report(m, wire.Errorf(wire.Fenced, "flin: message %s of queue %q was not acknowledged: its receipt is stale", m.ID, m.Queue))
	}
}
