package fsm

import (
	"bytes"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// held returns the message that a receipt is good for, nil if it is stale. The chunk has gone through need.
func (m *Machine) held(q *queue, r *wire.Receipt) (*chunk, int, error) {
	if q == nil {
		return nil, 0, nil
	}
	c, i, err := m.locate(q, uint64(r.ID), true)
	if c == nil || err != nil {
		return nil, 0, err
	}
	if c.ext == nil {
		return nil, 0, nil
	}
	if e := &c.ext[i]; e.status != leased || e.attempt != r.Attempt || e.nonce != r.Nonce || e.until <= m.now {
		return nil, 0, nil
	}
	if c.flags&flagTTL != 0 {
		if err := m.load(c); err != nil {
			return nil, 0, err
		}
		if e := c.msgs[i].expires; e != 0 && e <= m.now {
			return nil, 0, nil
		}
	}
	return c, i, nil
}

// ack serves OpQueueAck.
func ack(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.ack
	if err := checkAck(m, &m.p, c.Body); err != nil {
		return err
	}
	q := m.find(p.Queue)
	out := m.out[:0]
	for i := range p.Receipts {
		ch, k, err := m.held(q, &p.Receipts[i])
		if err != nil {
			return err
		}
		if ch == nil {
			out = append(out, byte(wire.Fenced))
			continue
		}
		m.touch(ch)
		m.move(ch, k, gone)
		ans.Num++
		out = append(out, byte(wire.OK))
	}
	if ans.Num > 0 {
		q.acked += uint64(ans.Num)
	} else if len(p.Receipts) == 1 {
		return errFenced
	}
	m.out, ans.Body = out, out
	return nil
}

// nack serves OpQueueNack and OpQueueReject.
func nack(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.nack
	if err := checkNack(m, &m.p, c.Body); err != nil {
		return err
	}
	q := m.find(p.Queue)
	ch, i, err := m.held(q, &p.Receipt)
	if err != nil {
		return err
	}
	if ch == nil {
		return errFenced
	}
	dead := c.Op == wire.OpQueueReject || q.set.MaxDeliver > 0 && uint64(ch.ext[i].attempt) >= q.set.MaxDeliver
	if dead {
		if m.buried >= buryBudget {
			return errBusy
		}
		text := p.Error
		if len(text) > wire.MaxErrorText {
			text = text[:wire.MaxErrorText]
		}
		ans.Num, err = m.kill(ch, i, text)
		return err
	}
	m.touch(ch)
	m.release(ch, i, int64(p.Delay))
	return nil
}

// release gives a leased message back, to be delivered after a delay.
func (m *Machine) release(c *chunk, i int, delay int64) {
	e := &c.ext[i]
	e.nonce, e.final, e.until = 0, false, 0
	if delay == 0 {
		m.move(c, i, ready)
		return
	}
	e.until = m.now + delay
	m.move(c, i, delayed)
	m.alert(c, e.until)
}

// extend serves OpQueueExtend.
func extend(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.extend
	if err := checkExtend(m, &m.p, c.Body); err != nil {
		return err
	}
	ch, i, err := m.held(m.find(p.Queue), &p.Receipt)
	if err != nil {
		return err
	}
	if ch == nil {
		return errFenced
	}
	m.touch(ch)
	ans.Num = m.now + int64(p.Lease)
	ch.ext[i].until = ans.Num
	m.alert(ch, ans.Num)
	return nil
}

// remove serves OpQueueRemove.
func remove(m *Machine, c *replica.Command, _ *wire.Response) error {
	p := &m.p.id
	if err := checkID(m, &m.p, c.Body); err != nil {
		return err
	}
	q := m.find(p.Queue)
	if q == nil {
		return errNoQueue(p.Queue)
	}
	ch, i, err := m.locate(q, uint64(p.ID), false)
	if err != nil {
		return err
	}
	if ch == nil {
		return errNoMsg
	}
	m.touch(ch)
	m.move(ch, i, gone)
	return nil
}

// giveBack serves OpQueueReturn. Num is how many messages are back.
func giveBack(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.back
	if err := checkReturn(m, &m.p, c.Body); err != nil {
		return err
	}
	q := m.find(p.Queue)
	if q == nil {
		return nil
	}
	for i := range p.Deliveries {
		d := &p.Deliveries[i]
		var back bool
		var err error
		if p.Leased {
			back, err = m.unlease(q, &d.Receipt)
		} else {
			back, err = m.untake(q, d)
		}
		if err != nil {
			return err
		}
		if back {
			ans.Num++
		}
	}
	n := uint64(ans.Num)
	q.popped -= min(n, q.popped)
	if !p.Leased {
		q.acked -= min(n, q.acked)
	}
	return nil
}

// unlease ends a lease as if it had never been.
func (m *Machine) unlease(q *queue, r *wire.Receipt) (bool, error) {
	c, i, err := m.held(q, r)
	if c == nil || err != nil {
		return false, err
	}
	m.touch(c)
	c.ext[i].attempt--
	m.release(c, i, 0)
	return true, nil
}

// untake puts a message that was taken back to its place, unless it is there.
func (m *Machine) untake(q *queue, d *wire.QueueDelivery) (bool, error) {
	id := uint64(d.Receipt.ID)
	if seq := d.Receipt.ID.Seq(); seq == 0 || d.Expires != 0 && d.Expires <= m.now || d.PushedAt < 0 || d.Expires < 0 {
		return false, nil
	} else if seq > q.seq {
		q.seq = seq // the queue was made anew meanwhile
	}
	m.touchQueue(q)
	c, err := m.around(q, id, false)
	if err != nil {
		return false, err
	}
	ms := msg{pushed: d.PushedAt, expires: d.Expires, group: d.Group, body: d.Body}
	if len(d.Headers) > 0 {
		ms.headers = encodeHeaders(d.Headers)
	}
	as := ext{attempt: d.Receipt.Attempt}
	at := 0
	if c != nil {
		var there bool
		if at, there = c.index(id); there {
			return m.undo(c, at, &ms, as)
		}
	}
	switch {
	case c != nil && at < c.n:
		if err := m.load(c); err != nil {
			return false, err
		}
		m.reshape(c)
	case c != nil && !c.stored && c.n < maxChunk && c.size < chunkBytes && id == c.lastID()+1:
	default:
		c, at = m.newChunk(q, q.laneFor(id), id, ms.pushed), 0
	}
	c.put(at, id, ms)
	m.touch(c)
	m.revive(c, at, as)
	m.expect(c, ms.expires)
	return true, nil
}

// undo takes back that a message has gone, in a chunk that still has it.
func (m *Machine) undo(c *chunk, i int, ms *msg, as ext) (bool, error) {
	if !c.isGone(i) {
		return false, nil
	}
	if err := m.load(c); err != nil {
		return false, err
	}
	if was := &c.msgs[i]; was.pushed != ms.pushed || !bytes.Equal(was.body, ms.body) || !bytes.Equal(was.group, ms.group) {
		// The queue was deleted and made anew meanwhile: another message has had that id.
		m.reshape(c)
		c.size += len(ms.headers) + len(ms.body) - len(was.headers) - len(was.body)
		*was = *ms
		c.note(was)
	}
	m.touch(c)
	c.alive++
	m.revive(c, i, as)
	m.expect(c, c.msgs[i].expires)
	return true, nil
}

// expect sets an alarm for an expiry that the chunk's alarm may not cover.
func (m *Machine) expect(c *chunk, expires int64) {
	if expires != 0 {
		m.alarms.Push(alarm{at: expires, qid: c.qid, first: c.first})
	}
}

// reshape says that the messages of a loaded chunk are about to change: it is written anew.
func (m *Machine) reshape(c *chunk) {
	m.touch(c)
	c.rewrite = c.stored
	if c.lane.cur == c {
		c.lane.cur = nil
	}
	for i := range c.msgs {
		// Slices of what was decoded are never appended to, but the chunk's own must not share their memory with it.
		c.msgs[i].group = bytes.Clone(c.msgs[i].group)
	}
}
