package resp

import (
	"slices"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// tracking is what CLIENT TRACKING ON has asked for. It is never changed: a new one takes its place.
type tracking struct {
	who      *follower
	bcast    bool
	optIn    bool
	optOut   bool
	noLoop   bool
	redirect uint64   // the client that is told; 0: the one that tracks
	prefixes []string // with bcast; none: every key
}

// follower stands for a client in the table of tracked keys. A client that has left leaves an empty one behind, which
// keeps nothing of it alive.
type follower struct {
	conn atomic.Pointer[conn]
	own  ownWrites
}

// reading is what a command of a client that tracks keys reads.
type reading struct {
	who  *follower
	keys []string
}

func (r *reading) join(o *reading) *reading {
	if r == nil || o == nil {
		if o == nil {
			return r
		}
		return o
	}
	r.keys = append(r.keys, o.keys...)
	return r
}

// beginReading notes the keys that cmd reads, where the client is to be told when they change.
func (c *conn) beginReading(t *tracking, cmd *command, args [][]byte) {
	if cmd.flags&isRead == 0 || t.bcast || t.optIn && !c.caching || t.optOut && c.caching {
		return
	}
	var keys []string
	cmd.positions(len(args), func(i int, _ keyFlag) { keys = append(keys, string(args[i])) })
	if len(keys) > 0 {
		c.reading = &reading{who: t.who, keys: keys}
	}
}

// endCaching ends what CLIENT CACHING said: it holds for one command or one transaction.
func (c *conn) endCaching(cmd *command) {
	if c.caching && c.txn == nil && cmd.full != "client|caching" {
		c.caching = false
	}
}

// settleReading is called when the reply of a command that reads tracked keys has been appended to b, with the output
// locked. Keys that changed between the read and now are said to be invalid behind the reply.
func (c *conn) settleReading(b []byte, s *slot, resp *wire.Response) []byte {
	rev := resp.Rev
	if s.exec != nil {
		rev = s.exec.oldest
	}
	stale := c.s.tracker.settle(s.reading, rev)
	if len(stale) == 0 {
		return b
	}
	t := c.tracking.Load()
	switch {
	case t == nil || t.who != s.reading.who:
	case t.redirect != 0:
		c.s.tracker.later(s.reading.who, stale)
	case c.speaks3.Load():
		c.s.stats.invalidations.Add(1)
		b = appendInvalid(b, stale)
	}
	return b
}

// settleOwn tells the client of the changes that were waiting for answers of its own to show whether it made them. It
// is called with the output locked, behind the replies.
func (c *conn) settleOwn(b []byte, t *tracking) []byte {
	keys := t.who.own.ripe(c.head.Load())
	switch {
	case len(keys) == 0:
	case t.redirect != 0:
		c.s.tracker.later(t.who, keys)
	case c.speaks3.Load():
		c.s.stats.invalidations.Add(1)
		b = appendInvalid(b, keys)
	}
	return b
}

// appendInvalid appends the message that the keys have changed; none means all keys.
func appendInvalid(b []byte, keys []string) []byte {
	b = appendBulk(appendPush(b, 2), "invalidate")
	if len(keys) == 0 {
		return appendNull(b, true)
	}
	b = appendArray(b, len(keys))
	for _, k := range keys {
		b = appendBulk(b, k)
	}
	return b
}

// tell sends the client of f, or the one that it names, that the keys have changed; none means all keys. No output may
// be locked by the caller.
func (f *follower) tell(keys []string) {
	c := f.conn.Load()
	if c == nil {
		return
	}
	t := c.tracking.Load()
	if t == nil || t.who != f {
		return
	}
	if t.redirect != 0 {
		if c = c.s.clients.get(t.redirect); c == nil {
			f.tellBroken(t.redirect)
			return
		}
	}
	if !c.speaks3.Load() {
		return // version 2 has no place for it but pub/sub
	}
	c.s.stats.invalidations.Add(1)
	c.link.End(appendInvalid(c.link.Begin(), keys))
}

// tellBroken tells the client that the one which it named is gone.
func (f *follower) tellBroken(id uint64) {
	c := f.conn.Load()
	if c == nil || !c.speaks3.Load() {
		return
	}
	b := appendBulk(appendPush(c.link.Begin(), 2), "tracking-redir-broken")
	c.link.End(appendInt(b, int64(id)))
}

// startTracking makes the client one that is told of changes. The watch stands when it returns nil.
func (c *conn) startTracking(t *tracking) error {
	t.who = &follower{}
	t.who.conn.Store(c)
	old := c.tracking.Load()
	if old != nil {
		t.who = old.who
		t.prefixes = slices.Concat(old.prefixes, t.prefixes)
	}
	if err := c.s.tracker.join(t); err != nil {
		if old == nil {
			c.s.tracker.leave(t.who)
		}
		return err
	}
	c.tracking.Store(t)
	return nil
}

func (c *conn) stopTracking() {
	t := c.tracking.Load()
	if t == nil {
		return
	}
	c.tracking.Store(nil)
	c.caching = false
	t.who.conn.Store(nil)
	c.s.tracker.leave(t.who)
}
