package flin

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	defaultConcurrency = 16
	pollTime           = 20 * time.Second // how long one request waits at the server for a message
)

// Receive works a queue off: it leases messages and calls handler for each, with up to Concurrency of them at a time, until
// ctx ends. While a handler runs its lease is extended at every third of it. A handler that returns nil acknowledges the
// message; what finishes together is acknowledged in one request. Any other error gives it back with the error's text, to be
// delivered again at once, or after the time that RetryAfter says; an error that matches ErrReject sends it to the
// dead-letter queue. A handler that panics gives its message back with the panic's text and ends nothing else.
//
// Messages are begun in the order in which they were leased. So that handlers need not wait for the server, further messages
// are leased ahead if they are there: at most Concurrency of them, and only as many as the handlers, at the pace they have,
// are likely to begin within an eighth of the lease and a second. A message that is not begun within a third of its lease
// is given back, which counts as a delivery. Of a queue whose MaxDeliveries is 1 nothing is leased ahead.
//
// When ctx ends no more is leased, what was leased and not begun is given back, and the handlers that run may finish: their
// context does not end with ctx but, if there is a DrainTimeout, so long after it. A handler whose lease is lost all the
// same (the server could not be reached for too long, the message was removed) finds its context ended with ErrFenced as
// the cause. Receive returns when the last message is settled: nil if ctx has ended, else why it cannot go on, ErrClosed for
// one. While the server cannot be reached, or says that it cannot now, it goes on trying.
//
// A message is delivered at least once: a handler must be able to meet one that was dealt with before. It returns what is to
// become of its message, and does not call Ack, Nack, Extend or Reject itself; LeasedUntil is when its first lease ends.
func (q *Queue) Receive(ctx context.Context, queue string, handler func(ctx context.Context, msg *Message) error, opts ...ReceiveOption) error {
	r := &receiver{
		queue: queue, handler: handler, concurrency: defaultConcurrency,
		leaser:  q.client.With(ctx).Queue,
		settler: q.client.With(context.WithoutCancel(q.client.ctx)).Queue,
	}
	for _, o := range opts {
		o.receive(r)
	}
	ahead, err := r.findLease()
	if err == nil {
		r.buffer = newBuffer(r.concurrency, ahead, r.lease)
		r.done = make(chan handled, min(r.concurrency, maxAcks))
		err = r.run(ctx)
	}
	if over(ctx) {
		err = nil // what it was asked to end has ended
	}
	return err
}

func over(ctx context.Context) bool { return ctx.Err() != nil }

// receiver is one Receive.
type receiver struct {
	queue       string
	handler     func(context.Context, *Message) error
	concurrency int
	lease       time.Duration
	drain       time.Duration // 0: handlers may take as long as they like
	onError     func(*Message, error)
	leaser      *Queue // its calls end with Receive's context
	settler     *Queue // its calls do not

	buffer  *buffer
	workers sync.WaitGroup
	done    chan handled // to be acknowledged; a worker waits when it is full
}

// findLease takes the queue's own lease where none was asked for. It is leased for explicitly from then on, so that what is
// extended is what was leased. ahead is how many messages may be leased ahead at most.
func (r *receiver) findLease() (ahead int, err error) {
	for try := 0; ; try++ {
		info, err := r.leaser.Info(r.queue)
		switch {
		case err == nil:
			if r.lease <= 0 {
				r.lease = info.Settings.LeaseTime
			}
			if info.Settings.MaxDeliveries == 1 {
				return 0, nil // what is given back would be dead and no handler have seen it
			}
			return r.concurrency, nil
		case errors.Is(err, ErrNotFound):
			if r.lease <= 0 {
				r.lease = wire.DefaultLease * time.Millisecond
			}
			return r.concurrency, nil
		case r.goesOn(nil, err, try):
		case r.lease > 0 && !over(r.leaser.client.ctx):
			return 0, nil // the queue can be worked off without; leasing says what is wrong
		default:
			return 0, err
		}
	}
}

// run works the queue off until ctx ends or it cannot go on, and returns why when all is settled.
func (r *receiver) run(ctx context.Context) error {
	handlers, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var acks sync.WaitGroup
	for range ackCalls {
		acks.Go(r.acknowledge)
	}
	err := r.fetch(ctx, handlers)
	if r.drain > 0 {
		t := time.AfterFunc(r.drain, stop)
		defer t.Stop()
	}
	r.giveBack(r.buffer.close(), "the worker stopped before it began")
	r.workers.Wait()
	close(r.done)
	acks.Wait()
	return err
}

// fetch leases messages and lets workers begin them, until ctx ends or it cannot go on, and returns why. It has one request
// under way at a time, because the answers to several would not come in the order of their messages.
func (r *receiver) fetch(ctx, handlers context.Context) error {
	for try := 0; ; {
		n, wait := r.await(ctx)
		if n == 0 {
			return nil
		}
		messages, err := r.leaser.LeaseBatch(r.queue, min(n, wire.MaxBatch), Wait(wait), ForOption{r.lease})
		switch {
		case over(ctx):
			r.buffer.refuse(messages)
			return nil
		case err == nil:
			try = 0
			for range r.buffer.add(messages, time.Now()) {
				r.workers.Go(func() { r.work(handlers) })
			}
		case errors.Is(err, ErrEmpty):
			try = 0
			r.buffer.empty()
		case r.goesOn(nil, err, try):
			try++
		default:
			return err
		}
	}
}

// await returns when there is room for n more messages, and how long the server may wait for the first of them; n = 0: ctx
// has ended. Meanwhile it gives back what has waited for too long.
func (r *receiver) await(ctx context.Context) (n int, wait time.Duration) {
	for !over(ctx) {
		late, next := r.buffer.late(time.Now())
		if len(late) > 0 {
			r.giveBack(late, "the worker was too busy to begin")
			continue
		}
		if n, wait = r.buffer.room(); n > 0 {
			return n, wait
		}
		t := time.NewTimer(next)
		select {
		case <-r.buffer.wake:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
	return 0, 0
}

// goesOn reports whether a call that failed with err may succeed later, and pauses, longer with each try.
func (r *receiver) goesOn(m *Message, err error, try int) bool {
	c := r.leaser.client
	if m != nil {
		c = r.settler.client
	}
	if !c.mayYet(err) {
		return false
	}
	r.report(m, err)
	return c.rest(try)
}

// mayYet reports whether a call that failed with err may succeed later.
func (c *Client) mayYet(err error) bool {
	return !c.closed.Load() && c.ctx.Err() == nil && passing(err)
}

// rest pauses, longer with each try, and reports whether the client is still open.
func (c *Client) rest(try int) bool {
	t := time.NewTimer(min(minBackoff<<min(try, 10), maxBackoff))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.ctx.Done():
	case <-c.pool.ctx.Done():
	}
	return false
}

// passing reports whether a failure may pass by itself.
func passing(err error) bool {
	switch wire.CodeOf(err) {
	case wire.Unavailable, wire.NotLeader, wire.Busy, wire.Timeout, wire.OutcomeUnknown, wire.Full, wire.Canceled:
		return true
	default:
		return false
	}
}

func (r *receiver) report(m *Message, err error) {
	if r.onError != nil {
		r.onError(m, err)
	}
}
