package flin

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const together = 6 // messages that holdTogether has acknowledged together

// holdTogether lets as many acknowledgements of one message each get under way as may be, and together more messages be
// handled meanwhile. Then it answers one: the others remain held, and behind them the one that has gathered. finish ends
// the handlers that run by then, of messages that were leased later.
func holdTogether(t *testing.T, told func(m *Message, err error)) (q *fakeQueue, stop func() error, finish chan struct{}) {
	t.Helper()
	const handlers = ackCalls + together
	q = newFakeQueue(t, numbers(2*handlers)...)
	q.hold = true
	begun, finish := make(chan struct{}), make(chan struct{})
	stop = receiving(t, connect(t, q.f.addr()), func(context.Context, *Message) error {
		begun <- struct{}{}
		<-finish
		return nil
	}, Concurrency(handlers), For(time.Minute), OnError(told))
	for range handlers {
		<-begun
	}
	for range ackCalls {
		finish <- struct{}{}
		<-begun
		if n := <-q.holding; n != 1 {
			t.Errorf("%d receipts of one message", n)
		}
	}
	for range together { // a worker that begins another message has handed in the one before
		finish <- struct{}{}
		<-begun
	}
	q.release()
	if n := <-q.holding; n != together {
		t.Errorf("%d of %d are acknowledged together", n, together)
	}
	return q, stop, finish
}

func TestOfABatchEachMessageIsJudgedByItself(t *testing.T) {
	told := make(chan string, 10)
	q, stop, finish := holdTogether(t, func(m *Message, err error) {
		if m == nil || !errors.Is(err, ErrFenced) {
			t.Error(err)
			return
		}
		told <- m.ID
	})
	q.mu.Lock()
	lost := q.held[len(q.held)-1].receipts[2].ID
	delete(q.leased, lost)
	q.hold = false
	q.mu.Unlock()
	for range ackCalls {
		q.release()
	}
	if id := <-told; id != lost.String() {
		t.Errorf("%s is stale, and %s was told", lost, id)
	}
	close(finish)
	q.await(2*(ackCalls+together) - 1)
	if must(t, stop()); len(told) != 0 {
		t.Errorf("%d more errors were told", len(told))
	}
}

// A batch whose answer is lost is sent again; what is stale then it has acknowledged itself.
func TestABatchWhoseAnswerIsLostIsSentAgain(t *testing.T) {
	told := make(chan error, 100)
	q, stop, finish := holdTogether(t, func(m *Message, err error) {
		if m != nil {
			told <- err
		}
	})
	before := q.f.count(wire.OpQueueAck)
	q.mu.Lock()
	unanswered := 0
	for _, h := range q.held {
		unanswered += len(h.receipts)
	}
	q.mu.Unlock()
	q.f.drop()
	for range ackCalls {
		q.release() // nobody hears the answer
	}
	for range ackCalls {
		<-q.holding // again
	}
	if n := q.f.count(wire.OpQueueAck); n != before+ackCalls {
		t.Errorf("%d acknowledgements were sent again", n-before)
	}
	q.mu.Lock()
	q.hold = false
	q.mu.Unlock()
	for range ackCalls {
		q.release()
	}
	close(finish)
	q.await(2 * (ackCalls + together))
	must(t, stop())
	close(told)
	for err := range told {
		if !errors.Is(err, ErrOutcomeUnknown) {
			t.Error(err)
		}
		unanswered--
	}
	if unanswered != 0 {
		t.Errorf("%d messages more than were told of had no answer", unanswered)
	}
}
