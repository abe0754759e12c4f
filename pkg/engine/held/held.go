// Package held keeps the order in which a client asks (wire.FlagOrdered) where the log does not keep it: for requests that go to a
// worker, or wait for something, before they are proposed.
package held

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Requests are those that are on their way to the log, and those of the same clients that wait behind them. Among those on their way a
// write is waited for by everything, a read by writes. What is proposed at once keeps its order in the log.
type Requests struct {
	reads func(op wire.Op) bool
	begin func(l *Late)

	n   atomic.Int32 // clients; read without mu
	mu  sync.Mutex   // guards what follows; never held while something is begun or answered
	all map[engine.Replier]*client
}

// client is one of which something is on its way.
type client struct {
	reads, writes int    // on their way
	waiting       []Late // what comes after them
	draining      bool   // somebody sends those who wait on their way
}

// Late is a request that goes on after Submit has returned.
type Late struct {
	wire.Request // its body is its own
	Replier      engine.Replier
}

// Keep returns a request with a copy of its body.
func Keep(req *wire.Request, r engine.Replier) Late {
	l := Late{*req, r}
	l.Body = bytes.Clone(req.Body)
	return l
}

// New returns the requests of an engine, which are none. reads says which operations change nothing, so that they need not keep an
// order among themselves. begin sends a request on its way that has waited.
func New(reads func(op wire.Op) bool, begin func(l *Late)) *Requests {
	return &Requests{reads: reads, begin: begin, all: make(map[engine.Replier]*client)}
}

// Enter notes that a request of r is on its way. Leave must follow.
func (h *Requests) Enter(op wire.Op, r engine.Replier) {
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.all[r]
	if x == nil {
		x = &client{}
		h.all[r] = x
		h.n.Add(1)
	}
	*x.way(h.reads(op))++
}

// EnterOrdered is Enter for a request that is ordered, and returns its Leave. For others it does nothing and returns nil.
func (h *Requests) EnterOrdered(req *wire.Request, r engine.Replier) (leave func()) {
	if req.Flags&wire.FlagOrdered == 0 {
		return nil
	}
	op := req.Op
	h.Enter(op, r)
	return func() { h.Leave(op, r) }
}

// way is the number of reads, or of writes, that are on their way.
func (x *client) way(reads bool) *int {
	if reads {
		return &x.reads
	}
	return &x.writes
}

// blocks reports whether a read, or a write, must wait for what is on its way.
func (x *client) blocks(read bool) bool { return x.writes > 0 || x.reads > 0 && !read }

// Join lets an ordered request wait if something is on its way that it must not overtake, or something waits already.
func (h *Requests) Join(req *wire.Request, r engine.Replier) bool { return h.wait(req, r, true) }

// Follow lets an ordered request wait if something waits already: for one that keeps an order of its own with what is on its way.
func (h *Requests) Follow(req *wire.Request, r engine.Replier) bool { return h.wait(req, r, false) }

func (h *Requests) wait(req *wire.Request, r engine.Replier, strict bool) bool {
	if h.n.Load() == 0 {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.all[r]
	if x == nil || len(x.waiting) == 0 && !x.draining && !(strict && x.blocks(h.reads(req.Op))) {
		return false
	}
	x.waiting = append(x.waiting, Keep(req, r))
	return true
}

// Leave notes that a request of r has been answered, or has been proposed. Those that waited for it follow.
func (h *Requests) Leave(op wire.Op, r engine.Replier) {
	h.mu.Lock()
	x := h.all[r]
	*x.way(h.reads(op))--
	if x.draining {
		h.mu.Unlock()
		return
	}
	x.draining = true
	for len(x.waiting) > 0 && !x.blocks(h.reads(x.waiting[0].Op)) {
		l := x.waiting[0]
		x.waiting[0] = Late{}
		x.waiting = x.waiting[1:]
		h.mu.Unlock()
		h.begin(&l)
		h.mu.Lock()
	}
	x.draining = false
	if x.reads+x.writes == 0 {
		delete(h.all, r)
		h.n.Add(-1)
	}
	h.mu.Unlock()
}

// Cancel withdraws a request that waits: it is answered Canceled. It is false if there is none.
func (h *Requests) Cancel(r engine.Replier, tag uint64) bool {
	if h.n.Load() == 0 {
		return false
	}
	h.mu.Lock()
	x := h.all[r]
	at := -1
	if x != nil {
		at = slices.IndexFunc(x.waiting, func(l Late) bool { return l.Tag == tag })
	}
	if at >= 0 {
		x.waiting = slices.Delete(x.waiting, at, at+1)
	}
	h.mu.Unlock()
	if at >= 0 {
		r.Reply(tag, wire.Failf(wire.Canceled, "the request was withdrawn"))
	}
	return at >= 0
}
