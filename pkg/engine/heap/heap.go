// Package heap keeps the least of some things in front.
package heap

// Heap has things in the order of a heap. It is guarded by whoever has it.
type Heap[T any] struct {
	items []T
	less  func(a, b T) bool
	moved func(t T, i int)
}

// New returns an empty heap. less is its order; a thing that is compared with itself is not less. moved tells a thing its index,
// -1 for nowhere, which Remove and Fix want; it may be nil.
func New[T any](less func(a, b T) bool, moved func(t T, i int)) Heap[T] {
	return Heap[T]{less: less, moved: moved}
}

// Len returns how many things there are.
func (h *Heap[T]) Len() int { return len(h.items) }

// First returns the least. There must be one.
func (h *Heap[T]) First() T { return h.items[0] }

// Items returns all, so that none is less than that at half its index (of 2i+1 and 2i+2 that is i). They are the heap's own memory:
// nobody may change their order but who has no use for the heap any more.
func (h *Heap[T]) Items() []T { return h.items }

// Push puts t in.
func (h *Heap[T]) Push(t T) {
	h.items = append(h.items, t)
	h.tell(t, len(h.items)-1)
	h.up(len(h.items) - 1)
}

// Remove takes out what is at an index. It is not compared with others: it may have changed.
func (h *Heap[T]) Remove(i int) T {
	last := len(h.items) - 1
	t := h.items[i]
	h.items[i] = h.items[last]
	var none T
	h.items[last] = none
	h.items = h.items[:last]
	if i < last {
		h.tell(h.items[i], i)
		h.Fix(i)
	}
	h.tell(t, -1)
	return t
}

// Fix puts what is at an index in its place after it has changed.
func (h *Heap[T]) Fix(i int) {
	if !h.down(i) {
		h.up(i)
	}
}

func (h *Heap[T]) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(h.items[i], h.items[parent]) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h *Heap[T]) down(i int) (sank bool) {
	for {
		child := 2*i + 1
		if child >= len(h.items) {
			return sank
		}
		if child+1 < len(h.items) && h.less(h.items[child+1], h.items[child]) {
			child++
		}
		if !h.less(h.items[child], h.items[i]) {
			return sank
		}
		h.swap(i, child)
		i, sank = child, true
	}
}

func (h *Heap[T]) swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	h.tell(h.items[i], i)
	h.tell(h.items[j], j)
}

func (h *Heap[T]) tell(t T, i int) {
	if h.moved != nil {
		h.moved(t, i)
	}
}
