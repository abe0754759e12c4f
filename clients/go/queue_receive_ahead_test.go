package flin

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// A worker that has seen how quick its handler is leases further messages while it is busy, without waiting at the server
// for them. When it ends they go back, and none of them is begun.
func TestABusyWorkerLeasesAheadAndGivesBackWhatItHasNotBegun(t *testing.T) {
	q := newFakeQueue(t, numbers(6)...)
	leases := make(chan wire.QueuePop, 100)
	q.hook = func(_ *fakeConn, req *wire.Request) {
		if req.Op == wire.OpQueueLease {
			var m wire.QueuePop
			q.check(m.Decode(req.Body))
			leases <- m
		}
	}
	begun, finish := make(chan string, 6), make(chan struct{})
	stop := receiving(t, connect(t, q.f.addr()), func(_ context.Context, m *Message) error {
		begun <- string(m.Body)
		<-finish
		return nil
	}, Concurrency(2), For(time.Hour))
	if m := <-leases; m.Count != 2 || m.Wait == 0 {
		t.Errorf("%d were leased in the beginning, waiting %d ms", m.Count, m.Wait)
	}
	<-begun
	<-begun
	finish <- struct{}{}
	m := <-leases
	if m.Count != 3 || m.Wait == 0 { // for the free handler, and two ahead
		t.Errorf("then %d were, waiting %d ms", m.Count, m.Wait)
	}
	<-begun // and the worker has two ahead
	finish <- struct{}{}
	<-begun
	if m := <-leases; m.Count != 1 || m.Wait != 0 {
		t.Errorf("while it was busy %d were, waiting %d ms", m.Count, m.Wait)
	}
	for q.readies() > 0 {
		runtime.Gosched()
	}
	ended := make(chan error)
	go func() { ended <- stop() }()
	got := q.await(4) // two of them were acknowledged before
	close(finish)
	must(t, <-ended)
	const back = `nack "the worker stopped before it began" after 0`
	if n := slices.IndexFunc(got, func(s string) bool { return !strings.HasSuffix(s, ": ack") && !strings.HasSuffix(s, back) }); n >= 0 {
		t.Errorf("%q", got)
	}
	got = q.await(2)
	if acks := len(slices.DeleteFunc(got, func(s string) bool { return strings.HasSuffix(s, back) })); acks != 4 || len(begun) != 0 {
		t.Errorf("%d messages were acknowledged, %d more were begun", acks, len(begun))
	}
}

// How much is leased ahead follows the pace of the handlers and the length of the lease.
func TestNoMoreIsLeasedAheadThanIsBegunSoon(t *testing.T) {
	for _, c := range []struct {
		lease, took time.Duration
		ahead       int
	}{
		{30 * time.Second, time.Microsecond, 16},
		{30 * time.Second, time.Second, 16},
		{30 * time.Second, 4 * time.Second, 4}, // a second is the most
		{30 * time.Second, time.Minute, 0},
		{800 * time.Millisecond, 200 * time.Millisecond, 8},
		{800 * time.Millisecond, 2 * time.Second, 0},
	} {
		b := newBuffer(16, 16, c.lease)
		if n, wait := b.room(); n != 16 || wait == 0 {
			t.Errorf("in the beginning there is room for %d, waiting %v", n, wait)
		}
		b.took(c.took)
		if n, _ := b.room(); n != 16+c.ahead {
			t.Errorf("with leases of %v and handlers of %v there is room for %d, want %d", c.lease, c.took, n, 16+c.ahead)
		}
	}
}

// While it is busy a worker asks for what is there once, and again when it has been given something.
func TestABusyWorkerDoesNotAskAnEmptyQueueAgain(t *testing.T) {
	b := newBuffer(1, 4, time.Minute)
	now := time.Now()
	b.took(time.Microsecond)
	room := func(want int, waits bool) {
		t.Helper()
		if n, wait := b.room(); n != want || wait > 0 != waits {
			t.Errorf("room for %d, waiting %v; want %d, %v", n, wait, want, waits)
		}
	}
	room(5, true)
	if n := b.add(make([]*Message, 3), now); n != 1 {
		t.Errorf("%d workers for one handler", n)
	}
	room(0, false)
	b.next(now, false)
	room(2, false)
	b.empty()
	room(0, false)
	b.next(now, false)
	b.next(now, false)
	if len(b.wake) != 0 {
		t.Error("it was woken for an empty queue")
	}
	if _, ok := b.next(now, false); ok || len(b.wake) != 1 {
		t.Error("a free worker does not wake the one who leases")
	}
	room(5, true)
}

func TestAMessageThatABusyWorkerDoesNotBeginInTimeIsGivenBack(t *testing.T) {
	q := newFakeQueue(t, "quick", "slow", "waits")
	finish := make(chan struct{})
	stop := receiving(t, connect(t, q.f.addr()), func(_ context.Context, m *Message) error {
		switch string(m.Body) {
		case "slow":
			<-finish
		case "waits":
			t.Error("it was begun")
		}
		return nil
	}, Concurrency(1), For(900*time.Millisecond))
	got := q.await(2)
	if want := []string{"quick: ack", `waits: nack "the worker was too busy to begin" after 0`}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	close(finish)
	if got := q.await(1); got[2] != "slow: ack" {
		t.Errorf("%q", got)
	}
	must(t, stop())
}

func TestMessagesAreBegunInTheOrderOfTheirLeases(t *testing.T) {
	const messages = 200
	q := newFakeQueue(t, numbers(messages)...)
	var got []string // one handler at a time writes it
	stop := receiving(t, connect(t, q.f.addr()), func(_ context.Context, m *Message) error {
		if got = append(got, string(m.Body)); len(got) == 10 {
			runtime.Goexit() // another goroutine goes on in its place
		}
		return nil
	}, Concurrency(1), For(time.Minute))
	q.await(messages)
	must(t, stop())
	if !slices.Equal(got, numbers(messages)) {
		t.Errorf("%q", got)
	}
}

func TestNothingIsLeasedAheadOfAQueueThatDeliversOnce(t *testing.T) {
	const messages = 20
	q := newFakeQueue(t, numbers(messages)...)
	q.once = true
	q.hook = func(_ *fakeConn, req *wire.Request) {
		if req.Op == wire.OpQueueLease {
			var m wire.QueuePop
			if q.check(m.Decode(req.Body)); m.Count != 1 {
				t.Errorf("%d were leased", m.Count)
			}
		}
	}
	stop := receiving(t, connect(t, q.f.addr()), func(context.Context, *Message) error { return nil }, Concurrency(1), For(time.Minute))
	q.await(messages)
	must(t, stop())
}
