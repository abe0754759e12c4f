package fsm

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/skshohagmiah/flin/pkg/engine/heap"
	"github.com/skshohagmiah/flin/pkg/store"
)

// Reset reads from the store what is kept in memory and forgets the rest: after opening, and after the installation of a
// snapshot.
func (m *Machine) Reset() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queues, m.byQID, m.sorted, m.recent, m.number = map[string]*queue{}, map[uint64]*queue{}, nil, nil, 0
	m.wakes = heap.New(func(a, b *chunk) bool { return a.wake < b.wake }, func(c *chunk, i int) { c.pos = i })
	m.alarms, m.overdue, m.stale = heap.New(sooner, nil), heap.New(byPlace, nil), 0
	m.cache = cache{limit: m.cache.limit}
	m.trash, m.spare = nil, nil
	m.dirty, m.dirtyQueues, m.groups, m.noted, m.newTrash = nil, nil, nil, nil, nil
	m.numbered, m.budget, m.buried = false, 0, 0
	m.now = m.st.Applied().Time
	if err := m.loadAll(); err != nil {
		return fmt.Errorf("queue: reading the store: %w", err)
	}
	m.junk.Store(len(m.trash) > 0)
	m.setDue()
	return nil
}

// loadAll reads the kinds of keys in an order in which each finds what it needs.
func (m *Machine) loadAll() error {
	v := m.st.View()
	defer v.Close()
	for _, k := range [...]struct {
		kind  byte
		heads bool
		fn    func(key []byte, v store.Value) error
	}{
		{kindNumber, false, m.loadNumber},
		{kindQueue, false, m.loadQueue},
		{kindTrash, false, m.loadTrash},
		{kindTurn, true, m.loadTurn},
		{kindChunk, true, m.loadDesc},
		{kindState, false, m.loadState},
		{kindRoster, false, m.loadRoster},
		{kindDedup, false, m.loadDedup},
	} {
		var failed error
		err := v.Iterate([]byte{k.kind}, []byte{k.kind + 1}, store.IterOptions{HeadsOnly: k.heads}, func(key []byte, v store.Value) bool {
			failed = k.fn(key, v)
			return failed == nil
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return err
		}
	}
	return m.settle()
}

func (m *Machine) loadNumber(_ []byte, v store.Value) error {
	if len(v.Body) != 8 {
		return errDamaged
	}
	m.number = binary.BigEndian.Uint64(v.Body)
	return nil
}

func (m *Machine) loadQueue(key []byte, v store.Value) error {
	q := &queue{name: string(key[1:]), contents: newContents()}
	if err := q.decode(v.Body); err != nil {
		return err
	}
	m.queues[q.name], m.byQID[q.qid] = q, q
	m.sorted = append(m.sorted, q)
	return nil
}

func (m *Machine) loadTrash(key []byte, v store.Value) error {
	m.trash = append(m.trash, trash{key: bytes.Clone(key), mark: bytes.Clone(v.Body)})
	return nil
}

// owner returns the queue that a key belongs to, nil if it is one that has been put aside.
func (m *Machine) owner(key []byte) (*queue, error) {
	var qid uint64
	if err := takeKey(key, &qid); err != nil {
		return nil, err
	}
	return m.byQID[qid], nil
}

func (m *Machine) loadTurn(key []byte, v store.Value) error {
	q, err := m.owner(key)
	if q == nil || err != nil {
		return err
	}
	if len(v.Head) != 8 {
		return errDamaged
	}
	g := &group{key: string(key[9:]), turn: binary.BigEndian.Uint64(v.Head), pos: -1, qid: q.qid, stored: true}
	if q.groups == nil {
		q.groups = map[string]*group{}
	}
	q.groups[g.key] = g
	return nil
}

// loadDesc adds a chunk as if all its messages were as they were pushed and had no group: the states and rosters that
// follow correct it.
func (m *Machine) loadDesc(key []byte, v store.Value) error {
	q, err := m.owner(key)
	if q == nil || err != nil {
		return err
	}
	var qid, first uint64
	if err := takeKey(key, &qid, &first); err != nil {
		return err
	}
	var h head
	if err := h.decode(v.Head); err != nil {
		return err
	}
	l := q.laneFor(first)
	l.insert(newDesc(first, h.pushed, h.n, h.flags, nil))
	if h.flags&flagRoster == 0 {
		l.open += h.n
		q.ready += h.n
		q.free += h.n
		q.plain += h.n
	}
	if h.least != 0 {
		m.alarms.Push(alarm{at: h.least, qid: qid, first: first})
	}
	return nil
}

// object returns the chunk of a state or a roster, nil if it is of a queue that has been put aside.
func (m *Machine) object(key []byte) (*chunk, error) {
	q, err := m.owner(key)
	if q == nil || err != nil {
		return nil, err
	}
	var qid, first uint64
	if err := takeKey(key, &qid, &first); err != nil {
		return nil, err
	}
	l := q.laneFor(first)
	d := l.desc(first)
	if d == nil {
		return nil, errDamaged
	}
	if d.c == nil {
		d.c = &chunk{
			q: q, qid: qid, lane: l, first: first, flags: d.flags(), n: d.n(), alive: d.n(),
			pos: -1, stored: true, storedAt: first,
		}
		d.c.grow(d.c.n)
	}
	return d.c, nil
}

func (m *Machine) loadState(key []byte, v store.Value) error {
	c, err := m.object(key)
	if c == nil || err != nil {
		return err
	}
	c.stateStored = true
	if err := c.decodeState(v.Body); err != nil {
		return err
	}
	if c.flags&flagRoster != 0 {
		return nil // loadRoster counts
	}
	q, l := c.q, c.lane
	lost := c.n - c.alive
	l.open, q.ready, q.free, q.plain = l.open-lost, q.ready-lost, q.free-lost, q.plain-lost
	for i := range c.ext {
		if c.ext[i].status != ready {
			l.open, q.ready, q.free = l.open-1, q.ready-1, q.free-1
			m.count(c, i, nil)
		}
	}
	return nil
}

// count counts a message by what has become of it: the time may have ended what was written.
func (m *Machine) count(c *chunk, i int, g *group) {
	q, e := c.q, &ext{}
	if c.ext != nil {
		e = &c.ext[i]
	}
	if e.status != ready && e.until <= m.now {
		if e.status == leased && e.final {
			e.status = doomed
			m.overdue.Push(alarm{qid: c.qid, first: c.first})
		} else {
			*e = ext{attempt: e.attempt}
		}
	}
	switch e.status {
	case ready:
		q.ready++
		if g == nil {
			q.free++
			c.lane.open++
		} else {
			g.insert(c.id(i))
		}
		return
	case delayed:
		q.delayed++
	case leased, doomed, gone:
		q.leased++
		if g != nil {
			g.blocked = true
		}
	}
	if e.status != doomed {
		m.alert(c, e.until)
	}
}

// loadRoster counts the messages of a chunk with groups or delays.
func (m *Machine) loadRoster(key []byte, v store.Value) error {
	c, err := m.object(key)
	if c == nil || err != nil {
		return err
	}
	var h head
	if err := h.decode(v.Head); err != nil {
		return err
	}
	msgs, deltas, err := decodeIndex(c.first, &h, v.Body, nil)
	if err != nil || h.n != c.n {
		return errDamaged
	}
	c.deltas = deltas
	q := c.q
	for i := c.living(0); i < c.n; i = c.living(i + 1) {
		ms := &msgs[i]
		if ms.notBefore > m.now && (c.ext == nil || !c.ext[i].explicit()) {
			*c.extend(i) = ext{status: delayed, until: ms.notBefore, implicit: true}
		}
		var g *group
		if len(ms.group) > 0 {
			if g = q.groups[string(ms.group)]; g == nil {
				return errDamaged
			}
			g.alive++
		} else {
			q.plain++
		}
		m.count(c, i, g)
	}
	if c.ext == nil && c.alive == c.n {
		if d := c.lane.desc(c.first); c.pos < 0 {
			*d = newDesc(c.first, d.pushed(), c.n, c.flags, nil)
		}
	}
	return nil
}

func (m *Machine) loadDedup(key []byte, v store.Value) error {
	q, err := m.owner(key)
	if q == nil || err != nil {
		return err
	}
	var qid, start uint64
	if err := takeKey(key, &qid, &start); err != nil {
		return err
	}
	return q.dedup.load(int64(start), v.Body)
}

// settle does what needs all of the rest: groups take their places, and time has passed since the states were written.
func (m *Machine) settle() error {
	for _, q := range m.sorted {
		for _, g := range q.groups {
			if g.ready > 0 && !g.blocked {
				q.free += g.ready
			}
			q.place(g)
		}
		if len(q.dedup.buckets) > 0 {
			m.alarms.Push(alarm{at: q.dedup.buckets[0].end + int64(q.set.Window), qid: q.qid})
		}
		for _, l := range q.lanes {
			for _, blk := range l.blocks {
				for i := range blk {
					if c := blk[i].c; c != nil && c.alive*4 < c.n {
						m.alarms.Push(alarm{at: c.touched + sparseAge, qid: c.qid, first: c.first})
						c.armed = true
					}
				}
			}
		}
	}
	return m.pass(m.now)
}
