package fsm

import (
	"encoding/binary"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// chunkBytes is when a chunk ends though it has not all the messages that it may have.
const chunkBytes = 4 << 20

// push serves OpQueuePush.
func push(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.push
	defer m.p.letGo()
	if err := checkPush(m, &m.p, c.Body); err != nil {
		return err
	}
	for i := range p.Messages {
		if ms := &p.Messages[i]; ms.Flags&wire.MessageAt != 0 && ms.NotBefore-m.now > wire.MaxDelay {
			return over("a time before which a message is not delivered, in ms from now,", uint64(ms.NotBefore-m.now), wire.MaxDelay)
		}
	}
	q := m.find(p.Queue)
	fresh, err := m.admit(q, p)
	if err != nil {
		return err
	}
	if q == nil {
		q = m.ensure(p.Queue)
	}
	if err := m.makeRoom(q, fresh); err != nil {
		return err
	}
	m.touchQueue(q)
	out := m.out[:0]
	for i := range p.Messages {
		id, isNew := m.pushOne(q, &p.Messages[i])
		if isNew {
			ans.Num++
		}
		out = binary.BigEndian.AppendUint64(out, id)
	}
	m.out, ans.Body = out, out
	q.pushed += uint64(ans.Num)
	q.rates.push.add(m.now, ans.Num)
	return nil
}

// admit counts the messages of a push that are new, and says whether the queue, nil for a new one, takes them.
func (m *Machine) admit(q *queue, p *wire.QueuePush) (fresh int, err error) {
	ids := 0
	if len(m.seen) > 0 {
		clear(m.seen)
	}
	for i := range p.Messages {
		if p.Messages[i].Flags&wire.MessageDedup == 0 {
			fresh++
			continue
		}
		id := newDedupID(p.Messages[i].Dedup)
		if q != nil {
			if _, ok := q.dedup.find(id); ok {
				continue
			}
		}
		if _, ok := m.seen[id]; ok {
			continue
		}
		m.seen[id] = 0
		ids++
		fresh++
	}
	if q == nil {
		return fresh, nil
	}
	if ids > 0 && q.dedup.count+ids > wire.MaxDedup {
		return 0, errNoRoom
	}
	limit := q.set.MaxLen
	if limit == 0 || fresh == 0 || uint64(q.total()+fresh) <= limit {
		return fresh, nil
	}
	if q.set.Overflow == wire.QueueReject || uint64(fresh) > limit || uint64(q.total()+fresh) > limit+uint64(q.ready) {
		return 0, wire.Errorf(wire.Full, "queue %q has %d messages of at most %d, and %d more do not fit: take some out, or raise its maximum length",
			q.name, q.total(), limit, fresh)
	}
	return fresh, nil
}

// makeRoom drops the oldest messages that are ready until there is room for n more.
func (m *Machine) makeRoom(q *queue, n int) error {
	if q.set.MaxLen == 0 || n == 0 {
		return nil
	}
	for uint64(q.total()+n) > q.set.MaxLen {
		l, d, i := q.oldest()
		if d == nil {
			return errLost
		}
		c, err := m.materialize(q, l, d)
		if err != nil {
			return err
		}
		if err := m.need(c); err != nil {
			return err
		}
		m.drop(c, i)
	}
	return nil
}

// drop discards a message that nobody dealt with. The chunk has gone through need.
func (m *Machine) drop(c *chunk, i int) {
	m.touch(c)
	m.move(c, i, gone)
	c.q.dropped++
}

// pushOne adds a message, unless its dedup id is remembered.
func (m *Machine) pushOne(q *queue, p *wire.QueueMessage) (id uint64, isNew bool) {
	var dd dedupID
	if p.Flags&wire.MessageDedup != 0 {
		dd = newDedupID(p.Dedup)
		if id, ok := q.dedup.find(dd); ok {
			return id, false
		}
	}
	ms := msg{pushed: m.now, group: p.Group, body: p.Body}
	as := ext{}
	if p.Flags&(wire.MessageDelayed|wire.MessageAt) != 0 {
		at := p.NotBefore
		if p.Flags&wire.MessageDelayed != 0 {
			at += m.now
		}
		if at > m.now {
			ms.notBefore = at
			as = ext{status: delayed, until: at, implicit: true}
		}
	}
	switch {
	case p.Flags&wire.MessageTTL != 0:
		ms.expires = m.now + p.TTL
	case q.set.TTL > 0:
		ms.expires = m.now + int64(q.set.TTL)
	}
	if len(p.Headers) > 0 {
		ms.headers = encodeHeaders(p.Headers)
	}
	id = m.append(q, p.Priority, ms, as)
	if p.Flags&wire.MessageDedup != 0 {
		m.remember(q, dd, id)
	}
	return id, true
}

// append adds a message at the end of its priority and returns its id.
func (m *Machine) append(q *queue, prio uint8, ms msg, as ext) uint64 {
	q.seq++
	id := uint64(wire.NewMessageID(prio, q.seq))
	l := q.laneFor(id)
	c := l.tail
	if c == nil || c.n == maxChunk || c.size >= chunkBytes {
		c = m.newChunk(q, l, id, ms.pushed)
		l.tail = c
	}
	c.put(c.n, id, ms)
	m.revive(c, c.n-1, as)
	return id
}

// newChunk adds a chunk that has no message yet.
func (m *Machine) newChunk(q *queue, l *lane, first uint64, pushed int64) *chunk {
	c := &chunk{q: q, qid: q.qid, lane: l, first: first, pos: -1}
	if n := len(m.spare); n > 0 {
		c.msgs, m.spare = m.spare[n-1], m.spare[:n-1]
	}
	l.insert(newDesc(first, pushed, 1, 0, c))
	m.touch(c)
	return c
}

// encodeHeaders writes headers as they are in a payload.
func encodeHeaders(hs []wire.Header) []byte {
	b := wire.AppendUvarint(nil, uint64(len(hs)))
	for _, h := range hs {
		b = wire.AppendBytes(wire.AppendBytes(b, h.Name), h.Value)
	}
	return b
}
