package fsm

import (
	"math"

	"github.com/skshohagmiah/flin/pkg/engine/heap"
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
type agenda[T dated[T]] struct{ heap heap.Heap[T] }

func newAgenda[T dated[T]]() agenda[T] {
	return agenda[T]{heap.New(earlier[T], func(x T, i int) { *x.place() = int32(i + 1) })}
}

// earlier is the order of an agenda.
func earlier[T dated[T]](x, y T) bool {
	if at, other := x.due(), y.due(); at != other {
		return at < other
	}
	return x.before(y)
}

// set puts x in the place where it belongs now; one that is never due is taken out.
func (a *agenda[T]) set(x T) {
	switch i := int(*x.place()) - 1; {
	case x.due() == never:
		a.remove(x)
	case i >= 0:
		a.heap.Fix(i)
	default:
		a.heap.Push(x)
	}
}

// remove takes x out, if it is there.
func (a *agenda[T]) remove(x T) {
	if i := int(*x.place()) - 1; i >= 0 {
		a.heap.Remove(i)
	}
}

// next returns what is due first, and when; never if there is nothing.
func (a *agenda[T]) next() (x T, at int64) {
	if a.heap.Len() == 0 {
		return x, never
	}
	x = a.heap.First()
	return x, x.due()
}
