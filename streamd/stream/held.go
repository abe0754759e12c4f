package stream

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/streamd/stream/internal/fsm"
)

// held keeps the order of requests that the engine holds back before they are in the log: publishes to a topic that is being
// made, and what is gathered to be compressed. What the same client asks for in order (wire.FlagOrdered) waits for them here.
// Publishes wait only for others that do: each partition has them in order anyway.
type held struct {
	n   atomic.Int32 // of all; read without mu
	mu  sync.Mutex   // guards what follows; never held while something is submitted or answered
	all map[engine.Replier]*hold
}

// hold is a client of which something is held back.
type hold struct {
	n        int    // requests held back
	waiting  []late // what comes after them
	draining bool   // somebody sends those who wait on their way
}

// enter notes that a request of r is held back.
func (h *held) enter(r engine.Replier) {
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.all[r]
	if x == nil {
		x = &hold{}
		h.all[r] = x
		h.n.Add(1)
	}
	x.n++
}

// join lets an ordered request wait if something of r is held back.
func (h *held) join(req *wire.Request, r engine.Replier) bool {
	if h.n.Load() == 0 {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.all[r]
	if x == nil || req.Op == wire.OpStreamPublish && len(x.waiting) == 0 && !x.draining {
		return false
	}
	x.waiting = append(x.waiting, newLate(req, r))
	return true
}

// leave notes that a request of r is held back no longer. After the last the others follow.
func (h *held) leave(e *Engine, r engine.Replier) {
	h.mu.Lock()
	x := h.all[r]
	x.n--
	if x.draining {
		h.mu.Unlock()
		return
	}
	x.draining = true
	for x.n == 0 && len(x.waiting) > 0 {
		l := x.waiting[0]
		x.waiting[0] = late{}
		x.waiting = x.waiting[1:]
		h.mu.Unlock()
		e.beginLate(&l)
		h.mu.Lock()
	}
	x.draining = false
	if x.n == 0 {
		delete(h.all, r)
		h.n.Add(-1)
	}
	h.mu.Unlock()
}

// beginLate begins a request that has waited. A batch is judged once more: its topic may not have been there before.
func (e *Engine) beginLate(l *late) {
	if l.req.Op == wire.OpStreamAppend {
		if err := e.machine.Check(l.req.Op, l.req.Body); err != nil {
			l.r.Reply(l.req.Tag, wire.Fail(err))
			return
		}
	}
	e.begin(e.group.Load(), fsm.KindOf(l.req.Op), &l.req, l.r)
}

// cancel withdraws a request that waits.
func (h *held) cancel(r engine.Replier, tag uint64) bool {
	if h.n.Load() == 0 {
		return false
	}
	h.mu.Lock()
	x := h.all[r]
	at := -1
	if x != nil {
		at = slices.IndexFunc(x.waiting, func(l late) bool { return l.req.Tag == tag })
	}
	if at >= 0 {
		x.waiting = slices.Delete(x.waiting, at, at+1)
	}
	h.mu.Unlock()
	if at >= 0 {
		r.Reply(tag, canceled())
	}
	return at >= 0
}
