package fsm

import (
	"strconv"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// The headers that a dead letter gets.
const (
	headerOrigin   = "x-origin-queue"
	headerAttempts = "x-attempts"
	headerError    = "x-last-error"
	headerFirst    = "x-first-enqueued"
)

// leaseRanOut is the last error of a message whose last lease ran out.
const leaseRanOut = "the lease ran out"

// How many bytes of messages may be moved to other queues: by one command of the engine's own, and by one entry.
const (
	moveBudget = 8 << 20
	buryBudget = 64 << 20
)

func isOurs(name []byte) bool {
	switch string(name) {
	case headerOrigin, headerAttempts, headerError, headerFirst:
		return true
	}
	return false
}

// kill moves a message to the dead-letter queue of its own, and returns 1, or 2 if it has none and the message is gone.
func (m *Machine) kill(c *chunk, i int, reason []byte) (int64, error) {
	if err := m.load(c); err != nil {
		return 0, err
	}
	q, ms, attempt := c.q, c.msgs[i], c.attempt(i)
	prio := wire.MessageID(c.id(i)).Priority()
	m.touch(c)
	m.move(c, i, gone)
	q.died++
	if len(q.set.DeadLetter) == 0 {
		return 2, nil
	}
	dq := m.ensure(q.set.DeadLetter)
	ms.headers = deadHeaders(q.name, &ms, attempt, reason)
	m.moveTo(dq, prio, ms)
	dq.letters++
	return 1, nil
}

// moveTo pushes a message that comes from another queue.
func (m *Machine) moveTo(q *queue, prio uint8, ms msg) {
	ms.pushed, ms.notBefore, ms.expires = m.now, 0, 0
	if q.set.TTL > 0 {
		ms.expires = m.now + int64(q.set.TTL)
	}
	m.buried += len(ms.headers) + len(ms.body)
	m.touchQueue(q)
	m.append(q, prio, ms, ext{})
	q.pushed++
	q.rates.push.add(m.now, 1)
}

// deadHeaders returns the headers of a message with what is to be known of its end.
func deadHeaders(origin string, ms *msg, attempt uint32, reason []byte) []byte {
	hs := append(livingHeaders(ms.headers),
		wire.Header{Name: []byte(headerOrigin), Value: []byte(origin)},
		wire.Header{Name: []byte(headerAttempts), Value: strconv.AppendUint(nil, uint64(attempt), 10)},
		wire.Header{Name: []byte(headerError), Value: reason},
		wire.Header{Name: []byte(headerFirst), Value: strconv.AppendInt(nil, ms.pushed, 10)},
	)
	return encodeHeaders(hs)
}

// livingHeaders returns a message's own headers, without those of ours.
func livingHeaders(raw []byte) []wire.Header {
	var hs []wire.Header
	eachHeader(raw, func(h wire.Header) {
		if !isOurs(h.Name) {
			hs = append(hs, h)
		}
	})
	return hs
}

func eachHeader(raw []byte, fn func(h wire.Header)) {
	if len(raw) == 0 {
		return
	}
	r := wire.NewReader(raw)
	for n := r.Uvarint(); n > 0 && r.Err() == nil; n-- {
		fn(wire.Header{Name: r.Bytes(), Value: r.Bytes()})
	}
}

// originOf returns the queue that a dead letter came from, nil if it is none.
func originOf(ms *msg) (name []byte) {
	eachHeader(ms.headers, func(h wire.Header) {
		if string(h.Name) == headerOrigin {
			name = h.Value
		}
	})
	return name
}
