package doc

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/chores"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	cursorIdle  = 10 * time.Minute // after which a cursor goes
	sweepEvery  = 10 * time.Second
	maxCursorID = 1<<63 - 1
)

// cursors are what answers have left over, by their ids. They are in the memory of one node: who asks another finds none.
type cursors struct {
	most   int
	memory int64
	clock  func() int64

	mu     sync.Mutex // guards what follows; never held while a source is used
	all    map[uint64]*cursor
	held   int64 // bytes that the sources of all keep
	closed bool
}

// cursor is a source that is left over. While it is in use it belongs to whoever uses it.
type cursor struct {
	src  source
	held int64
	used int64 // when, by the clock
	busy bool
	dead bool // it was killed while it was in use
}

func newCursors(cfg *Config) *cursors {
	return &cursors{most: cfg.Cursors, memory: cfg.CursorMemory, clock: cfg.clock, all: make(map[uint64]*cursor)}
}

// put keeps a source. It is nobody's if that fails.
func (c *cursors) put(src source) (id uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := src.held()
	switch {
	case c.closed:
		return 0, errStopping
	case len(c.all) >= c.most:
		return 0, wire.Errorf(wire.Full, "%d cursors are open, as many as there may be: read them to their ends or give them up", c.most)
	case c.held+held > c.memory:
		return 0, wire.Errorf(wire.Full, "what open cursors hold would be over %d bytes: read them to their ends, ask for less or make an index that serves", c.memory)
	}
	for id == 0 || c.all[id] != nil {
		id = rand.Uint64() & maxCursorID
	}
	c.all[id] = &cursor{src: src, held: held, used: c.clock()}
	c.held += held
	return id, nil
}

// take hands a cursor to its user.
func (c *cursors) take(id uint64) (*cursor, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.all[id]
	if x == nil {
		err := wire.Errorf(wire.NotFound, "cursor id %d not found: it has come to its end, was given up, was left alone for %v, or is another node's", id, cursorIdle)
		err.Sub = wire.DocCursorNotFound
		return nil, err
	}
	if x.busy {
		err := wire.Errorf(wire.Conflict, "cursor id %d is in use: ask for the next documents once the last have come", id)
		err.Sub = codeInUse
		return nil, err
	}
	x.busy = true
	return x, nil
}

// give takes a cursor back from its user, or ends it.
func (c *cursors) give(id uint64, x *cursor, more bool) (open bool) {
	held := x.src.held()
	c.mu.Lock()
	x.busy, x.used = false, c.clock()
	c.held += held - x.held
	x.held = held
	open = more && !x.dead && !c.closed
	if !open {
		c.held -= x.held
		delete(c.all, id)
	}
	c.mu.Unlock()
	if !open {
		x.src.close()
	}
	return open
}

// end gives cursors up for which fn says so.
func (c *cursors) end(fn func(id uint64, x *cursor) bool) (n int64) {
	var gone []*cursor
	c.mu.Lock()
	for id, x := range c.all {
		if x.dead || !fn(id, x) {
			continue
		}
		n++
		if x.busy {
			x.dead = true
			continue
		}
		c.held -= x.held
		delete(c.all, id)
		gone = append(gone, x)
	}
	c.mu.Unlock()
	for _, x := range gone {
		x.src.close()
	}
	return n
}

func (c *cursors) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end(func(uint64, *cursor) bool { return true })
}

// load returns how many cursors there are, and the bytes that they hold.
func (c *cursors) load() (n int, held int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all), c.held
}

// runCursors ends cursors that are idle, and transactions that are open for too long.
func (e *Engine) runCursors(ctx context.Context) {
	for chores.Wait(ctx, sweepEvery) {
		e.cursors.sweep()
		e.txns.sweep()
	}
}

func (c *cursors) sweep() {
	late := c.clock() - cursorIdle.Milliseconds()
	c.end(func(_ uint64, x *cursor) bool { return !x.busy && x.used < late })
}

// firstBatch answers with the first documents of a source, and keeps it if there are more.
func (e *Engine) firstBatch(t step, src source, r *fsm.Reader, most uint64, flags wire.DocFindFlags) {
	buf := e.buffers.Get().(*[]byte)
	defer e.buffers.Put(buf)
	b := batch{buf: (*buf)[:0], most: most, limit: e.batchBytes}
	more, err := src.fill(&b, r, t.Stop)
	e.keep(buf, b.buf)
	var id uint64
	if err == nil && more && flags&wire.DocFindSingle == 0 {
		src = t.kept(src)
		id, err = e.cursors.put(src)
	}
	if id == 0 {
		src.close()
	}
	if err != nil {
		t.Answer(fail(err))
		return
	}
	t.Answer(wire.Response{Rev: e.st.Applied().Revision, Num: int64(id), Body: b.buf})
}

// more serves OpDocMore.
func (e *Engine) more(g *replica.Group, req *wire.Request, r engine.Replier) {
	e.onWorker(g, req, r, func(t *pool.Task, body []byte) {
		var m wire.DocMore
		_ = m.Decode(body) // it was checked
		x, err := e.cursors.take(m.Cursor)
		if err != nil {
			t.Answer(fail(err))
			return
		}
		buf := e.buffers.Get().(*[]byte)
		defer e.buffers.Put(buf)
		b := batch{buf: (*buf)[:0], most: m.Batch, limit: e.batchBytes}
		more, err := x.src.fill(&b, nil, t.Stop)
		e.keep(buf, b.buf)
		resp := wire.Response{Rev: e.st.Applied().Revision, Body: b.buf}
		if e.cursors.give(m.Cursor, x, more && (err == nil || isInUse(err))) {
			resp.Num = int64(m.Cursor)
		}
		if err != nil {
			resp = fail(err)
		}
		t.Answer(resp)
	})
}

// kill serves OpDocKill.
func (e *Engine) kill(_ *replica.Group, req *wire.Request, r engine.Replier) {
	var m wire.DocKill
	_ = m.Decode(req.Body) // it was checked
	wanted := make(map[uint64]bool, len(m.Cursors))
	for _, id := range m.Cursors {
		wanted[id] = true
	}
	n := e.cursors.end(func(id uint64, _ *cursor) bool { return wanted[id] })
	r.Reply(req.Tag, wire.Response{Num: n})
}
