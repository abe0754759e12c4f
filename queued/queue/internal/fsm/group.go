package fsm

import "slices"

// group is what a queue knows of the messages that share a group key.
type group struct {
	key     string
	turn    uint64 // when it was served last, or came: the least is next
	alive   int    // messages in any state
	ready   int
	blocked bool // one is leased
	lists   []groupList
	pos     int // in queue.turns; -1 while it is blocked or nothing is ready

	qid    uint64
	dirty  bool
	stored bool // the turn is in the store
}

// groupList has a group's ready messages of one priority.
type groupList struct {
	top uint8 // the highest byte of their ids
	ids idlist
}

// front returns the message of the group that is next. Something must be ready.
func (g *group) front() uint64 { return g.lists[0].ids.front() }

func (g *group) find(top uint8) (int, bool) {
	return slices.BinarySearchFunc(g.lists, top, func(l groupList, top uint8) int { return int(l.top) - int(top) })
}

func (g *group) insert(id uint64) {
	i, ok := g.find(uint8(id >> 56))
	if !ok {
		g.lists = slices.Insert(g.lists, i, groupList{top: uint8(id >> 56)})
	}
	g.lists[i].ids.insert(id)
	g.ready++
}

func (g *group) remove(id uint64) {
	i, ok := g.find(uint8(id >> 56))
	if !ok {
		return
	}
	l := &g.lists[i].ids
	if l.remove(id); l.len() == 0 {
		g.lists = slices.Delete(g.lists, i, i+1)
	}
	g.ready--
}

// before says which of two groups that can deliver is served first: the one with the higher priority, else whose turn it is.
func before(a, b *group) bool {
	if x, y := a.front()>>56, b.front()>>56; x != y {
		return x < y
	}
	return a.turn < b.turn
}

// place keeps the group's place among those that can deliver.
func (q *queue) place(g *group) {
	can := !g.blocked && g.ready > 0
	switch {
	case can && g.pos < 0:
		q.turns.Push(g)
	case can:
		q.turns.Fix(g.pos)
	case g.pos >= 0:
		// Its front may be gone already: take it out without a comparison of it.
		q.turns.Remove(g.pos)
	}
}

// groupOf returns the group of a message, made if it is not there.
func (m *Machine) groupOf(q *queue, key []byte) *group {
	if g := q.groups[string(key)]; g != nil {
		return g
	}
	g := &group{key: string(key), pos: -1, qid: q.qid}
	if q.groups == nil {
		q.groups = map[string]*group{}
	}
	q.groups[g.key] = g
	q.turn++
	g.turn = q.turn
	m.touchGroup(q, g)
	return g
}

// served puts the group behind the others.
func (m *Machine) served(q *queue, g *group) {
	q.turn++
	g.turn = q.turn
	m.touchGroup(q, g)
	if g.pos >= 0 {
		q.turns.Fix(g.pos)
	}
}

// leave says that a message of the group has gone.
func (m *Machine) leave(q *queue, g *group) {
	if g.alive--; g.alive > 0 {
		return
	}
	delete(q.groups, g.key)
	m.touchGroup(q, g)
}

// touchGroup has the group's turn written at the end of the entry.
func (m *Machine) touchGroup(q *queue, g *group) {
	m.touchQueue(q)
	if !g.dirty {
		g.dirty = true
		m.budget++
		m.groups = append(m.groups, dirtyGroup{q, g})
	}
}
