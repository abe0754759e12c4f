package fsm

import (
	"encoding/binary"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
)

// Seal writes what the commands of the entry have done, once for all of them.
func (m *Machine) Seal() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.st.Begin()
	if m.numbered {
		b.Set([]byte{kindNumber}, nil, m.keep(binary.BigEndian.AppendUint64(nil, m.number)))
	}
	// What goes first: a chunk that is put in the place of one may have its key.
	for _, c := range m.dirty {
		if c.current() {
			m.unwrite(b, c)
		}
	}
	for _, c := range m.dirty {
		if c.current() && !c.removed {
			m.write(b, c)
		}
		c.dirty = false
	}
	m.writeGroups(b)
	for _, q := range m.dirtyQueues {
		m.writeQueue(b, q)
	}
	for _, key := range m.newTrash {
		b.Set(key, nil, nil)
	}
	for i := range m.trash {
		m.trash[i].fresh = false
	}
	b.Commit()
	clear(m.dirty)
	clear(m.groups)
	clear(m.dirtyQueues)
	clear(m.newTrash)
	m.dirty, m.groups, m.dirtyQueues, m.newTrash = m.dirty[:0], m.groups[:0], m.dirtyQueues[:0], m.newTrash[:0]
	m.numbered, m.budget, m.buried = false, 0, 0
	m.evict(nil)
	m.junk.Store(len(m.trash) > 0)
	m.setDue()
	return nil
}

// current reports whether the chunk's queue still has it under its number.
func (c *chunk) current() bool { return c.qid == c.q.qid && !c.q.deleted }

// unwrite deletes a chunk's keys if it is gone or begins elsewhere now.
func (m *Machine) unwrite(b *store.Batch, c *chunk) {
	if !c.removed && (!c.rewrite || c.storedAt == c.first) {
		return
	}
	if c.stored {
		b.Delete(m.key(kindChunk, c.qid, c.storedAt))
		if c.flags&flagRoster != 0 || c.rewrite {
			b.Delete(m.key(kindRoster, c.qid, c.storedAt))
		}
	}
	if c.stateStored {
		b.Delete(m.key(kindState, c.qid, c.storedAt))
	}
	c.stored, c.stateStored = false, false
}

// write writes a chunk if it is new, and its state.
func (m *Machine) write(b *store.Batch, c *chunk) {
	if !c.stored || c.rewrite {
		m.writeChunk(b, c)
	}
	if c.plain() {
		if c.stateStored {
			b.Delete(m.key(kindState, c.qid, c.first))
			c.stateStored = false
		}
		return
	}
	c.touched = m.now
	m.scratch = c.appendState(m.scratch[:0])
	value := m.keep(m.scratch)
	b.Set(m.key(kindState, c.qid, c.first), nil, value)
	c.stateStored = true
	if c.alive*4 < c.n && (c.size == 0 || m.sparse(c)) {
		m.arm(c) // while its size is not known it may be worth it
	}
}

// writeChunk writes the messages of a chunk. From then on they lie in what was written, and in the cache if that has room.
func (m *Machine) writeChunk(b *store.Batch, c *chunk) {
	h := c.head()
	value, index, scratch := c.encode(m.scratch)
	m.scratch = scratch
	var head [64]byte
	b.Set(m.key(kindChunk, c.qid, c.first), h.append(head[:0]), value)
	if c.flags&flagRoster != 0 {
		b.Set(m.key(kindRoster, c.qid, c.first), h.append(head[:0]), index)
	} else if c.rewrite {
		b.Delete(m.key(kindRoster, c.qid, c.first))
	}
	if h.least != 0 && !c.rewrite {
		m.alarms.Push(alarm{at: h.least, qid: c.qid, first: c.first})
	}
	if c.lane.tail == c {
		c.lane.tail = nil
	}
	fresh := !c.rewrite
	c.stored, c.rewrite, c.storedAt = true, false, c.first
	m.cache.drop(c)
	if !fresh {
		m.cache.add(c, len(value)+msgBytes*c.n)
		return
	}
	spare := c.msgs
	if size := len(value) + msgBytes*c.n; m.cache.bytes+size <= m.cache.limit {
		// Behind what is there: what was pushed before is popped before.
		c.msgs = append(make([]msg, 0, c.n), spare...)
		m.cache.addLast(c, size)
	} else {
		c.dirty = false
		m.unload(c)
	}
	clear(spare)
	if cap(spare) > 8 && len(m.spare) < 64 {
		m.spare = append(m.spare, spare[:0])
	}
}

func (m *Machine) writeGroups(b *store.Batch) {
	for _, d := range m.groups {
		g := d.g
		g.dirty = false
		if g.qid != d.q.qid || d.q.deleted {
			continue
		}
		m.scratch = append(keys.Append(m.scratch[:0], kindTurn, g.qid), g.key...)
		if g.alive > 0 {
			b.Set(m.scratch, binary.BigEndian.AppendUint64(nil, g.turn), nil)
			g.stored = true
		} else if g.stored {
			b.Delete(m.scratch)
			g.stored = false
		}
	}
}

func (m *Machine) writeQueue(b *store.Batch, q *queue) {
	q.dirty = false
	key := append([]byte{kindQueue}, q.name...)
	if q.deleted {
		b.Delete(key)
		return
	}
	m.scratch = q.append(m.scratch[:0])
	b.Set(key, nil, m.keep(m.scratch))
	if d := &q.dedup; len(d.fresh) > 0 {
		bucket := d.buckets[len(d.buckets)-1]
		b.Set(m.key(kindDedup, q.qid, uint64(bucket.start), m.rev), nil, d.fresh)
		d.fresh = nil // the store has it
	}
}

// key makes a key that is valid until the next.
func (m *Machine) key(kind byte, numbers ...uint64) []byte {
	m.keyBuf = keys.Append(m.keyBuf[:0], kind, numbers...)
	return m.keyBuf
}

const arenaBytes = 32 << 10

// keep returns a copy of a small value for the store to keep.
func (m *Machine) keep(p []byte) []byte {
	if len(p) > arenaBytes/8 {
		return append([]byte(nil), p...)
	}
	if len(m.arena) < len(p) {
		m.arena = make([]byte, arenaBytes)
	}
	v := m.arena[:len(p):len(p)]
	m.arena = m.arena[len(p):]
	copy(v, p)
	return v
}
