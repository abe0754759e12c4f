package fsm

import (
	"fmt"

	"github.com/skshohagmiah/flin/pkg/store/keys"
)

// cacheBytes bounds the decoded chunks in memory.
const cacheBytes = 64 << 20

// msgBytes is what a decoded message takes besides its headers and body.
const msgBytes = 96

// cache is a list of the chunks that are decoded, the one used last in front.
type cache struct {
	newest, oldest *chunk
	bytes, limit   int
}

// used puts a chunk in front.
func (k *cache) used(c *chunk) {
	if k.newest == c || c.cached == 0 {
		return
	}
	size := c.cached
	k.drop(c)
	k.add(c, size)
}

// add puts a chunk in front that was not there.
func (k *cache) add(c *chunk, size int) {
	c.cached, c.older, c.newer = size, k.newest, nil
	if k.newest != nil {
		k.newest.newer = c
	} else {
		k.oldest = c
	}
	k.newest = c
	k.bytes += size
}

// addLast puts a chunk at the end: it goes before all others.
func (k *cache) addLast(c *chunk, size int) {
	c.cached, c.newer, c.older = size, k.oldest, nil
	if k.oldest != nil {
		k.oldest.older = c
	} else {
		k.newest = c
	}
	k.oldest = c
	k.bytes += size
}

// drop takes a chunk out.
func (k *cache) drop(c *chunk) {
	if c.cached == 0 {
		return
	}
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		k.newest = c.older
	}
	if c.older != nil {
		c.older.newer = c.newer
	} else {
		k.oldest = c.newer
	}
	k.bytes -= c.cached
	c.cached, c.newer, c.older = 0, nil, nil
}

// load decodes a chunk unless it is.
func (m *Machine) load(c *chunk) error {
	if c.msgs != nil {
		m.cache.used(c)
		return nil
	}
	h, value, err := m.fetch(c.qid, c.storedAt)
	if err != nil {
		return err
	}
	if h.n != c.n {
		return errDamaged
	}
	msgs, deltas, err := decodeChunk(c.first, &h, value)
	if err != nil {
		return fmt.Errorf("chunk %d of queue %q: %w", c.first, c.q.name, err)
	}
	c.msgs, c.deltas, c.size = msgs, deltas, h.size
	m.cache.add(c, len(value)+msgBytes*len(msgs))
	m.evict(c)
	return nil
}

// fetch reads a chunk's value. Nobody waits for the disk meanwhile: the lock is given back for as long.
func (m *Machine) fetch(qid, first uint64) (h head, value []byte, err error) {
	m.mu.Unlock()
	defer m.mu.Lock()
	key := keys.Append(m.scratch[:0], kindChunk, qid, first)
	m.scratch = key
	v, ok, err := m.st.Get(key, nil)
	if err != nil {
		return h, nil, fmt.Errorf("reading a chunk: %w", err)
	}
	if !ok {
		return h, nil, errDamaged
	}
	return h, v.Body, h.decode(v.Head)
}

// evict makes room, but keeps what is being used.
func (m *Machine) evict(keep *chunk) {
	for c := m.cache.oldest; c != nil && m.cache.bytes > m.cache.limit; {
		next := c.newer
		if c != keep && !c.pinned && c.stored && !c.rewrite {
			m.unload(c)
		}
		c = next
	}
}

// unload forgets what is in the store too: the messages, and with nothing else to know the chunk itself.
func (m *Machine) unload(c *chunk) {
	m.cache.drop(c)
	c.msgs = nil
	l := c.lane
	if c.removed || c.ext != nil || c.alive != c.n || c.pos >= 0 || c.dirty {
		return
	}
	if d := l.desc(c.first); d != nil && d.c == c {
		*d = newDesc(c.first, d.pushed(), c.n, c.flags, nil)
	}
	if l.cur == c {
		l.cur = nil
	}
	if l.last == c {
		l.last = nil
	}
}

// materialize returns a chunk of which the descriptor d is known. Where the ids do not follow one another they are loaded.
func (m *Machine) materialize(q *queue, l *lane, d *desc) (*chunk, error) {
	c := d.c
	if c == nil {
		c = &chunk{
			q: q, qid: q.qid, lane: l, first: d.first, flags: d.flags(), n: d.n(), alive: d.n(),
			pos: -1, stored: true, storedAt: d.first,
		}
		c.grow(c.n)
		d.c = c
	}
	if c.flags&flagDense == 0 && c.deltas == nil {
		return c, m.load(c)
	}
	return c, nil
}
