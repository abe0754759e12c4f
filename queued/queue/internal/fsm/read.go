package fsm

import (
	"path"
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Read answers a read (OpQueueLen, Info, List, Peek, Get) from what has been applied. Any goroutine may call it. What it
// needs is appended to buf; Body aliases that.
func (m *Machine) Read(op wire.Op, body, buf []byte) wire.Response {
	if KindOf(op) != Read {
		return wire.Failf(wire.Unsupported, "the queue engine does not read by %v", op)
	}
	r, p := &ops[byte(op)], m.pool.Get().(*payloads) //nolint:forcetypeassert // the pool holds nothing else
	var ans wire.Response
	err := r.check(m, p, body)
	if err == nil {
		ans, err = r.read(m, p, body, buf)
	}
	m.pool.Put(p)
	if err != nil {
		return wire.Fail(err)
	}
	return ans
}

// length serves OpQueueLen.
func length(m *Machine, _ *payloads, body, _ []byte) (ans wire.Response, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if q := m.queues[string(body)]; q != nil {
		ans.Num = int64(q.ready)
	}
	return ans, nil
}

// info serves OpQueueInfo.
func info(m *Machine, _ *payloads, body, buf []byte) (ans wire.Response, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	q := m.queues[string(body)]
	if q == nil {
		return ans, errNoQueue(body)
	}
	i := m.describe(q)
	ans.Body = i.Append(buf)[len(buf):]
	return ans, nil
}

// describe says what is known of a queue. Under mu.
func (m *Machine) describe(q *queue) wire.QueueInfo {
	i := wire.QueueInfo{
		Name: []byte(q.name), Settings: q.set, Paused: q.paused, Created: q.created,
		Ready: uint64(q.ready), Delayed: uint64(q.delayed), Leased: uint64(q.leased),
		Pushed: q.pushed, Popped: q.popped, Acked: q.acked, Died: q.died, Dropped: q.dropped,
		PushRate: q.rates.push.sum(m.now), PopRate: q.rates.pop.sum(m.now),
	}
	if d := m.queues[string(q.set.DeadLetter)]; d != nil {
		i.Dead = uint64(d.total())
	}
	if _, d, k := q.oldest(); d != nil {
		i.Oldest = d.pushed()
		if d.c != nil && d.c.msgs != nil {
			i.Oldest = d.c.msgs[k].pushed
		}
	}
	return i
}

// list serves OpQueueList.
func list(m *Machine, p *payloads, _, buf []byte) (ans wire.Response, err error) {
	limit := int(p.list.Limit)
	if limit == 0 {
		limit = 100
	}
	match := string(p.list.Match)
	if _, err := path.Match(match, ""); err != nil {
		return ans, wire.Errorf(wire.Invalid, "%q is no pattern: * ? [a-z] [^a-z] and \\ are understood", match)
	}
	out := buf
	m.mu.RLock()
	defer m.mu.RUnlock()
	at, ok := slices.BinarySearchFunc(m.sorted, string(p.list.After), func(q *queue, name string) int { return strings.Compare(q.name, name) })
	if ok {
		at++
	}
	for _, q := range m.sorted[at:] {
		if match != "" {
			if ok, err := path.Match(match, q.name); !ok || err != nil {
				continue
			}
		}
		if limit == 0 {
			ans.Num = 1
			break
		}
		limit--
		i := m.describe(q)
		out = i.Append(out)
	}
	ans.Body = out[len(buf):]
	return ans, nil
}

// get serves OpQueueGet.
func get(m *Machine, p *payloads, _, buf []byte) (ans wire.Response, err error) {
	v := newViewer(m)
	err = v.look(p.id.Queue, func(q *queue) error {
		if q == nil {
			return errNoQueue(p.id.Queue)
		}
		return v.at(q, uint64(p.id.ID))
	})
	if err != nil {
		return ans, err
	}
	if len(v.found) == 0 {
		return ans, errNoMsg
	}
	ans.Body = v.append(buf)[len(buf):]
	return ans, nil
}

// peek serves OpQueuePeek.
func peek(m *Machine, p *payloads, _, buf []byte) (ans wire.Response, err error) {
	v := newViewer(m)
	err = v.look(p.peek.Queue, func(q *queue) error {
		if q == nil {
			return nil
		}
		return v.next(q, int(p.peek.Count))
	})
	if err != nil {
		return ans, err
	}
	ans.Body = v.append(buf)[len(buf):]
	ans.Num = int64(v.sent)
	return ans, nil
}
