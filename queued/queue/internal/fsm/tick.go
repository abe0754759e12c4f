package fsm

import (
	"slices"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// TickLimit and CollectLimit are how many things one OpQueueTick does, and how many keys one OpQueueCollect removes, at
// most (wire.AppendLimit). In their answers Num is the number of things done; Rev is 0 when nothing was and nothing more is to
// be done now.
const (
	TickLimit    = 1000
	CollectLimit = 2000
)

// tick serves OpQueueTick: it does what time demands and cannot be done without writing. Messages whose last lease ran
// out become dead letters, those that have expired go, dedup ids are forgotten, and chunks of which little is alive are
// written anew.
func tick(m *Machine, c *replica.Command, ans *wire.Response) error {
	limit, err := wire.TakeLimit(c.Body, TickLimit)
	if err != nil {
		return err
	}
	m.ring() // those that were set for a time that was over
	before := m.buried
	for m.overdue.Len() > 0 && ans.Num < int64(limit) && m.buried-before < moveBudget && m.budget < entryBudget {
		a := m.overdue.First()
		n, done, err := m.service(a, limit-int(ans.Num), before+moveBudget)
		if err != nil {
			return err
		}
		ans.Num += int64(n)
		if !done {
			break
		}
		for m.overdue.Len() > 0 && m.overdue.First().qid == a.qid && m.overdue.First().first == a.first {
			m.overdue.Remove(0)
		}
	}
	if ans.Num > 0 || m.overdue.Len() > 0 {
		ans.Rev = c.Revision
	}
	return nil
}

// service does what an alarm was set for, at most limit things and until bytes have been moved. It returns how many it
// did, and whether nothing is left.
func (m *Machine) service(a alarm, limit, bytes int) (n int, done bool, err error) {
	q := m.byQID[a.qid]
	if q == nil {
		return 0, true, nil
	}
	if a.first == 0 {
		return m.forget(q), true, nil
	}
	l := q.lane(a.first)
	if l == nil {
		return 0, true, nil
	}
	d := l.desc(a.first)
	if d == nil {
		return 0, true, nil
	}
	c, err := m.materialize(q, l, d)
	if err != nil {
		return 0, false, err
	}
	c.pinned = true
	n, done, err = m.sweep(c, limit, bytes)
	c.pinned = false
	if err != nil || !done || c.removed {
		return n, done, err
	}
	if c.armed = false; c.alive*4 >= c.n {
		return n, true, nil
	}
	if err := m.load(c); err != nil { // else its size may not be known
		return n, false, err
	}
	if m.sparse(c) {
		if c.touched+sparseAge > m.now || c.dirty {
			m.arm(c)
		} else if err := m.compact(c); err != nil {
			return n, false, err
		} else {
			n++
		}
	}
	return n, true, nil
}

// sweep removes the messages of a chunk that have expired or died.
func (m *Machine) sweep(c *chunk, limit, bytes int) (n int, done bool, err error) {
	if c.flags&(flagTTL|flagGroups) != 0 {
		if err := m.load(c); err != nil {
			return 0, false, err
		}
	}
	next := int64(0)
	for i := c.living(0); i < c.n && !c.removed; i = c.living(i + 1) {
		expires := int64(0)
		if c.flags&flagTTL != 0 {
			expires = c.msgs[i].expires
		}
		over := expires != 0 && expires <= m.now
		if !over && c.status(i) != doomed {
			if expires != 0 && (next == 0 || expires < next) {
				next = expires
			}
			continue
		}
		if n == limit || m.buried >= bytes {
			return n, false, nil
		}
		n++
		if over {
			m.drop(c, i)
		} else if _, err := m.kill(c, i, []byte(leaseRanOut)); err != nil {
			return n, false, err
		}
	}
	if next != 0 && !c.removed {
		m.expect(c, next)
	}
	return n, true, nil
}

// arm sets the alarm for the compaction of a chunk.
func (m *Machine) arm(c *chunk) {
	if !c.armed {
		c.armed = true
		m.alarms.Push(alarm{at: max(c.touched, m.now*b2i(c.dirty)) + sparseAge, qid: c.qid, first: c.first})
	}
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// compact writes what is left of a chunk anew.
func (m *Machine) compact(c *chunk) error {
	if err := m.load(c); err != nil {
		return err
	}
	m.reshape(c)
	old := c.first
	was := *c
	was.bits = slices.Clone(c.bits) // they may lie in c
	c.msgs, c.deltas, c.bits, c.ext, c.word = nil, nil, nil, nil, [1]uint64{}
	c.n, c.alive, c.size, c.flags = 0, 0, 0, 0
	for i := was.living(0); i < was.n; i = was.living(i + 1) {
		c.put(c.n, was.id(i), was.msgs[i])
		if was.ext != nil && was.ext[i] != (ext{}) {
			*c.extend(c.n - 1) = was.ext[i]
		}
	}
	d := c.lane.desc(old)
	*d = newDesc(c.first, c.msgs[0].pushed, c.n, c.flags, c)
	for i := range c.msgs {
		if e := c.msgs[i].expires; e != 0 {
			m.expect(c, e)
		}
		if c.status(i) == doomed {
			m.overdue.Push(alarm{qid: c.qid, first: c.first})
		}
	}
	m.cache.drop(c)
	c.msgs = slices.Clip(c.msgs)
	return nil
}
