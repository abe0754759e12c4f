package systest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	flin "github.com/skshohagmiah/flin/clients/go"
)

// TestEveryQueueCallOfTheClient makes each call once against a real server.
func TestEveryQueueCallOfTheClient(t *testing.T) {
	s := start(t)
	q := newClient(t, s.addrs()).Queue
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	same := func(got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	_, err := q.Pop("jobs")
	same(errors.Is(err, flin.ErrEmpty), true)
	_, err = q.Info("jobs")
	same(errors.Is(err, flin.ErrNotFound), true)
	made, err := q.Create("jobs", flin.LeaseTime(time.Minute), flin.MaxDeliveries(2), flin.DeadLetter("dead"))
	must(err)
	same(made, true)
	must(q.Configure("jobs", flin.MaxLength(100), flin.OnOverflow(flin.DropOldest), flin.MessageTTL(time.Hour), flin.DedupWindow(time.Minute)))
	info, err := q.Info("jobs")
	must(err)
	same(info.Settings, flin.QueueSettings{
		LeaseTime: time.Minute, MaxDeliveries: 2, DeadLetter: "dead", MaxLength: 100, Overflow: flin.DropOldest, MessageTTL: time.Hour, DedupWindow: time.Minute,
	})

	must(q.Push("jobs", []byte("plain")))
	id, err := q.Put("jobs", []byte("full"), flin.Priority(7), flin.GroupKey("g"), flin.DedupID("d"), flin.Headers(map[string]string{"a": "1"}))
	must(err)
	same(id, "2-7")
	id, err = q.Put("jobs", []byte("twice"), flin.DedupID("d"))
	must(err)
	same(id, "2-7")
	must(q.Push("jobs", []byte("later"), flin.NotBefore(time.Now().Add(time.Hour))))
	ids, err := q.PushBatch("jobs", [][]byte{[]byte("b1"), nil}, flin.DedupID("batch"))
	must(err)
	same(ids, "[4 5]")
	ids, err = q.PushBatch("jobs", [][]byte{[]byte("b1"), nil, []byte("b3")}, flin.DedupID("batch"))
	must(err)
	same(ids, "[4 5 6]")
	n, err := q.Len("jobs")
	must(err)
	same(n, 5)
	body, err := q.Peek("jobs")
	must(err)
	same(string(body), "full")
	all, err := q.PeekN("jobs", 10)
	must(err)
	same(len(all), 5)
	later, err := q.GetMessage("jobs", "3")
	must(err)
	same(fmt.Sprint(later.State == flin.MessageDelayed, later.DelayedUntil.After(time.Now()), later.Expires.IsZero()), "true true false")
	must(q.RemoveMessage("jobs", "3"))
	same(errors.Is(q.RemoveMessage("jobs", "3"), flin.ErrNotFound), true)

	m, err := q.Lease("jobs", flin.For(30*time.Second))
	must(err)
	same(fmt.Sprint(m.ID, m.Attempt, string(m.Body), m.Headers, m.Priority, m.GroupKey, m.Queue), fmt.Sprint("2-7", 1, "full", map[string]string{"a": "1"}, 7, "g", "jobs"))
	must(m.Extend(2 * time.Minute))
	same(time.Until(m.LeasedUntil) > time.Minute, true)
	must(m.Nack(flin.Reason("once")))
	same(errors.Is(m.Ack(), flin.ErrFenced), true)
	m, err = q.Lease("jobs")
	must(err)
	same(m.Attempt, 2)
	must(m.Nack(flin.Reason("twice")))
	dead, err := q.PeekN("dead", 10)
	must(err)
	same(len(dead), 1)
	same(dead[0].Headers["x-last-error"]+dead[0].Headers["x-attempts"]+dead[0].Headers["x-origin-queue"]+dead[0].Headers["a"], "twice2jobs1")
	moved, err := q.Redrive("jobs", flin.Count(10))
	must(err)
	same(moved, 1)

	ms, err := q.LeaseBatch("jobs", 10)
	must(err)
	same(len(ms), 5)
	byText, err := q.Leased("jobs", ms[0].Receipt)
	must(err)
	must(byText.Ack())
	acked, err := q.AckBatch(ms[:3])
	same(fmt.Sprint(acked, errors.Is(err, flin.ErrFenced)), "2 true")
	must(ms[3].Reject(flin.Reason("no")))
	acked, err = q.AckBatch(ms[4:])
	must(err)
	same(acked, 1)

	must(q.Push("jobs", []byte("p")))
	must(q.Pause("jobs"))
	_, err = q.Pop("jobs", flin.Wait(time.Millisecond))
	same(errors.Is(err, flin.ErrEmpty), true)
	must(q.Resume("jobs"))
	bodies, err := q.PopBatch("jobs", 10, flin.Wait(time.Second))
	must(err)
	same(len(bodies), 1)
	must(q.Push("jobs", nil))
	gone, err := q.Purge("jobs")
	must(err)
	same(gone, 1)
	must(q.Clear("jobs"))
	var names []string
	for info, err := range q.List("") {
		must(err)
		names = append(names, info.Name)
	}
	same(names, "[dead jobs]")
	gone, err = q.DeleteQueue("dead")
	must(err)
	same(gone, 1)
	_, err = q.DeleteQueue("dead")
	same(errors.Is(err, flin.ErrNotFound), true)
}

// Pops that are given up, whenever that is, lose nothing: what they do not return is still in the queue. Only a pop that
// says that it does not know may have taken a message.
func TestPopsThatAreGivenUpLoseNothing(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	const poppers, messages = 8, 200
	var mu sync.Mutex
	got := map[string]int{}
	unknown := 0
	done := make(chan struct{})
	var all sync.WaitGroup
	for i := range poppers {
		all.Go(func() {
			for round := 0; ; round++ {
				select {
				case <-done:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration((i+round)%7)*time.Millisecond/2)
				body, err := client.With(ctx).Queue.Pop("q", flin.Wait(time.Minute))
				cancel()
				switch {
				case err == nil:
					mu.Lock()
					got[string(body)]++
					mu.Unlock()
				case errors.Is(err, flin.ErrOutcomeUnknown): // the server is too slow to say
					mu.Lock()
					unknown++
					mu.Unlock()
				case !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, flin.ErrTimeout):
					t.Errorf("a pop that was given up: %v", err)
					return
				}
			}
		})
	}
	for i := range messages {
		if err := client.Queue.Push("q", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	all.Wait()
	for {
		body, err := client.Queue.Pop("q", flin.Wait(200*time.Millisecond)) // one may be on its way back
		if errors.Is(err, flin.ErrEmpty) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got[string(body)]++
	}
	if len(got) > messages || len(got)+unknown < messages {
		t.Errorf("%d of %d messages came, %d pops do not know", len(got), messages, unknown)
	}
	for body, n := range got {
		if n != 1 {
			t.Errorf("%s came %d times", body, n)
		}
	}
}

// A worker goes on over the end of its server, at its old address, and every message is dealt with.
func TestReceiveGoesOnOverARestart(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	const messages = 300
	var bodies [][]byte
	for i := range messages {
		bodies = append(bodies, fmt.Append(nil, i))
	}
	if _, err := client.Queue.PushBatch("q", bodies); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	seen := map[string]bool{}
	var handled atomic.Int64
	halfway, whole := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- client.Queue.Receive(ctx, "q", func(_ context.Context, m *flin.Message) error {
			if m.Attempt == 1 && handled.Add(1) == messages/2 {
				close(halfway)
			}
			if m.Attempt == 1 && m.ID[len(m.ID)-1] == '7' {
				return errors.New("the first time it fails")
			}
			mu.Lock()
			defer mu.Unlock()
			if seen[string(m.Body)] = true; len(seen) == messages {
				select {
				case <-whole:
				default:
					close(whole)
				}
			}
			return nil
		}, flin.For(2*time.Second), flin.Concurrency(8))
	}()
	<-halfway
	s.kill()
	s.launch()
	select {
	case <-whole:
	case err := <-ended:
		t.Fatalf("receive ended: %v", err)
	case <-time.After(time.Minute):
		t.Fatalf("%d of %d after a minute", len(seen), messages)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for { // what was dealt with before the kill and not acknowledged comes again, and nothing else
		m, err := client.Queue.Lease("q", flin.Wait(3*time.Second))
		if errors.Is(err, flin.ErrEmpty) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if m.Attempt == 1 {
			t.Errorf("%s was never delivered", m.ID)
		}
		if err := m.Ack(); err != nil {
			t.Fatal(err)
		}
	}
	info, err := client.Queue.Info("q")
	if err != nil || info.Ready+info.Leased+info.Delayed+info.Dead != 0 {
		t.Errorf("%+v %v", info, err)
	}
}

// Messages of a group are handled one after the other and in their order, those of several groups at a time.
func TestReceiveHandlesGroupsInOrder(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	const groups, each = 4, 25
	for i := range each {
		for g := range groups {
			if err := client.Queue.Push("q", fmt.Append(nil, i), flin.GroupKey(fmt.Sprint("g", g))); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	got := map[string][]string{}
	busy := map[string]bool{}
	n := 0
	err := client.Queue.Receive(ctx, "q", func(_ context.Context, m *flin.Message) error {
		mu.Lock()
		if busy[m.GroupKey] {
			t.Errorf("two messages of %s at a time", m.GroupKey)
		}
		busy[m.GroupKey] = true
		mu.Unlock()
		time.Sleep(time.Millisecond) // so that handlers overlap if they may
		mu.Lock()
		defer mu.Unlock()
		busy[m.GroupKey] = false
		got[m.GroupKey] = append(got[m.GroupKey], string(m.Body))
		if n++; n == groups*each {
			cancel()
		}
		return nil
	})
	if err != nil || len(got) != groups {
		t.Fatalf("%v, %d groups", err, len(got))
	}
	var want []string
	for i := range each {
		want = append(want, fmt.Sprint(i))
	}
	for g, bodies := range got {
		if !slices.Equal(bodies, want) {
			t.Errorf("%s: %s", g, strings.Join(bodies, " "))
		}
	}
}
