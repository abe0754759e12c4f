package flin

import (
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Peek returns the body of the message that would be delivered next, and leaves it where it is; ErrEmpty if there is none.
func (q *Queue) Peek(queue string) ([]byte, error) {
	messages, err := q.PeekN(queue, 1)
	switch {
	case err != nil:
		return nil, err
	case len(messages) == 0:
		return nil, wire.Errorf(wire.Empty, "flin: queue %q has no message that could be delivered", queue)
	}
	return messages[0].Body, nil
}

// PeekN returns up to n messages, 1 to 1,000, in the order in which they would be delivered, and leaves them where they
// are. They have no receipts. A queue that is empty or not there has none.
func (q *Queue) PeekN(queue string, n int) ([]*Message, error) {
	resp, err := q.ask(wire.OpQueuePeek, true, &wire.QueuePeek{Queue: []byte(queue), Count: uint64(max(n, 0))})
	if err != nil {
		return nil, err
	}
	return q.messages(wire.OpQueuePeek, queue, resp.Body, resp.Num)
}

// GetMessage returns a message, whatever its state, and leaves it where it is; ErrNotFound if it is not there. It has no
// receipt.
func (q *Queue) GetMessage(queue, id string) (*Message, error) {
	n, err := wire.ParseMessageID(id)
	if err != nil {
		return nil, err
	}
	resp, err := q.ask(wire.OpQueueGet, true, &wire.QueueMessageID{Queue: []byte(queue), ID: n})
	if err != nil {
		return nil, err
	}
	messages, err := q.messages(wire.OpQueueGet, queue, resp.Body, 1)
	if err == nil && len(messages) != 1 {
		err = badAnswer(wire.OpQueueGet, wire.ErrTruncated)
	}
	if err != nil {
		return nil, err
	}
	messages[0].Receipt, messages[0].receipt = "", wire.Receipt{ID: n} // it is another's
	return messages[0], nil
}

// RemoveMessage removes a message, whatever its state; ErrNotFound if it is not there. Who has leased it finds his receipt
// stale.
func (q *Queue) RemoveMessage(queue, id string) error {
	n, err := wire.ParseMessageID(id)
	if err != nil {
		return err
	}
	_, err = q.ask(wire.OpQueueRemove, false, &wire.QueueMessageID{Queue: []byte(queue), ID: n})
	return err
}

// Clear removes every message of a queue, whatever its state; ErrNotFound if there is no such queue. Its settings stay.
func (q *Queue) Clear(queue string) error {
	_, err := q.Purge(queue)
	return err
}

// Purge is Clear, and returns how many messages went.
func (q *Queue) Purge(queue string) (int64, error) {
	return q.byName(wire.OpQueueClear, false, queue)
}

// DeleteQueue removes a queue with its messages and settings and returns how many messages went; ErrNotFound if there is no
// such queue.
func (q *Queue) DeleteQueue(queue string) (int64, error) {
	return q.byName(wire.OpQueueDelete, false, queue)
}

// Pause keeps the messages of a queue from being delivered until Resume; everything else goes on. ErrNotFound if there is
// no such queue.
func (q *Queue) Pause(queue string) error {
	_, err := q.byName(wire.OpQueuePause, false, queue)
	return err
}

// Resume ends Pause.
func (q *Queue) Resume(queue string) error {
	_, err := q.byName(wire.OpQueueResume, false, queue)
	return err
}

// Redrive moves dead messages back to where they came from, as if newly pushed, and returns how many. Of a queue that has a
// dead-letter queue its own come back; of a dead-letter queue all go back. Without Count all move.
func (q *Queue) Redrive(queue string, opts ...RedriveOption) (int64, error) {
	m := &wire.QueueRedrive{Queue: []byte(queue)}
	for _, o := range opts {
		o.redrive(m)
	}
	resp, err := q.ask(wire.OpQueueRedrive, false, m)
	return resp.Num, err
}
