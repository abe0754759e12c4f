package fsm

import (
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// entryBudget bounds the keys that the pops of one entry make Seal write: a chunk may need three of them.
const entryBudget = 12_000

// pop serves OpQueuePop and OpQueueLease.
func pop(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.pop
	if err := checkPop(m, &m.p, c.Body); err != nil {
		return err
	}
	q := m.find(p.Queue)
	if q == nil || q.paused || q.free == 0 {
		*ans = emptyAnswer
		return nil
	}
	lease := int64(0)
	if c.Op == wire.OpQueueLease {
		if lease = int64(p.Lease); lease == 0 {
			lease = int64(q.set.Lease)
		}
	}
	out, from := m.out[:0], ans.Num
	for uint64(ans.Num) < p.Count && len(out) < wire.MaxDeliveryBody {
		ch, i, err := m.next(q)
		if err == errBusy && ans.Num > from { //nolint:errorlint // made by next itself
			break
		}
		if err != nil {
			return err
		}
		if ch == nil {
			break
		}
		if lease > 0 {
			out = m.lease(ch, i, m.now+lease, p.Nonce, out)
		} else {
			out = m.take(ch, i, out)
		}
		ans.Num++
	}
	if ans.Num == 0 {
		*ans = emptyAnswer
		return nil
	}
	m.out, ans.Body = out, out
	q.popped += uint64(ans.Num)
	q.rates.pop.add(m.now, ans.Num)
	if lease == 0 {
		q.acked += uint64(ans.Num)
	}
	return nil
}

// next finds the message that is delivered next, in a chunk that is loaded; nil if there is none. It discards those that
// have expired.
func (m *Machine) next(q *queue) (*chunk, int, error) {
	for q.free > 0 {
		c, i, err := m.pick(q)
		if err != nil {
			return nil, 0, err
		}
		if !c.dirty && m.budget >= entryBudget {
			return nil, 0, errBusy
		}
		if err := m.load(c); err != nil {
			return nil, 0, err
		}
		if e := c.msgs[i].expires; e == 0 || e > m.now {
			return c, i, nil
		}
		m.drop(c, i)
	}
	return nil, 0, nil
}

// pick chooses between the messages without a group and the groups whose turn it is. q.free is not 0.
func (m *Machine) pick(q *queue) (*chunk, int, error) {
	var l *lane
	for _, x := range q.lanes {
		if x.open > 0 {
			l = x
			break
		}
	}
	if q.turns.Len() > 0 {
		g := q.turns.First()
		prio := 255 - uint8(g.front()>>56)
		if l == nil || prio > l.prio || prio == l.prio && g.turn < q.plainTurn {
			c, i, err := m.locate(q, g.front(), false)
			if err == nil && c == nil {
				err = errLost
			}
			return c, i, err
		}
	}
	if l == nil {
		return nil, 0, errLost
	}
	if l.back.len() > 0 {
		c, i, err := m.locate(q, l.back.front(), false)
		if err == nil && c == nil {
			err = errLost
		}
		return c, i, err
	}
	return m.scan(q, l)
}

// turnOver puts whoever the message belongs to behind the others.
func (m *Machine) turnOver(c *chunk, i int) {
	q := c.q
	if g := c.groupIn(i); g != nil {
		m.served(q, g)
	} else if len(q.groups) > 0 {
		q.turn++
		q.plainTurn = q.turn
	}
}

// take removes a message for good and appends it to out.
func (m *Machine) take(c *chunk, i int, out []byte) []byte {
	ms := &c.msgs[i]
	out = appendDelivery(out, wire.Receipt{ID: wire.MessageID(c.id(i)), Attempt: c.attempt(i)}, wire.DeliveryReady, 0, ms)
	m.turnOver(c, i)
	m.touch(c)
	m.move(c, i, gone)
	return out
}

// lease leases a message and appends it to out.
func (m *Machine) lease(c *chunk, i int, until int64, nonce uint64, out []byte) []byte {
	m.turnOver(c, i)
	m.touch(c)
	m.move(c, i, leased)
	e := &c.ext[i]
	e.attempt++
	e.until, e.nonce, e.implicit = until, nonce, false
	e.final = c.q.set.MaxDeliver > 0 && uint64(e.attempt) >= c.q.set.MaxDeliver
	m.alert(c, until)
	r := wire.Receipt{ID: wire.MessageID(c.id(i)), Attempt: e.attempt, Nonce: nonce}
	return appendDelivery(out, r, wire.DeliveryLeased, until, &c.msgs[i])
}

// appendDelivery appends a message as wire.AppendDelivery does, with its headers as they are stored.
func appendDelivery(b []byte, r wire.Receipt, s wire.DeliveryState, until int64, ms *msg) []byte {
	b = append(r.Append(b), byte(s))
	b = wire.AppendUvarint(b, uint64(ms.pushed))
	b = wire.AppendUvarint(b, uint64(until))
	b = wire.AppendUvarint(b, uint64(ms.expires))
	b = wire.AppendBytes(b, ms.group)
	if len(ms.headers) == 0 {
		b = append(b, 0)
	} else {
		b = append(b, ms.headers...)
	}
	return wire.AppendBytes(b, ms.body)
}
