package flin

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// receiving runs Receive until the test ends it with the function returned, which returns what Receive does.
func receiving(t *testing.T, c *Client, handler func(context.Context, *Message) error, opts ...ReceiveOption) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Queue.Receive(ctx, "jobs", handler, opts...) }()
	return sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
}

func TestWhatAHandlerReturnsBecomesOfItsMessage(t *testing.T) {
	q := newFakeQueue(t, "good", "bad", "hopeless", "wrapped", "later", "panics", "exits")
	var told atomic.Int64
	stop := receiving(t, connect(t, q.f.addr()), func(_ context.Context, m *Message) error {
		switch string(m.Body) {
		case "bad":
			return errors.New("it is bad")
		case "hopeless":
			return &RejectError{errors.New("no hope")}
		case "wrapped":
			return fmt.Errorf("cannot: %w", ErrReject)
		case "later":
			return fmt.Errorf("not now: %w", RetryAfter(1500*time.Millisecond, errors.New("busy")))
		case "panics":
			panic("oh")
		case "exits":
			runtime.Goexit()
		}
		return nil
	}, OnError(func(m *Message, err error) {
		told.Add(1)
		if string(m.Body) != "panics" || !strings.Contains(err.Error(), "oh") || !strings.Contains(err.Error(), "goroutine") {
			t.Errorf("%s: %v", m.Body, err)
		}
	}), For(time.Minute))
	got := q.await(7)
	slices.Sort(got)
	want := []string{
		`bad: nack "it is bad" after 0`, `exits: nack "the handler ended its goroutine" after 0`, `good: ack`, `hopeless: reject "no hope"`,
		`later: nack "not now: busy" after 1500`, `panics: nack "the handler panicked: oh" after 0`,
		`wrapped: reject "cannot: flin: the message is rejected"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if err := stop(); err != nil || told.Load() != 1 {
		t.Errorf("%v, %d errors were told", err, told.Load())
	}
}

// The handlers that run and as many messages again are leased; messages whose handler is about to begin count for both.
func TestNoMoreHandlersRunAndNoMoreMessagesWaitThanConcurrencySays(t *testing.T) {
	const handlers, messages = 4, 50
	q := newFakeQueue(t, numbers(messages)...)
	var now, most, begun atomic.Int64
	step := make(chan struct{})
	stop := receiving(t, connect(t, q.f.addr()), func(context.Context, *Message) error {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		q.mu.Lock()
		if wait := messages - len(q.ready) - int(begun.Add(1)); wait > 2*handlers {
			t.Errorf("%d messages are leased and not begun", wait)
		}
		q.mu.Unlock()
		<-step
		now.Add(-1)
		return nil
	}, Concurrency(handlers), For(time.Minute))
	for range messages {
		step <- struct{}{}
	}
	q.await(messages)
	if err := stop(); err != nil || most.Load() > handlers || most.Load() < 2 {
		t.Errorf("%v, %d handlers at a time", err, most.Load())
	}
}

// numbers returns the bodies of n messages.
func numbers(n int) (bodies []string) {
	for i := range n {
		bodies = append(bodies, fmt.Sprint(i))
	}
	return bodies
}

func TestALeaseIsExtendedWhileItsHandlerRuns(t *testing.T) {
	q := newFakeQueue(t, "slow")
	extended := make(chan uint64, 100)
	q.hook = func(_ *fakeConn, req *wire.Request) {
		if req.Op == wire.OpQueueExtend {
			var m wire.QueueExtend
			q.check(m.Decode(req.Body))
			extended <- m.Lease
		}
	}
	stop := receiving(t, connect(t, q.f.addr()), func(ctx context.Context, _ *Message) error {
		for range 3 {
			if ms := <-extended; ms != 90 { // the queue's own
				t.Errorf("extended for %d ms", ms)
			}
		}
		return ctx.Err()
	})
	if got := q.await(1); got[0] != "slow: ack" {
		t.Errorf("%q", got)
	}
	must(t, stop())
}

func TestAHandlerThatLosesItsLeaseLearnsIt(t *testing.T) {
	q := newFakeQueue(t, "lost")
	q.stale = true
	cause := make(chan error)
	told := make(chan error, 10)
	stop := receiving(t, connect(t, q.f.addr()), func(ctx context.Context, _ *Message) error {
		<-ctx.Done()
		cause <- context.Cause(ctx)
		return nil
	}, For(60*time.Millisecond), OnError(func(_ *Message, err error) { told <- err }))
	if err := <-cause; !errors.Is(err, ErrFenced) {
		t.Error(err)
	}
	for range 2 { // that it was not extended, that it was not acknowledged
		if err := <-told; !errors.Is(err, ErrFenced) {
			t.Error(err)
		}
	}
	must(t, stop())
}

func TestWhenItsContextEndsReceiveLetsHandlersFinish(t *testing.T) {
	q := newFakeQueue(t, "a", "b")
	begun, finish := make(chan struct{}), make(chan struct{})
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "kept"))
	ended := make(chan error, 1)
	go func() {
		ended <- connect(t, q.f.addr()).Queue.Receive(ctx, "jobs", func(ctx context.Context, _ *Message) error {
			begun <- struct{}{}
			<-finish
			if ctx.Value(key{}) != "kept" {
				t.Error("the context's values are gone")
			}
			return ctx.Err()
		}, Concurrency(2), For(time.Minute))
	}()
	<-begun
	<-begun
	cancel()
	close(finish)
	if got := q.await(2); !strings.HasSuffix(got[0], "ack") || !strings.HasSuffix(got[1], "ack") {
		t.Errorf("%q", got)
	}
	must(t, <-ended)
}

func TestADrainTimeoutEndsTheHandlersContext(t *testing.T) {
	q := newFakeQueue(t, "endless")
	begun := make(chan struct{})
	stop := receiving(t, connect(t, q.f.addr()), func(ctx context.Context, _ *Message) error {
		close(begun)
		<-ctx.Done()
		return errors.New("had to stop")
	}, DrainTimeout(10*time.Millisecond), For(time.Minute))
	<-begun
	must(t, stop())
	if got := q.await(1); got[0] != `endless: nack "had to stop" after 0` {
		t.Errorf("%q", got)
	}
}

func TestAWaitingReceiveIsWithdrawnAndWhatItWasGivenAllTheSameGoesBack(t *testing.T) {
	q := newFakeQueue(t)
	c := connect(t, q.f.addr())
	stop := receiving(t, c, func(context.Context, *Message) error { t.Error("it was begun"); return nil }, For(time.Minute))
	for q.waiters() == 0 {
		runtime.Gosched()
	}
	must(t, stop())
	if q.waiters() != 0 {
		t.Error("it still waits")
	}
	q.hook = func(_ *fakeConn, req *wire.Request) {
		if req.Op == wire.OpCancel { // too late
			q.ready = append(q.ready, fakeMessage{id: wire.NewMessageID(0, 9), body: "late"})
			q.deliver()
		}
	}
	stop = receiving(t, c, func(context.Context, *Message) error { t.Error("it was begun"); return nil }, For(time.Minute))
	for q.waiters() == 0 {
		runtime.Gosched()
	}
	must(t, stop())
	if got := q.await(1); got[0] != `late: nack "the worker stopped before it began" after 0` {
		t.Errorf("%q", got)
	}
}

func TestReceiveGoesOnWhenTheServerComesBack(t *testing.T) {
	q := newFakeQueue(t)
	var told atomic.Int64
	c := connect(t, q.f.addr())
	stop := receiving(t, c, func(context.Context, *Message) error { return nil }, For(time.Minute), OnError(func(*Message, error) { told.Add(1) }))
	for q.waiters() == 0 {
		runtime.Gosched()
	}
	q.mu.Lock()
	q.waiting = nil
	q.mu.Unlock()
	q.f.drop()
	for q.waiters() == 0 {
		time.Sleep(time.Millisecond) // connecting anew takes a pause
	}
	q.push("after")
	if got := q.await(1); got[0] != "after: ack" {
		t.Errorf("%q", got)
	}
	if err := stop(); err != nil || told.Load() == 0 {
		t.Errorf("%v, %d errors were told", err, told.Load())
	}
}

func TestAnAcknowledgementWhoseAnswerIsLostIsSentAgainAndMayThenBeStale(t *testing.T) {
	q := newFakeQueue(t, "a")
	lost := false
	q.hook = func(c *fakeConn, req *wire.Request) {
		if req.Op == wire.OpQueueAck && !lost {
			lost = true
			var m wire.QueueAck
			q.check(m.Decode(req.Body))
			q.settle(c, req, m.Receipts[0].ID, "ack", true)
			_ = c.nc.Close()
		}
	}
	var errs []error
	var mu sync.Mutex
	stop := receiving(t, connect(t, q.f.addr()), func(context.Context, *Message) error { return nil }, For(time.Minute), OnError(func(m *Message, err error) {
		mu.Lock()
		defer mu.Unlock()
		if m != nil {
			errs = append(errs, err)
		}
	}))
	q.await(1)
	must(t, stop())
	if len(errs) != 1 || !errors.Is(errs[0], ErrOutcomeUnknown) || q.f.count(wire.OpQueueAck) != 2 {
		t.Errorf("%v, %d acknowledgements", errs, q.f.count(wire.OpQueueAck))
	}
}

func TestReceiveEndsWhenItCannotGoOn(t *testing.T) {
	f := newFake(t)
	f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
		if req.Op == wire.OpQueueInfo {
			fc.answer(req.Tag, wire.Failf(wire.NotFound, "no such queue"))
		} else {
			fc.answer(req.Tag, wire.Failf(wire.Invalid, "no name for a queue"))
		}
		return true
	})
	c := connect(t, f.addr())
	if err := c.Queue.Receive(t.Context(), "a b", nil); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	q := newFakeQueue(t)
	d := connect(t, q.f.addr())
	ended := make(chan error)
	go func() { ended <- d.Queue.Receive(t.Context(), "jobs", nil) }()
	for q.waiters() == 0 {
		runtime.Gosched()
	}
	must(t, d.Close())
	if err := <-ended; err == nil {
		t.Error("a closed client is no reason")
	}
}
