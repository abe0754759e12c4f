package flin

import (
	"context"
	"errors"
	"sync"
	"time"
)

// keeper extends the lease of a message while its handler runs.
type keeper struct {
	r    *receiver
	m    *Message
	lost context.CancelCauseFunc // ends the handler's context

	ctx    context.Context // of the extensions
	cancel context.CancelFunc

	mu    sync.Mutex // guards what follows; never held across a request
	timer *time.Timer
	over  bool
	until time.Time      // when the lease ends, by this machine's clock; after stop it may be read without mu
	fired sync.WaitGroup // counts the timer's next run
}

// keep begins to extend the lease of m at every third of it.
func (r *receiver) keep(m *Message, lost context.CancelCauseFunc) *keeper {
	k := &keeper{r: r, m: m, lost: lost, until: time.Now().Add(r.lease)}
	k.ctx, k.cancel = context.WithCancel(r.settler.client.ctx)
	k.fired.Add(1)
	k.mu.Lock()
	k.timer = time.AfterFunc(r.lease/3, k.extend)
	k.mu.Unlock()
	return k
}

// stop ends it. When it returns no extension is on its way.
func (k *keeper) stop() {
	k.cancel()
	k.mu.Lock()
	k.over = true
	if k.timer.Stop() {
		k.fired.Done()
	}
	k.mu.Unlock()
	k.fired.Wait()
}

// extend is what the timer runs.
func (k *keeper) extend() {
	defer k.fired.Done()
	asked := time.Now()
	lease := *k.m // the handler may read the message
	err := lease.extend(k.r.settler.client.With(k.ctx).Queue, k.r.lease)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return
	}
	next := k.r.lease / 3
	switch {
	case err == nil:
		k.until = asked.Add(k.r.lease)
	case passing(err) && time.Now().Before(k.until):
		next = min(next, time.Second)
	default:
		k.r.report(k.m, err)
		if !passing(err) {
			k.lost(err)
			return
		}
		k.lost(errors.Join(ErrFenced, err)) // it has run out by now
		return
	}
	k.fired.Add(1)
	k.timer.Reset(next)
}

// settle says what became of a message whose handler has returned err. An answer that is lost, or a server that cannot be
// reached, is tried again until the lease ends.
func (r *receiver) settle(m *Message, until time.Time, err error) {
	unsure := false
	for try := 0; ; try++ {
		failed := say(m, err)
		switch {
		case failed == nil, unsure && errors.Is(failed, ErrFenced): // the one whose answer was lost did it
			return
		case time.Now().After(until) || !r.goesOn(m, failed, try):
			r.report(m, failed)
			return
		}
		unsure = unsure || errors.Is(failed, ErrOutcomeUnknown)
	}
}

// say tells the server what became of a message.
func say(m *Message, err error) error {
	var later *retryError
	switch {
	case err == nil:
		return m.Ack()
	case errors.Is(err, ErrReject):
		return m.Reject(Reason(err.Error()))
	case errors.As(err, &later):
		return m.Nack(Reason(err.Error()), Delay(later.after))
	}
	return m.Nack(Reason(err.Error()))
}

// ErrReject is what a handler's error matches that sends its message to the dead-letter queue at once.
var ErrReject = errors.New("flin: the message is rejected")

// RejectError is an error that matches ErrReject and says Err.
type RejectError struct{ Err error }

// Error returns Err's text.
func (e *RejectError) Error() string {
	if e.Err == nil {
		return ErrReject.Error()
	}
	return e.Err.Error()
}

// Unwrap returns Err.
func (e *RejectError) Unwrap() error { return e.Err }

// Is reports whether target is ErrReject.
func (e *RejectError) Is(target error) bool { return target == ErrReject }

type retryError struct {
	after time.Duration
	err   error
}

func (e *retryError) Error() string { return e.err.Error() }
func (e *retryError) Unwrap() error { return e.err }

// RetryAfter makes err, which a handler returns and must not be nil, one that has its message delivered again d later.
func RetryAfter(d time.Duration, err error) error {
	if err == nil {
		err = errors.New("to be tried again")
	}
	return &retryError{d, err}
}

// ReceiveOption modifies Receive.
type ReceiveOption interface{ receive(r *receiver) }

func (o ForOption) receive(r *receiver) { r.lease = o.d }

type receiveFunc func(r *receiver)

func (f receiveFunc) receive(r *receiver) { f(r) }

// Concurrency lets n handlers, at least one, run at a time; by default 16.
func Concurrency(n int) ReceiveOption {
	return receiveFunc(func(r *receiver) { r.concurrency = max(n, 1) })
}

// DrainTimeout ends the context of handlers that still run d after Receive's own has ended. Without it they may take as
// long as they like.
func DrainTimeout(d time.Duration) ReceiveOption {
	return receiveFunc(func(r *receiver) { r.drain = max(d, 1) })
}

// OnError has fn called, from several goroutines, with what goes wrong beside the handlers' own errors: messages could not
// be leased for now (msg is nil), one could not be extended, acknowledged or given back (it will be delivered again), or
// its handler has panicked. fn must not wait.
func OnError(fn func(msg *Message, err error)) ReceiveOption {
	return receiveFunc(func(r *receiver) { r.onError = fn })
}
