// Package hub feeds the watches of an engine (wire.Op.Streams): one goroutine gathers what is to be sent and sends it; the goroutine that
// applies only wakes it. A watch that has no credit, or whose client is slow, costs nobody anything.
package hub

import (
	"context"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Source is where a watch takes its answers from.
type Source interface {
	// Stand finds the place where the watch begins. rev is that of the first answer, which is empty.
	Stand() (rev uint64, err error)
	// Next gathers the next answer from the place on, and moves that. send is false if there is nothing to tell; tick says that some time
	// has passed (New), so that a watch may be told how far it is. more says that there may be another answer. With an error the watch
	// ends. resp is valid until the next call of any source's Next.
	Next(tick bool) (resp wire.Response, send, more bool, err error)
}

// Watch is one request. Its first answer is free; every other with More takes a credit.
type Watch struct {
	source Source
	origin origin

	// Guarded by Hub.mu.
	stands  bool // the first answer has been sent
	busy    bool // an answer is being sent, by whoever set it
	ended   bool // no answer is sent any more but the last
	last    error
	credits int
}

// origin names a request: who asked, and the tag it gave.
type origin struct {
	r   engine.Replier
	tag uint64
}

// Hub has all watches of an engine.
type Hub struct {
	engine string
	limit  int
	every  time.Duration
	wake   chan struct{} // one slot

	mu     sync.Mutex // guards what follows; never held while something is answered or gathered
	all    map[origin]*Watch
	closed bool
}

// New returns a hub of at most limit watches. engine is what its answers call its owner. Every so often all watches are asked for what
// they have to tell (Source.Next's tick); 0 is never.
func New(engine string, limit int, every time.Duration) *Hub {
	return &Hub{engine: engine, limit: limit, every: every, wake: make(chan struct{}, 1), all: make(map[origin]*Watch)}
}

// Notify wakes the feeding goroutine. It never blocks.
func (h *Hub) Notify() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Open makes a watch known: from now on it takes credits and can be withdrawn. It is fed once it stands.
func (h *Hub) Open(r engine.Replier, tag uint64, s Source) (*Watch, error) {
	w := &Watch{source: s, origin: origin{r, tag}}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, h.stopping()
	case len(h.all) >= h.limit:
		return nil, wire.Errorf(wire.Busy, "there are %d watches already, which is the limit", h.limit)
	}
	h.all[w.origin] = w
	return w, nil
}

func (h *Hub) stopping() error {
	return wire.Errorf(wire.Unavailable, "the %s engine is stopping", h.engine)
}

// Stand finds the watch's place and sends its first answer; with an error it ends the watch instead.
func (h *Hub) Stand(w *Watch, err error) {
	var rev uint64
	if err == nil {
		rev, err = w.source.Stand()
	}
	if err != nil {
		h.end(w, err)
		return
	}
	h.mu.Lock()
	if w.ended {
		h.mu.Unlock()
		return
	}
	w.busy = true
	h.mu.Unlock()
	w.origin.r.Reply(w.origin.tag, wire.Response{More: true, Rev: rev})
	h.mu.Lock()
	w.stands = true
	h.mu.Unlock()
	h.sent(w)
	h.Notify()
}

// sent ends the sending of an answer: what came meanwhile is done now.
func (h *Hub) sent(w *Watch) {
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
func (h *Hub) end(w *Watch, why error) {
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

// Cancel withdraws a watch. It is false if there is none of that name.
func (h *Hub) Cancel(r engine.Replier, tag uint64) bool {
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

// Credit grants a watch n more answers.
func (h *Hub) Credit(r engine.Replier, tag uint64, n int) {
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
		h.Notify()
	}
}

// Run feeds until ctx ends.
func (h *Hub) Run(ctx context.Context) {
	var ticks <-chan time.Time
	if h.every > 0 {
		ticker := time.NewTicker(h.every)
		defer ticker.Stop()
		ticks = ticker.C
	}
	var ready []*Watch
	for {
		tick := false
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		case <-ticks:
			tick = true
		}
		for more := true; more && ctx.Err() == nil; {
			more = false
			ready = h.ready(ready[:0])
			for _, w := range ready {
				if h.feed(w, tick) {
					more = true
				}
			}
			clear(ready)
		}
	}
}

// ready lists the watches that may be sent something.
func (h *Hub) ready(ws []*Watch) []*Watch {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range h.all {
		if w.stands && !w.busy && w.credits > 0 {
			ws = append(ws, w)
		}
	}
	return ws
}

// feed sends a watch its next answer, if there is one, and reports whether there may be another.
func (h *Hub) feed(w *Watch, tick bool) bool {
	resp, send, more, err := w.source.Next(tick)
	switch {
	case err != nil:
		h.end(w, err)
		return false
	case !send:
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
	resp.More = true
	w.origin.r.Reply(w.origin.tag, resp)
	h.sent(w)
	return more
}

// Close ends all watches.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	var left []*Watch
	for _, w := range h.all {
		left = append(left, w)
	}
	h.mu.Unlock()
	for _, w := range left {
		h.end(w, h.stopping())
	}
}

// Count returns how many watches there are.
func (h *Hub) Count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all)
}
