package fsm

import "errors"

var errLost = errors.New("the counts of a queue and its messages do not agree")

// touch has the chunk written at the end of the entry.
func (m *Machine) touch(c *chunk) {
	if !c.dirty {
		c.dirty = true
		m.budget++
		m.dirty = append(m.dirty, c)
	}
	m.touchQueue(c.q)
}

// need loads a chunk if its messages' groups or ids have to be known to change what becomes of them.
func (m *Machine) need(c *chunk) error {
	if c.flags&flagGroups == 0 && (c.flags&flagDense != 0 || c.deltas != nil) {
		return nil
	}
	return m.load(c)
}

// groupIn returns the group of a message, nil if it has none. The chunk is loaded if need is what it takes.
func (c *chunk) groupIn(i int) *group {
	if c.flags&flagGroups == 0 || len(c.msgs[i].group) == 0 {
		return nil
	}
	return c.q.groups[string(c.msgs[i].group)]
}

// move makes a message's status another one, and keeps what depends on it: counts, groups, who can be delivered. A
// message that was not there comes from gone. The chunk has gone through need.
func (m *Machine) move(c *chunk, i int, to status) {
	q, g, from := c.q, c.groupIn(i), c.status(i)
	switch from {
	case ready:
		q.ready--
		m.unready(c, i, g)
	case delayed:
		q.delayed--
	case leased, doomed:
		q.leased--
		if g != nil {
			g.blocked = false
			q.free += g.ready
			q.place(g)
		}
	case gone:
	}
	switch to {
	case ready:
		q.ready++
		m.enter(c, i, g)
	case delayed:
		q.delayed++
	case leased, doomed:
		q.leased++
		if g != nil {
			g.blocked = true
			q.free -= g.ready
			q.place(g)
		}
	case gone:
		m.bury(c, i, g)
		return
	}
	if c.ext != nil || to != ready {
		c.extend(i).status = to
	}
}

// unready takes a message out of those that are ready.
func (m *Machine) unready(c *chunk, i int, g *group) {
	q, l, id := c.q, c.lane, c.id(i)
	if g == nil {
		q.free--
		l.open--
		if id < l.next {
			l.back.remove(id)
		}
		return
	}
	g.remove(id)
	if !g.blocked {
		q.free--
	}
	q.place(g)
}

// enter puts a message among those that are ready.
func (m *Machine) enter(c *chunk, i int, g *group) {
	q, l, id := c.q, c.lane, c.id(i)
	m.note(q)
	if g == nil {
		q.free++
		l.open++
		if id < l.next {
			l.back.insert(id)
		}
		return
	}
	g.insert(id)
	if !g.blocked {
		q.free++
	}
	q.place(g)
}

// bury ends a message.
func (m *Machine) bury(c *chunk, i int, g *group) {
	q := c.q
	c.mark(i, true)
	c.alive--
	if c.ext != nil {
		c.ext[i] = ext{}
	}
	if g != nil {
		m.leave(q, g)
	} else {
		q.plain--
	}
	if c.alive == 0 {
		m.removeChunk(c)
	}
}

// revive begins a message: one that was put into the chunk, or one that is back.
func (m *Machine) revive(c *chunk, i int, as ext) {
	q := c.q
	if c.flags&flagGroups != 0 && len(c.msgs[i].group) != 0 {
		m.groupOf(q, c.msgs[i].group).alive++
	} else {
		if q.plain++; q.plain == 1 {
			q.turn++
			q.plainTurn = q.turn
		}
	}
	to := as.status
	as.status = gone
	if c.ext != nil || as != (ext{status: gone}) {
		*c.extend(i) = as
	}
	c.mark(i, true)
	if to == ready {
		m.move(c, i, ready)
	} else {
		m.move(c, i, to)
		m.alert(c, as.until)
	}
	c.mark(i, false)
}

// removeChunk takes a chunk of which nothing is left out of memory.
func (m *Machine) removeChunk(c *chunk) {
	l := c.lane
	l.remove(c.first)
	c.removed = true
	if l.cur == c {
		l.cur = nil
	}
	if l.last == c {
		l.last = nil
	}
	if l.tail == c {
		l.tail = nil
	}
	m.cache.drop(c)
	if c.pos >= 0 {
		m.wakes.Remove(c.pos)
	}
	if c.flags&flagTTL != 0 {
		m.stale++
	}
}

// scan returns the first ready message without a group of a lane that has one. Its chunk is loaded if it has groups.
func (m *Machine) scan(q *queue, l *lane) (*chunk, int, error) {
	for {
		if l.cur == nil {
			if err := m.forward(q, l); err != nil {
				return nil, 0, err
			}
		}
		c := l.cur
		if err := m.need(c); err != nil {
			return nil, 0, err
		}
		for i := c.living(l.at); i < c.n; i = c.living(i + 1) {
			if (c.ext == nil || c.ext[i].status == ready) && (c.flags&flagGroups == 0 || len(c.msgs[i].group) == 0) {
				l.at, l.next = i, c.id(i)
				return c, i, nil
			}
		}
		l.next, l.cur = c.lastID()+1, nil
	}
}

// forward finds the chunk in which the lane's scan goes on.
func (m *Machine) forward(q *queue, l *lane) error {
	b, i := l.seek(l.next)
	for ok := true; ok; b, i, ok = l.follow(b, i) {
		if b < 0 {
			continue
		}
		d := &l.blocks[b][i]
		if d.flags()&flagGrouped != 0 {
			continue
		}
		if d.c == nil && d.flags()&flagDense != 0 && d.first+uint64(d.n()) <= l.next {
			continue
		}
		c, err := m.materialize(q, l, d)
		if err != nil {
			return err
		}
		if c.lastID() >= l.next {
			l.cur, l.at = c, c.from(l.next)
			return nil
		}
	}
	return errLost
}

// around returns the chunk in whose range the id may be, nil if there is none. With known it is nil too if nothing has
// become of any of its messages.
func (m *Machine) around(q *queue, id uint64, known bool) (*chunk, error) {
	l := q.lane(id)
	if l == nil {
		return nil, nil
	}
	if c := l.last; c != nil && id >= c.first && id <= c.lastID() {
		return c, nil
	}
	b, i := l.seek(id)
	if b < 0 || known && l.blocks[b][i].c == nil {
		return nil, nil
	}
	c, err := m.materialize(q, l, &l.blocks[b][i])
	if err != nil {
		return nil, err
	}
	l.last = c
	return c, nil
}

// locate returns the chunk that has the message and where, nil if there is none. The chunk has gone through need.
func (m *Machine) locate(q *queue, id uint64, known bool) (*chunk, int, error) {
	c, err := m.around(q, id, known)
	if c == nil || err != nil {
		return nil, 0, err
	}
	i, ok := c.index(id)
	if !ok || c.isGone(i) {
		return nil, 0, nil
	}
	return c, i, m.need(c)
}
