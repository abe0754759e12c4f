package fsm

import (
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// redriveLook bounds the messages that one OpQueueRedrive looks at, and redriveMove those that it moves.
const (
	redriveLook = 10_000
	redriveMove = 1_000
)

// redrive serves OpQueueRedrive, a piece at a time: with Rev set there may be more to move, and whoever asked asks again
// for the rest of its count. A queue that has dead letters elsewhere gets them back; else it is one that dead letters went
// to, and gives them all back.
func redrive(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.redrive
	if err := checkRedrive(m, &m.p, c.Body); err != nil {
		return err
	}
	q := m.find(p.Queue)
	if q == nil {
		return errNoQueue(p.Queue)
	}
	dq, only := m.queues[string(q.set.DeadLetter)], q.name
	if dq == nil || dq.total() == 0 {
		if q.letters == 0 {
			return nil
		}
		dq, only = q, ""
	}
	m.touchQueue(dq)
	if dq.redriving != q.qid {
		dq.redriving, dq.redriveAt = q.qid, 0
	}
	limit := int64(redriveMove)
	if p.Count > 0 && p.Count < redriveMove {
		limit = int64(p.Count)
	}
	more, err := m.revert(dq, only, limit, ans)
	if err != nil {
		return err
	}
	if !more || p.Count > 0 && uint64(ans.Num) == p.Count {
		dq.redriving, dq.redriveAt = 0, 0
	} else {
		ans.Rev = c.Revision
	}
	return nil
}

// revert moves ready messages of dq back to where they came from. more says that it ended before the last.
func (m *Machine) revert(dq *queue, only string, limit int64, ans *wire.Response) (more bool, err error) {
	before := m.buried
	for range redriveLook {
		if ans.Num == limit || m.buried-before >= moveBudget {
			return true, nil
		}
		if m.budget >= entryBudget {
			if ans.Num == 0 {
				return true, errBusy
			}
			return true, nil
		}
		c, i, err := m.following(dq, dq.redriveAt)
		if c == nil || err != nil {
			return false, err
		}
		dq.redriveAt = c.id(i) + 1
		if err := m.load(c); err != nil {
			return false, err
		}
		ms := c.msgs[i]
		origin := originOf(&ms)
		if c.status(i) != ready || ms.expires != 0 && ms.expires <= m.now || !m.reverts(dq, origin, only) {
			continue
		}
		c.pinned = true
		err = m.revertOne(c, i, ms, origin)
		c.pinned = false
		if err != nil {
			dq.redriving = 0
			if e, ok := err.(*wire.Error); ok && e.Code == wire.Full && ans.Num > 0 { //nolint:errorlint // made by revertOne
				return false, nil
			}
			return false, err
		}
		ans.Num++
	}
	return true, nil
}

// reverts reports whether a dead letter is to go back to its origin.
func (m *Machine) reverts(dq *queue, origin []byte, only string) bool {
	if only != "" {
		return string(origin) == only
	}
	return wire.CheckName("queue", origin) == nil && string(origin) != dq.name
}

func (m *Machine) revertOne(c *chunk, i int, ms msg, origin []byte) error {
	to := m.ensure(origin)
	if limit := to.set.MaxLen; limit > 0 && uint64(to.total()) >= limit {
		if to.set.Overflow == wire.QueueReject || to.ready == 0 {
			return wire.Errorf(wire.Full, "queue %q has the %d messages that it may have: take some out, or raise its maximum length", to.name, limit)
		}
		if err := m.makeRoom(to, 1); err != nil {
			return err
		}
	}
	prio := wire.MessageID(c.id(i)).Priority()
	m.touch(c)
	m.move(c, i, gone)
	ms.headers = nil
	if hs := livingHeaders(c.msgs[i].headers); len(hs) > 0 {
		ms.headers = encodeHeaders(hs)
	}
	m.moveTo(to, prio, ms)
	return nil
}

// following returns the first message at or behind id, whatever its status; nil if there is none.
func (m *Machine) following(q *queue, id uint64) (*chunk, int, error) {
	for _, l := range q.lanes {
		if uint64(255-l.prio) < id>>56 {
			continue
		}
		b, i := l.seek(id)
		for ok := true; ok; b, i, ok = l.follow(b, i) {
			if b < 0 {
				continue
			}
			c, err := m.materialize(q, l, &l.blocks[b][i])
			if err != nil {
				return nil, 0, err
			}
			if k := c.living(c.from(id)); k < c.n {
				return c, k, nil
			}
		}
	}
	return nil, 0, nil
}
