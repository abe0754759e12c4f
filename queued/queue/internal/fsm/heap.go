package fsm

// heap keeps the least of its items in front.
type heap[T any] struct {
	items []T
	less  func(a, b T) bool
	moved func(t T, i int) // tells an item where it is, -1 for nowhere; may be nil
}

func (h *heap[T]) len() int { return len(h.items) }

func (h *heap[T]) push(t T) {
	h.items = append(h.items, t)
	h.tell(t, len(h.items)-1)
	h.up(len(h.items) - 1)
}

// remove takes the i-th item out.
func (h *heap[T]) remove(i int) T {
	last := len(h.items) - 1
	t := h.items[i]
	h.items[i] = h.items[last]
	var none T
	h.items[last] = none
	h.items = h.items[:last]
	if i < last {
		h.tell(h.items[i], i)
		h.fix(i)
	}
	h.tell(t, -1)
	return t
}

// fix puts the i-th item in its place after it has changed.
func (h *heap[T]) fix(i int) {
	if !h.down(i) {
		h.up(i)
	}
}

func (h *heap[T]) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(h.items[i], h.items[parent]) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h *heap[T]) down(i int) (sank bool) {
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

func (h *heap[T]) swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	h.tell(h.items[i], i)
	h.tell(h.items[j], j)
}

func (h *heap[T]) tell(t T, i int) {
	if h.moved != nil {
		h.moved(t, i)
	}
}
