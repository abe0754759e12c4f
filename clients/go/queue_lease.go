package flin

import (
	"fmt"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Lease leases the next message of a queue: nobody else gets it until the lease ends. ErrEmpty if there is none. A message
// whose lease ends before it is acknowledged is delivered again, as often as the queue's MaxDeliveries allows. A Lease
// whose answer was lost is ErrOutcomeUnknown; what it has leased comes back by itself.
func (q *Queue) Lease(queue string, opts ...LeaseOption) (*Message, error) {
	messages, err := q.LeaseBatch(queue, 1, opts...)
	if err != nil {
		return nil, err
	}
	return messages[0], nil
}

// LeaseBatch leases up to n messages, 1 to 10,000, of a queue; ErrEmpty if there is none. It does not wait for n to be
// there, and gives fewer where bodies are together over about 8 MiB. Their bodies share memory.
func (q *Queue) LeaseBatch(queue string, n int, opts ...LeaseOption) ([]*Message, error) {
	if err := checkMessages(wire.OpQueueLease, n); err != nil {
		return nil, err
	}
	k := q.popCall(wire.OpQueueLease, queue, n)
	for _, o := range opts {
		o.lease(&k.pop)
	}
	answer, found, err := q.deliver(k)
	if err != nil {
		return nil, err
	}
	messages, err := q.messages(wire.OpQueueLease, queue, answer, found)
	if err == nil && len(messages) == 0 {
		err = badAnswer(wire.OpQueueLease, wire.ErrTruncated)
	}
	return messages, err
}

// StaleError says which messages AckBatch could not acknowledge, because others hold them by now or have dealt with them.
// It matches ErrFenced.
type StaleError struct {
	Messages []*Message
	Of       int // how many were to be acknowledged
}

// Error names the messages, the first ten of them.
func (e *StaleError) Error() string {
	const shown = 10
	ids := make([]string, 0, shown)
	for _, m := range e.Messages[:min(len(e.Messages), shown)] {
		ids = append(ids, m.ID)
	}
	more := ""
	if len(e.Messages) > shown {
		more = " …"
	}
	return fmt.Sprintf("flin: %d of %d receipts are stale, the other messages were acknowledged: %s%s",
		len(e.Messages), e.Of, strings.Join(ids, ", "), more)
}

// Is reports whether target is ErrFenced.
func (e *StaleError) Is(target error) bool { return ErrFenced.Is(target) }

// AckBatch acknowledges messages of one queue, at most 10,000, in one request. Each is judged by itself: those that were
// not stale are removed, and counted in acked; if some were stale the error is a *StaleError with them.
func (q *Queue) AckBatch(messages []*Message) (acked int, err error) {
	if err := checkMessages(wire.OpQueueAck, len(messages)); err != nil || len(messages) == 0 {
		return 0, err
	}
	p := &wire.QueueAck{Queue: []byte(messages[0].Queue), Receipts: make([]wire.Receipt, len(messages))}
	for i, m := range messages {
		if m.Queue != messages[0].Queue {
			return 0, wire.Errorf(wire.Invalid, "flin: a batch of acknowledgements for queue %q holds a message of queue %q", messages[0].Queue, m.Queue)
		}
		if err := m.held(); err != nil {
			return 0, err
		}
		p.Receipts[i] = m.receipt
	}
	resp, err := q.ask(wire.OpQueueAck, false, p)
	if len(messages) == 1 && wire.CodeOf(err) == wire.Fenced {
		return 0, &StaleError{Messages: messages, Of: 1}
	}
	if err != nil {
		return 0, err
	}
	if int(resp.Num) == len(messages) {
		return len(messages), nil
	}
	if len(resp.Body) != len(messages) {
		return int(resp.Num), badAnswer(wire.OpQueueAck, wire.ErrTruncated)
	}
	stale := &StaleError{Of: len(messages)}
	for i, code := range resp.Body {
		if wire.Code(code) != wire.OK {
			stale.Messages = append(stale.Messages, messages[i])
		}
	}
	return int(resp.Num), stale
}
