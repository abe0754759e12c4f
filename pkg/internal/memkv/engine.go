// Package memkv is an engine for tests of the fronts: a map that answers at once, and requests that it holds until it is
// told to let them go.
package memkv

import (
	"sync"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Hold is the operation whose requests are held.
const Hold = wire.OpKVRandom

// Engine implements engine.Engine. It knows get, set, del, exists, incr, stat, watch and Hold.
type Engine struct {
	mu     sync.RWMutex // guards what follows
	keys   map[string]entry
	rev    uint64
	held   map[place]wire.Op
	credit map[place]int // of watches
	moved  chan struct{} // closed and replaced when held or credit change
}

type entry struct {
	value   []byte
	version uint64
	expires int64
}

type place struct {
	r   engine.Replier
	tag uint64
}

// New returns an empty Engine.
func New() *Engine {
	return &Engine{keys: map[string]entry{}, held: map[place]wire.Op{}, credit: map[place]int{}, moved: make(chan struct{})}
}

// Submit implements engine.Engine.
func (e *Engine) Submit(req wire.Request, r engine.Replier) {
	switch req.Op {
	case wire.OpKVGet:
		e.get(&req, r)
	case wire.OpKVStat:
		r.Reply(req.Tag, e.stat(&req))
	case wire.OpKVSet:
		r.Reply(req.Tag, e.set(&req))
	case wire.OpKVDel:
		r.Reply(req.Tag, e.del(&req))
	case wire.OpKVIncr:
		r.Reply(req.Tag, e.incr(&req))
	case Hold:
		e.change(func() { e.held[place{r, req.Tag}] = req.Op })
	case wire.OpKVWatch:
		r.Reply(req.Tag, wire.Response{More: true, Rev: 1})
		e.change(func() { e.credit[place{r, req.Tag}] = 0 })
	default:
		r.Reply(req.Tag, wire.Failf(wire.Unsupported, "operation %v is not known", req.Op))
	}
}

// change runs f under the lock and tells Until.
func (e *Engine) change(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
	close(e.moved)
	e.moved = make(chan struct{})
}

// Cancel implements engine.Engine.
func (e *Engine) Cancel(r engine.Replier, tag uint64) {
	var found bool
	e.change(func() {
		_, held := e.held[place{r, tag}]
		_, watched := e.credit[place{r, tag}]
		found = held || watched
		delete(e.held, place{r, tag})
		delete(e.credit, place{r, tag})
	})
	if found {
		r.Reply(tag, wire.Response{Code: wire.Canceled})
	}
}

// Credit implements engine.Engine.
func (e *Engine) Credit(r engine.Replier, tag uint64, n int) {
	e.change(func() {
		if _, ok := e.credit[place{r, tag}]; ok {
			e.credit[place{r, tag}] += n
		}
	})
}

// LetGo answers everything that is held, and returns how much that was.
func (e *Engine) LetGo() int {
	var held map[place]wire.Op
	e.change(func() { held, e.held = e.held, map[place]wire.Op{} })
	for p := range held {
		p.r.Reply(p.tag, wire.Response{Num: 1, Body: []byte("let go")})
	}
	return len(held)
}

// Until returns when cond holds of the number of held requests, watches and credits.
func (e *Engine) Until(cond func(held, watches, credits int) bool) {
	for {
		e.mu.RLock()
		credits := 0
		for _, n := range e.credit {
			credits += n
		}
		held, watches, moved := len(e.held), len(e.credit), e.moved
		e.mu.RUnlock()
		if cond(held, watches, credits) {
			return
		}
		<-moved
	}
}
