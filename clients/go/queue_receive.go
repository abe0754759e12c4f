package flin

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	defaultConcurrency = 16
	pollTime           = 20 * time.Second // how long one request waits at the server for a message
	giveBackTime       = 5 * time.Second  // for all messages that were leased and not begun
)

// Receive works a queue off: it leases messages and calls handler for each, with up to Concurrency of them at a time, until
// ctx ends. While a handler runs its lease is extended at every third of it. A handler that returns nil acknowledges the
// message. Any other error gives it back with the error's text, to be delivered again at once, or after the time that
// RetryAfter says; an error that matches ErrReject sends it to the dead-letter queue. A handler that panics gives its
// message back with the panic's text and ends nothing else.
//
// When ctx ends no more is leased, what was leased and not begun is given back, and the handlers that run may finish: their
// context does not end with ctx but, if there is a DrainTimeout, so long after it. A handler whose lease is lost all the
// same (the server could not be reached for too long, the message was removed) finds its context ended with ErrFenced as
// the cause. Receive returns when the last handler has: nil if ctx has ended, else why it cannot go on, ErrClosed for one.
// While the server cannot be reached, or says that it cannot now, it goes on trying.
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
	err := r.findLease()
	if err == nil {
		r.finished = make(chan struct{}, r.concurrency)
		handlers, stop := context.WithCancel(context.WithoutCancel(ctx))
		defer stop()
		err = r.fetch(ctx, handlers)
		r.drainHandlers(stop)
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

	running  int           // handlers; the goroutine of Receive alone counts
	finished chan struct{} // an element for each handler that has returned
}

// findLease takes the queue's own lease where none was asked for. It is leased for explicitly from then on, so that what is
// extended is what was leased.
func (r *receiver) findLease() error {
	for try := 0; r.lease <= 0; try++ {
		info, err := r.leaser.Info(r.queue)
		switch {
		case err == nil:
			r.lease = info.Settings.LeaseTime
		case errors.Is(err, ErrNotFound):
			r.lease = wire.DefaultLease * time.Millisecond
		case !r.goesOn(nil, err, try):
			return err
		}
	}
	return nil
}

// fetch leases messages and starts a handler for each, until ctx ends or it cannot go on, and returns why.
func (r *receiver) fetch(ctx, handlers context.Context) error {
	for try := 0; r.awaitRoom(ctx); {
		messages, err := r.leaser.LeaseBatch(r.queue, r.concurrency-r.running, Wait(pollTime), ForOption{r.lease})
		switch {
		case over(ctx):
			r.giveBack(messages)
		case err == nil:
			try = 0
			for _, m := range messages {
				r.running++
				go r.work(handlers, m)
			}
		case errors.Is(err, ErrEmpty):
			try = 0
		case r.goesOn(nil, err, try):
			try++
		default:
			return err
		}
	}
	return nil
}

// awaitRoom returns when another handler may run; false: ctx has ended.
func (r *receiver) awaitRoom(ctx context.Context) bool {
	for {
		select {
		case <-r.finished:
			r.running--
			continue
		default:
		}
		if over(ctx) {
			return false
		}
		if r.running < r.concurrency {
			return true
		}
		select {
		case <-r.finished:
			r.running--
		case <-ctx.Done():
			return false
		}
	}
}

// drainHandlers waits for the handlers that run.
func (r *receiver) drainHandlers(stop context.CancelFunc) {
	if r.drain > 0 {
		t := time.AfterFunc(r.drain, stop)
		defer t.Stop()
	}
	for ; r.running > 0; r.running-- {
		<-r.finished
	}
}

// goesOn reports whether a call that failed with err may succeed later, and pauses, longer with each try.
func (r *receiver) goesOn(m *Message, err error, try int) bool {
	c := r.leaser.client
	if m != nil {
		c = r.settler.client
	}
	if c.closed.Load() || c.ctx.Err() != nil || !passing(err) {
		return false
	}
	r.report(m, err)
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

// giveBack gives messages back that were leased when it was too late for them.
func (r *receiver) giveBack(messages []*Message) {
	ctx, cancel := context.WithTimeout(r.settler.client.ctx, giveBackTime)
	defer cancel()
	client := r.settler.client.With(ctx)
	for _, m := range messages {
		m.queue = client.Queue
		if err := m.Nack(Reason("the worker stopped before it began")); err != nil {
			r.report(m, err) // it comes back when its lease ends
		}
	}
}

// work runs the handler for one message and settles what becomes of it.
func (r *receiver) work(parent context.Context, m *Message) {
	m.queue = r.settler
	ctx, cancel := context.WithCancelCause(parent)
	k := r.keep(m, cancel)
	ended := errors.New("the handler ended its goroutine")
	defer func() { // also when the handler calls runtime.Goexit
		k.stop()
		cancel(nil)
		r.settle(m, k.until, ended)
		r.finished <- struct{}{}
	}()
	ended = r.call(ctx, m)
}

// call runs the handler and makes an error of its panic.
func (r *receiver) call(ctx context.Context, m *Message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the handler panicked: %v", p)
			r.report(m, fmt.Errorf("flin: %w\n%s", err, debug.Stack()))
		}
	}()
	return r.handler(ctx, m)
}
