package doc

import (
	"context"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// hub feeds the watches from what is recorded of changes. One goroutine gathers events and sends answers; the goroutine that applies
// only wakes it. A watch that has no credit, or whose client is slow, costs nobody anything: when it goes on, what it missed is in the
// store, or it is told Compacted.
type hub struct {
	machine *fsm.Machine
	limit   int
	wake    chan struct{} // one slot

	mu     sync.Mutex // guards what follows; never held while something is answered or read
	all    map[origin]*watcher
	closed bool
}

// When a watch for which there is nothing is told how far it is, so that it can go on there when what it has passed over has been
// trimmed.
const (
	tellBytes = 4 << 20 // passed over
	tellEvery = 10 * time.Second
)

func newHub(limit int) *hub {
	return &hub{limit: limit, wake: make(chan struct{}, 1), all: make(map[origin]*watcher)}
}

// notify wakes the feeding goroutine. It never blocks.
func (h *hub) notify() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// add makes a watch known: from now on it takes credits and can be withdrawn.
func (h *hub) add(w *watcher) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return errStopping
	case len(h.all) >= h.limit:
		return wire.Errorf(wire.Busy, "there are %d watches already, which is the limit", h.limit)
	}
	h.all[w.origin] = w
	return nil
}

// stand finds the watch's place and sends its first answer.
func (h *hub) stand(w *watcher) {
	before := w.from.Rev - 1
	if w.at = w.from; w.from.Rev == 0 {
		before = h.machine.Newest()
		w.at = fsm.After(before)
	}
	if !h.machine.Kept(&w.name, w.at) {
		h.end(w, w.compacted())
		return
	}
	h.mu.Lock()
	if w.ended {
		h.mu.Unlock()
		return
	}
	w.busy = true
	h.mu.Unlock()
	w.origin.r.Reply(w.origin.tag, wire.Response{More: true, Rev: before})
	h.mu.Lock()
	w.stands = true
	h.mu.Unlock()
	h.sent(w)
	h.notify()
}

// sent ends the sending of an answer: what came meanwhile is done now.
func (h *hub) sent(w *watcher) {
	h.mu.Lock()
	w.busy = false
	last := w.last
	w.last = nil
	h.mu.Unlock()
	if last != nil {
		w.origin.r.Reply(w.origin.tag, wire.Fail(last))
	}
}

// end sends the last answer, or leaves that to whoever is just sending one. A watch ends once.
func (h *hub) end(w *watcher, why *wire.Error) {
	h.mu.Lock()
	if w.ended {
		h.mu.Unlock()
		return
	}
	w.ended = true
	if h.all[w.origin] == w {
		delete(h.all, w.origin)
	}
	if w.busy {
		w.last = why
		h.mu.Unlock()
		return
	}
	h.mu.Unlock()
	w.origin.r.Reply(w.origin.tag, wire.Fail(why))
}

// cancel withdraws a watch, if there is one of that name.
func (h *hub) cancel(r engine.Replier, tag uint64) bool {
	h.mu.Lock()
	w := h.all[origin{r, tag}]
	h.mu.Unlock()
	if w == nil {
		return false
	}
	h.end(w, wire.Errorf(wire.Canceled, "the request was withdrawn"))
	return true
}

// maxCredits bounds what a watch may be owed.
const maxCredits = 1 << 30

// credit grants a watch n more answers.
func (h *hub) credit(r engine.Replier, tag uint64, n int) {
	if n <= 0 {
		return
	}
	h.mu.Lock()
	w := h.all[origin{r, tag}]
	if w != nil {
		w.credits = min(w.credits+min(n, maxCredits), maxCredits)
	}
	h.mu.Unlock()
	if w != nil {
		h.notify()
	}
}

// run feeds until ctx ends.
func (h *hub) run(ctx context.Context) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	var ready []*watcher
	var f feeder
	for {
		most := tellBytes
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		case <-tick.C:
			most = 1
		}
		for more := true; more && ctx.Err() == nil; {
			more = false
			ready = h.ready(ready[:0])
			for _, w := range ready {
				if h.feed(w, &f, most) {
					more = true
				}
			}
			clear(ready)
		}
	}
}

// ready lists the watches that may be sent something.
func (h *hub) ready(ws []*watcher) []*watcher {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range h.all {
		if w.stands && !w.busy && w.credits > 0 {
			ws = append(ws, w)
		}
	}
	return ws
}

// feed sends a watch its next answer, if there is one, and reports whether there may be another. An empty one is sent if the watch has
// passed over most bytes.
func (h *hub) feed(w *watcher, f *feeder, most int) bool {
	from := w.at
	rev, more, err := f.gather(h.machine, w)
	switch {
	case err != nil:
		h.end(w, asError(err))
		return false
	case !h.machine.Kept(&w.name, from):
		w.at = from
		h.end(w, w.compacted())
		return false
	case len(f.out) == 0 && w.skipped < most:
		return more
	}
	h.mu.Lock()
	if w.ended {
		h.mu.Unlock()
		return false
	}
	w.credits--
	w.busy = true
	h.mu.Unlock()
	w.skipped = 0
	w.origin.r.Reply(w.origin.tag, wire.Response{More: true, Rev: rev, Body: f.out})
	h.sent(w)
	return more
}

// close ends all watches.
func (h *hub) close() {
	h.mu.Lock()
	h.closed = true
	var left []*watcher
	for _, w := range h.all {
		left = append(left, w)
	}
	h.mu.Unlock()
	for _, w := range left {
		h.end(w, errStopping)
	}
}

func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all)
}
