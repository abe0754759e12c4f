package doc

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// held keeps the order of requests of one client (wire.FlagOrdered) that are not one command of the log: those on a worker, and
// writes that are looked up first. What may not overtake them, or must not be overtaken by them, waits here: a write for
// everything, a read for writes. What is proposed at once keeps its order in the log.
type held struct {
	n   atomic.Int32 // of all; read without mu
	mu  sync.Mutex   // guards what follows; never held while something is submitted or answered
	all map[engine.Replier]*hold
}

// hold is a client of which something is on its way.
type hold struct {
	reads, writes int    // on their way
	waiting       []late // what comes after them
	draining      bool   // somebody sends those who wait on their way
}

// late is a request that goes on after Submit has returned.
type late struct {
	req wire.Request // its body is its own
	r   engine.Replier
}

// enter notes that an ordered request is on its way. It returns what is to be called when it has been answered: nil if the request
// is not ordered.
func (h *held) enter(e *Engine, req *wire.Request, r engine.Replier) (leave func()) {
	if req.Flags&wire.FlagOrdered == 0 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.all[r]
	if x == nil {
		x = &hold{}
		h.all[r] = x
		h.n.Add(1)
	}
	n := &x.writes
	if reads(req.Op) {
		n = &x.reads
	}
	*n++
	return func() { h.leave(e, r, n) }
}

// blocks reports whether a request must wait for those that are on their way.
func (x *hold) blocks(op wire.Op) bool { return x.writes > 0 || x.reads > 0 && !reads(op) }

// join lets an ordered request wait if it must.
func (h *held) join(req *wire.Request, r engine.Replier) bool {
	if h.n.Load() == 0 {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.all[r]
	if x == nil || len(x.waiting) == 0 && !x.draining && !x.blocks(req.Op) {
		return false
	}
	l := late{*req, r}
	l.req.Body = bytes.Clone(req.Body)
	x.waiting = append(x.waiting, l)
	return true
}

// leave notes that a request has been answered. Those that waited for it follow.
func (h *held) leave(e *Engine, r engine.Replier, n *int) {
	h.mu.Lock()
	x := h.all[r]
	*n--
	if x.draining {
		h.mu.Unlock()
		return
	}
	x.draining = true
	for len(x.waiting) > 0 && !x.blocks(x.waiting[0].req.Op) {
		l := x.waiting[0]
		x.waiting[0] = late{}
		x.waiting = x.waiting[1:]
		h.mu.Unlock()
		e.begin(e.group.Load(), &l.req, l.r)
		h.mu.Lock()
	}
	x.draining = false
	if x.reads+x.writes == 0 {
		delete(h.all, r)
		h.n.Add(-1)
	}
	h.mu.Unlock()
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
