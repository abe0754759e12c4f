package doc

import "sync"

// patience is how often a batch of writes is planned in vain, side by side with others, before it goes alone.
const patience = 3

// turns lets batches of writes that have lost to others go alone: else one could lose for ever where many change the same
// documents. Batches are served in the order in which they come.
type turns struct {
	mu      sync.Mutex // guards what follows, and the turns of batches; never held while something is submitted or answered
	shared  int        // batches under way side by side
	alone   bool       // one is under way alone
	waiting []*writes
}

// turn is what a batch has of turns.
type turn uint8

const (
	noTurn    turn = iota
	waits          // for a turn
	goesAside      // with others
	goesAlone
	gone // it has been answered
)

// enter takes a turn for a batch. It is false if there is none now: then the batch is queued again when there is one, unless it has
// been answered by then.
func (t *turns) enter(x *writes) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case x.turn == goesAside || x.turn == goesAlone:
		return true
	case x.turn == gone:
		return false
	case len(t.waiting) > 0 || !t.grant(x):
		x.turn = waits
		t.waiting = append(t.waiting, x)
		return false
	}
	return true
}

// grant gives a batch a turn if there is one. Under mu.
func (t *turns) grant(x *writes) bool {
	alone := x.tries >= patience
	if t.alone || alone && t.shared > 0 {
		return false
	}
	if alone {
		t.alone, x.turn = true, goesAlone
	} else {
		t.shared, x.turn = t.shared+1, goesAside
	}
	return true
}

// leave gives a batch's turn back, and its place among those that wait. What it has next is next: noTurn or gone.
func (t *turns) leave(x *writes, next turn) {
	t.mu.Lock()
	switch x.turn {
	case waits:
		for i, other := range t.waiting {
			if other == x {
				t.waiting = append(t.waiting[:i], t.waiting[i+1:]...)
				break
			}
		}
	case goesAside:
		t.shared--
	case goesAlone:
		t.alone = false
	case noTurn, gone:
	}
	x.turn = next
	var woken []*writes
	for len(t.waiting) > 0 && t.grant(t.waiting[0]) {
		woken = append(woken, t.waiting[0])
		t.waiting[0] = nil
		t.waiting = t.waiting[1:]
	}
	t.mu.Unlock()
	for _, x := range woken {
		x.again()
	}
}
