package resp

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// clients are the connections that are open.
type clients struct {
	mu   sync.Mutex // guards byID
	byID map[uint64]*conn
}

func (l *clients) add(c *conn) {
	c.s.stats.accepted.Add(1)
	l.mu.Lock()
	l.byID[c.link.ID()] = c
	l.mu.Unlock()
}

func (l *clients) remove(c *conn) {
	l.mu.Lock()
	delete(l.byID, c.link.ID())
	l.mu.Unlock()
}

func (l *clients) get(id uint64) *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[id]
}

func (l *clients) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.byID)
}

// list returns the connections, oldest first.
func (l *clients) list() []*conn {
	l.mu.Lock()
	all := make([]*conn, 0, len(l.byID))
	for _, c := range l.byID {
		all = append(all, c)
	}
	l.mu.Unlock()
	slices.SortFunc(all, func(a, b *conn) int { return cmp.Compare(a.link.ID(), b.link.ID()) })
	return all
}

// about is what other clients can learn of a connection.
type about struct {
	cmd  atomic.Pointer[command] // the last command
	seen atomic.Int64            // wire.Clock of the last input

	own   posture // the reader's copy of shown
	mu    sync.Mutex
	shown posture // guarded by mu
}

// posture is what a client has set for itself, as CLIENT LIST shows it.
type posture struct {
	name, libName, libVer string
	db                    byte
	resp3, noTouch, noEvi bool
	queued                int // commands since MULTI; -1: no MULTI
	watched               int // keys
}

// touch notes that the client has sent something, and shows what it has changed.
func (a *about) touch(c *conn) {
	a.seen.Store(c.deadline - int64(requestTimeout))
	p := a.own
	p.db, p.resp3, p.watched, p.queued = c.db, c.resp3, len(c.watched), -1
	if c.txn != nil {
		p.queued = len(c.txn.queue)
	}
	a.set(p)
}

// set shows p.
func (a *about) set(p posture) {
	if p == a.own {
		return
	}
	a.own = p
	a.mu.Lock()
	a.shown = p
	a.mu.Unlock()
}

func (a *about) get() posture {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.shown
}
