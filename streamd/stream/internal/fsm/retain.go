package fsm

import (
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Overdue reports whether retention or expiry has something to do at a time in ms since 1970: an OpStreamRetain or an
// OpStreamExpire. Any goroutine may call it; it looks at no more than what is due first.
func (m *Machine) Overdue(now int64) bool { return min(m.RetainDue(), m.ExpireDue()) <= now }

// RetainDue is when, in ms since 1970, an OpStreamRetain has something to do: 0 is at once, math.MaxInt64 never as far as is
// known now. Any goroutine may call it.
func (m *Machine) RetainDue() int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	_, at := m.retention.next()
	return at
}

// ExpireDue is RetainDue for an OpStreamExpire.
func (m *Machine) ExpireDue() int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	_, at := m.empty.next()
	if pr := m.producers.oldest; pr != nil {
		at = min(at, pr.time+expiry)
	}
	return at
}

// retain serves OpStreamRetain: it removes the oldest batches of partitions, those first that should have gone first. Num is how
// many.
func retain(m *Machine, c *replica.Command, ans *wire.Response) error {
	limit, err := wire.TakeLimit(c.Body, RetainLimit)
	if err != nil {
		return err
	}
	b := m.st.Begin()
	for n := 0; n < limit; {
		p, at := m.retention.next()
		if at > c.Time {
			break
		}
		k := m.shorten(b, p, c.Time, limit-n)
		n += k
		ans.Num, ans.Rev = int64(n), c.Revision
	}
	b.Commit()
	return nil
}

// shorten removes batches from the front of a partition while they may go, at most limit.
func (m *Machine) shorten(b *store.Batch, p *partition, now int64, limit int) (n int) {
	for ; n < limit && p.retainable() <= now; n++ {
		front := p.list.front()
		m.key = appendBatchKey(m.key[:0], p.t.snap.ID, p.no, p.start)
		b.Delete(m.key)
		m.bytes -= int64(p.list.sizeOf(front))
		m.batches--
		next := p.end
		if second, ok := p.list.next(front); ok {
			next = p.list.offsetOf(second)
		}
		m.records -= next - p.start
		p.start = next
		p.list.shift()
	}
	m.key = appendPlaceKey(m.key[:0], kindPartition, p.t.snap.ID, p.no)
	m.value = wire.AppendUvarint(wire.AppendUvarint(m.value[:0], uint64(p.start)), uint64(p.end))
	b.Set(m.key, m.value, nil)
	m.schedule(p)
	return n
}

// expire serves OpStreamExpire: it forgets producers that have been idle, and groups that have been empty, for expiry. Num is how
// many.
func expire(m *Machine, c *replica.Command, ans *wire.Response) error {
	limit, err := wire.TakeLimit(c.Body, ExpireLimit)
	if err != nil {
		return err
	}
	b := m.st.Begin()
	n := 0
	for pr := m.producers.oldest; pr != nil && n < limit && pr.time+expiry <= c.Time; pr = m.producers.oldest {
		m.key = appendProducerKey(m.key[:0], pr.p.t.snap.ID, pr.p.no, pr.pid)
		b.Delete(m.key)
		m.producers.remove(pr)
		n++
		ans.Num++
	}
	for n < limit {
		g, at := m.empty.next()
		if at > c.Time {
			break
		}
		n += 1 + len(g.shares)
		m.forget(b, g)
		ans.Num++
	}
	if ans.Num > 0 {
		ans.Rev = c.Revision
	}
	b.Commit()
	return nil
}
