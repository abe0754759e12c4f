package fsm

import (
	"bytes"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// create serves OpQueueCreate.
func create(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.create
	if err := checkCreate(m, &m.p, c.Body); err != nil {
		return err
	}
	if p.Fields&wire.QueueHasDeadLetter != 0 && len(p.Settings.DeadLetter) > 0 && m.returns(string(p.Queue), string(p.Settings.DeadLetter)) {
		return wire.Errorf(wire.Invalid, "the dead letters of queue %q would come back to it by way of %q: choose another dead-letter queue",
			p.Queue, p.Settings.DeadLetter)
	}
	q := m.find(p.Queue)
	if q == nil {
		q, ans.Num = m.ensure(p.Queue), 1
	}
	m.touchQueue(q)
	for _, f := range [...]struct {
		given    bool
		from, to *uint64
	}{
		{p.Fields&wire.QueueHasLease != 0, &p.Settings.Lease, &q.set.Lease},
		{p.Fields&wire.QueueHasMaxDeliver != 0, &p.Settings.MaxDeliver, &q.set.MaxDeliver},
		{p.Fields&wire.QueueHasMaxLen != 0, &p.Settings.MaxLen, &q.set.MaxLen},
		{p.Fields&wire.QueueHasTTL != 0, &p.Settings.TTL, &q.set.TTL},
		{p.Fields&wire.QueueHasWindow != 0, &p.Settings.Window, &q.set.Window},
	} {
		if f.given {
			*f.to = *f.from
		}
	}
	if p.Fields&wire.QueueHasDeadLetter != 0 {
		q.set.DeadLetter = bytes.Clone(p.Settings.DeadLetter)
	}
	if p.Fields&wire.QueueHasOverflow != 0 {
		q.set.Overflow = p.Settings.Overflow
	}
	if len(q.dedup.buckets) > 0 {
		// With a shorter window the oldest bucket ends before its alarm.
		m.alarms.Push(alarm{at: q.dedup.buckets[0].end + int64(q.set.Window), qid: q.qid})
	}
	return nil
}

// pause serves OpQueuePause and OpQueueResume.
func pause(m *Machine, c *replica.Command, _ *wire.Response) error {
	q, err := m.named(c.Body)
	if err != nil {
		return err
	}
	q.paused = c.Op == wire.OpQueuePause
	m.touchQueue(q)
	return nil
}

// named returns the queue of a payload that is a name.
func (m *Machine) named(body []byte) (*queue, error) {
	if err := wire.CheckName("queue", body); err != nil {
		return nil, err
	}
	q := m.find(body)
	if q == nil {
		return nil, errNoQueue(body)
	}
	return q, nil
}

// clearQueue serves OpQueueClear: the queue's messages get nothing but a new number; what has the old one is collected.
func clearQueue(m *Machine, c *replica.Command, ans *wire.Response) error {
	q, err := m.named(c.Body)
	if err != nil {
		return err
	}
	ans.Num = int64(q.total())
	m.empty(q)
	q.qid = m.newNumber()
	m.byQID[q.qid] = q
	return nil
}

// empty takes everything out of a queue.
func (m *Machine) empty(q *queue) {
	m.touchQueue(q)
	m.discard(keys.Append(nil, kindTrash, q.qid))
	delete(m.byQID, q.qid)
	for c := m.cache.newest; c != nil; {
		next := c.older
		if c.q == q {
			m.cache.drop(c)
		}
		c = next
	}
	for _, l := range q.lanes {
		m.stale += l.chunks
	}
	q.contents = newContents()
	q.redriving, q.redriveAt = 0, 0
}

// deleteQueue serves OpQueueDelete.
func deleteQueue(m *Machine, c *replica.Command, ans *wire.Response) error {
	q, err := m.named(c.Body)
	if err != nil {
		return err
	}
	ans.Num = int64(q.total())
	m.empty(q)
	m.delist(q)
	q.deleted = true
	return nil
}
