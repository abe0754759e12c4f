package fsm

import (
	"container/heap"
	"math"
)

// never is a time that does not come.
const never = int64(math.MaxInt64)

// dated is something that is due at a time.
type dated[T any] interface {
	// due is when.
	due() int64
	// before decides among those of one time, always the same way.
	before(other T) bool
	// place is where the agenda notes its position.
	place() *int32
}

// agenda has things in the order in which they are due: each once, or not at all. A thing's zero place is nowhere.
type agenda[T dated[T]] struct{ items []T }

// set puts x in the place where it belongs now; one that is never due is taken out.
func (a *agenda[T]) set(x T) {
	at, i := x.due(), int(*x.place())-1
	switch {
	case at == never && i >= 0:
		heap.Remove(a, i)
	case at == never:
	case i >= 0:
		heap.Fix(a, i)
	default:
		heap.Push(a, x)
	}
}

// remove takes x out, if it is there.
func (a *agenda[T]) remove(x T) {
	if i := int(*x.place()) - 1; i >= 0 {
		heap.Remove(a, i)
	}
}

// next returns what is due first, and when; never if there is nothing.
func (a *agenda[T]) next() (x T, at int64) {
	if len(a.items) == 0 {
		return x, never
	}
	return a.items[0], a.items[0].due()
}

// Len is for package heap, as are the other exported methods.
func (a *agenda[T]) Len() int { return len(a.items) }

// Less compares two items.
func (a *agenda[T]) Less(i, j int) bool {
	x, y := a.items[i], a.items[j]
	if at, other := x.due(), y.due(); at != other {
		return at < other
	}
	return x.before(y)
}

// Swap exchanges two items.
func (a *agenda[T]) Swap(i, j int) {
	a.items[i], a.items[j] = a.items[j], a.items[i]
	*a.items[i].place(), *a.items[j].place() = int32(i+1), int32(j+1)
}

// Push adds an item behind the others.
func (a *agenda[T]) Push(x any) {
	t := x.(T) //nolint:forcetypeassert // set gives nothing else
	a.items = append(a.items, t)
	*t.place() = int32(len(a.items))
}

// Pop removes the last item.
func (a *agenda[T]) Pop() any {
	last := len(a.items) - 1
	t := a.items[last]
	var none T
	a.items[last] = none
	a.items = a.items[:last]
	*t.place() = 0
	return t
}
