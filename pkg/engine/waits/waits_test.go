package waits

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type sleeper struct {
	until int64
	at    int
}

// room is where sleepers wait, and a lock.
type room struct {
	*Waits[*sleeper]
	mu    sync.Mutex
	start time.Time
	woken []int64 // ms since start
}

func newRoom() *room {
	r := &room{start: time.Now()}
	r.Waits = New(func(s *sleeper) int64 { return s.until }, func(s *sleeper) *int { return &s.at })
	return r
}

func (r *room) now() int64 { return int64(time.Since(r.start)) }

// enter lets a sleeper wait until so many ms after the start.
func (r *room) enter(ms int64) *sleeper {
	s := &sleeper{until: ms * int64(time.Millisecond)}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Add(s)
	return s
}

func (r *room) expire() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		s, left := r.Due(r.now())
		if left > 0 {
			return left
		}
		r.Remove(s)
		r.woken = append(r.woken, time.Since(r.start).Milliseconds())
	}
}

func (r *room) expect(t *testing.T, ms ...int64) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.woken, ms) {
		t.Errorf("woken were some at %v, not at %v", r.woken, ms)
	}
	r.woken = nil
}

func TestEveryWaitEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { r.Run(ctx, r.expire) })
		r.enter(50)
		r.enter(20)
		r.enter(20)
		synctest.Wait()
		r.expect(t)
		time.Sleep(30 * time.Millisecond)
		r.expect(t, 20, 20)
		r.enter(40) // sooner than what is waited for
		r.enter(90)
		time.Sleep(40 * time.Millisecond)
		r.expect(t, 40, 50)
		time.Sleep(30 * time.Millisecond)
		r.expect(t, 90)
		time.Sleep(3 * idle)
		late := r.enter(r.now()/int64(time.Millisecond) - 1) // over before it began
		synctest.Wait()
		if r.woken = nil; r.Len() != 0 || late.at != -1 {
			t.Errorf("%d wait, the last at %d", r.Len(), late.at)
		}
		stop()
		wg.Wait()
	})
}

func TestSomebodyWhoWaitsCanBeTakenOut(t *testing.T) {
	r := newRoom()
	a, b, c := r.enter(3), r.enter(1), r.enter(2)
	if r.First() != b || len(r.All()) != 3 {
		t.Error("b is not the first of three")
	}
	r.Remove(b)
	if r.First() != c || r.Len() != 2 {
		t.Error("c is not the first of two")
	}
	r.Remove(a)
	if s, left := r.Due(int64(time.Millisecond)); s != c || left != time.Millisecond {
		t.Errorf("c is due in %v", left)
	}
	if s, left := r.Due(int64(time.Hour)); s != c || left != 0 {
		t.Errorf("c is due in %v", left)
	}
	r.Remove(c)
	if s, left := r.Due(0); s != nil || left != idle {
		t.Errorf("somebody is due in %v", left)
	}
}
