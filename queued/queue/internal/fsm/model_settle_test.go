package fsm

import (
	"slices"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// settle executes what is neither a push nor a pop.
func (m *model) settle(b *bench, c command, q *modelQueue, ans *wire.Response) (code wire.Code, num int64) {
	switch c.Op {
	case wire.OpQueueAck:
		return m.ack(c, ans)
	case wire.OpQueueNack, wire.OpQueueReject:
		return m.nack(c)
	case wire.OpQueueExtend:
		var p wire.QueueExtend
		_ = p.Decode(c.Body)
		_, x := m.held(p.Queue, p.Receipt)
		if x == nil {
			return wire.Fenced, 0
		}
		x.until = m.now + int64(p.Lease)
		return wire.OK, x.until
	case wire.OpQueueRemove:
		var p wire.QueueMessageID
		_ = p.Decode(c.Body)
		if q != nil {
			if i := slices.IndexFunc(q.messages, func(x *modelMessage) bool { return x.id == p.ID }); i >= 0 {
				q.delete(q.messages[i])
				return wire.OK, 0
			}
		}
		return wire.NotFound, 0
	case wire.OpQueueReturn:
		return wire.OK, m.giveBack(c)
	case wire.OpQueueTick:
		b.m.mu.Lock()
		order := make([]string, 0, len(b.m.sorted))
		for _, q := range b.m.sorted {
			order = append(order, q.name)
		}
		slices.SortFunc(order, func(x, y string) int { return int(b.m.queues[x].qid) - int(b.m.queues[y].qid) })
		b.m.mu.Unlock()
		m.tick(slices.DeleteFunc(order, func(name string) bool { return m.queues[name] == nil }))
		return wire.OK, ans.Num
	case wire.OpQueueCollect:
		return wire.OK, ans.Num
	case wire.OpQueueCreate:
		return m.create(c)
	}
	if q == nil {
		return wire.NotFound, 0
	}
	switch c.Op {
	case wire.OpQueuePause:
		q.paused = true
	case wire.OpQueueResume:
		q.paused = false
	case wire.OpQueueClear:
		num = int64(len(q.messages))
		q.messages, q.dedup = nil, nil
		return wire.OK, num
	case wire.OpQueueDelete:
		delete(m.queues, q.name)
		return wire.OK, int64(len(q.messages))
	case wire.OpQueueRedrive:
		return m.redrive(c, q)
	}
	return wire.OK, 0
}

func (m *model) ack(c command, ans *wire.Response) (code wire.Code, num int64) {
	var p wire.QueueAck
	_ = p.Decode(c.Body)
	codes := []byte{}
	for _, r := range p.Receipts {
		q, x := m.held(p.Queue, r)
		if x == nil {
			codes = append(codes, byte(wire.Fenced))
			continue
		}
		q.delete(x)
		codes = append(codes, byte(wire.OK))
		num++
	}
	if num == 0 && len(codes) == 1 {
		return wire.Fenced, 0
	}
	if !slices.Equal(codes, ans.Body) {
		return wire.Internal, 0
	}
	return wire.OK, num
}

func (m *model) nack(c command) (code wire.Code, num int64) {
	var p wire.QueueNack
	_ = p.Decode(c.Body)
	q, x := m.held(p.Queue, p.Receipt)
	if x == nil {
		return wire.Fenced, 0
	}
	if c.Op == wire.OpQueueReject || q.set.MaxDeliver > 0 && uint64(x.attempt) >= q.set.MaxDeliver {
		return wire.OK, m.kill(q, x, string(p.Error))
	}
	x.state, x.until = ready, 0
	if p.Delay > 0 {
		x.state, x.until = delayed, m.now+int64(p.Delay)
	}
	return wire.OK, 0
}

func (m *model) giveBack(c command) (num int64) {
	var p wire.QueueReturn
	_ = p.Decode(c.Body)
	for i := range p.Deliveries {
		d := &p.Deliveries[i]
		if p.Leased {
			if _, x := m.held(p.Queue, d.Receipt); x != nil {
				x.state, x.until = ready, 0
				x.attempt--
				num++
			}
			continue
		}
		q := m.queues[string(p.Queue)]
		if q == nil || d.Expires != 0 && d.Expires <= m.now {
			continue
		}
		q.seq = max(q.seq, d.Receipt.ID.Seq())
		if slices.ContainsFunc(q.messages, func(x *modelMessage) bool { return x.id == d.Receipt.ID }) {
			continue
		}
		q.insert(&modelMessage{
			id: d.Receipt.ID, pushed: d.PushedAt, expires: d.Expires, group: string(d.Group), headers: d.Headers,
			body: string(d.Body), attempt: d.Receipt.Attempt,
		})
		num++
	}
	return num
}

func (m *model) create(c command) (code wire.Code, num int64) {
	var p wire.QueueCreate
	_ = p.Decode(c.Body)
	f, s := p.Fields, p.Settings
	if f&wire.QueueHasDeadLetter != 0 && m.comesBack(string(p.Queue), string(s.DeadLetter)) {
		return wire.Invalid, 0
	}
	if m.queues[string(p.Queue)] == nil {
		num = 1
	}
	set := &m.ensure(string(p.Queue)).set
	if f&wire.QueueHasLease != 0 {
		set.Lease = s.Lease
	}
	if f&wire.QueueHasMaxDeliver != 0 {
		set.MaxDeliver = s.MaxDeliver
	}
	if f&wire.QueueHasDeadLetter != 0 {
		set.DeadLetter = s.DeadLetter
	}
	if f&wire.QueueHasMaxLen != 0 {
		set.MaxLen = s.MaxLen
	}
	if f&wire.QueueHasOverflow != 0 {
		set.Overflow = s.Overflow
	}
	if f&wire.QueueHasTTL != 0 {
		set.TTL = s.TTL
	}
	if f&wire.QueueHasWindow != 0 {
		set.Window = s.Window
	}
	return wire.OK, num
}

func (m *model) redrive(c command, q *modelQueue) (code wire.Code, num int64) {
	var p wire.QueueRedrive
	_ = p.Decode(c.Body)
	dq, only := m.queues[string(q.set.DeadLetter)], q.name
	if dq == nil || len(dq.messages) == 0 {
		if !q.letters {
			return wire.OK, 0
		}
		dq, only = q, ""
	}
	for _, x := range slices.Clone(dq.messages) {
		origin := ""
		for _, h := range x.headers {
			if string(h.Name) == "x-origin-queue" {
				origin = string(h.Value)
			}
		}
		if x.state != ready || x.expires != 0 && x.expires <= m.now || origin == "" || origin == dq.name || only != "" && origin != only {
			continue
		}
		if p.Count > 0 && num == int64(p.Count) {
			break
		}
		to := m.ensure(origin)
		if limit := int(to.set.MaxLen); limit > 0 && len(to.messages) >= limit {
			if to.set.Overflow == wire.QueueReject || to.count(ready) == 0 {
				if num == 0 {
					return wire.Full, 0
				}
				return wire.OK, num
			}
			for len(to.messages) >= limit {
				to.delete(to.oldest())
			}
		}
		dq.delete(x)
		m.move(to, x, own(x.headers))
		num++
	}
	return wire.OK, num
}
