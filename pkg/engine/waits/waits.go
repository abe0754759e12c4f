// Package waits ends the waits of requests that are parked until something comes.
package waits

import (
	"context"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine/heap"
)

// idle is how long nothing has to be looked at while nobody waits.
const idle = time.Hour

// Waits are those who wait, first the one whose waiting ends next. Whoever has them guards them by a lock; only Run is called
// without it.
type Waits[T any] struct {
	heap  heap.Heap[T]
	over  func(t T) int64
	at    func(t T) *int
	clock chan struct{} // one slot: wakes Run
}

// New returns the waits of nobody. over is when somebody's waiting ends, by wire.Clock, and does not change while he waits; at is
// where his index is noted.
func New[T any](over func(t T) int64, at func(t T) *int) *Waits[T] {
	w := &Waits[T]{over: over, at: at, clock: make(chan struct{}, 1)}
	w.heap = heap.New(func(a, b T) bool { return over(a) < over(b) }, func(t T, i int) { *at(t) = i })
	return w
}

// Len returns how many wait.
func (w *Waits[T]) Len() int { return w.heap.Len() }

// First returns the one whose waiting ends next. There must be one.
func (w *Waits[T]) First() T { return w.heap.First() }

// All returns those who wait. It is valid until somebody is added or removed.
func (w *Waits[T]) All() []T { return w.heap.Items() }

// Add lets t wait.
func (w *Waits[T]) Add(t T) {
	w.heap.Push(t)
	if *w.at(t) == 0 { // Run does not know of this one
		select {
		case w.clock <- struct{}{}:
		default:
		}
	}
}

// Remove lets t, who waits, wait no longer.
func (w *Waits[T]) Remove(t T) { w.heap.Remove(*w.at(t)) }

// Due returns the first of those whose waiting is over by now, by wire.Clock. If none is, left is how long it is until then.
func (w *Waits[T]) Due(now int64) (t T, left time.Duration) {
	if w.heap.Len() == 0 {
		return t, idle
	}
	t = w.heap.First()
	return t, time.Duration(max(w.over(t)-now, 0))
}

// Run calls expire, which ends the waits that are over and returns how long it is until the next, whenever that time has passed
// or somebody waits for less, until ctx ends.
func (w *Waits[T]) Run(ctx context.Context, expire func() time.Duration) {
	timer := time.NewTimer(idle)
	defer timer.Stop()
	for {
		timer.Reset(expire())
		select {
		case <-ctx.Done():
			return
		case <-w.clock:
		case <-timer.C:
		}
	}
}
