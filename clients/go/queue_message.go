package flin

import (
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// MessageState is where a message is.
type MessageState = wire.DeliveryState

// The states of a message.
const (
	MessageReady   = wire.DeliveryReady   // it can be delivered, if its group is free
	MessageDelayed = wire.DeliveryDelayed // it is not to be delivered before a time
	MessageLeased  = wire.DeliveryLeased  // somebody is at work on it
)

// Message is a message of a queue. One that was leased is to be acknowledged, or given back, before LeasedUntil; of the
// methods one is called, once. A receipt that is stale, because the lease has run out or the message was dealt with, is
// ErrFenced: whatever was done for the message, somebody else may be doing it too.
//
// The methods' calls end with the context of the Client that leased it; those of a message that Receive hands out do not.
type Message struct {
	ID       string
	Receipt  string // shows who holds the lease; empty on a message that was peeked at
	Attempt  int    // which delivery this is, from 1; of a message that was peeked at how many there were
	Body     []byte
	Headers  map[string]string // nil: none
	Priority uint8
	GroupKey string
	PushedAt time.Time
	// LeasedUntil is when the lease ends, by the server's clock. Zero: it is not leased.
	LeasedUntil time.Time
	// DelayedUntil is before when it is not delivered, for a message that was peeked at. Zero: it is not delayed.
	DelayedUntil time.Time
	Expires      time.Time // zero: never
	State        MessageState
	Queue        string // the queue's name

	queue   *Queue
	receipt wire.Receipt
}

// fill sets m from what the server sent. text is reused from message to message.
func (m *Message) fill(q *Queue, queue string, d *wire.QueueDelivery, text []byte) []byte {
	*m = Message{
		Attempt: int(d.Receipt.Attempt), Body: d.Body, Priority: d.Receipt.ID.Priority(), GroupKey: string(d.Group),
		PushedAt: time.UnixMilli(d.PushedAt), Expires: expires(d.Expires), State: d.State, Queue: queue, queue: q, receipt: d.Receipt,
	}
	text = d.Receipt.ID.AppendString(text[:0])
	n := len(text)
	if d.Receipt.Nonce != 0 {
		text = d.Receipt.AppendString(text)
	}
	both := string(text) // one allocation for the two
	m.ID, m.Receipt = both[:n], both[n:]
	switch d.State {
	case wire.DeliveryLeased:
		m.LeasedUntil = expires(d.Until)
	case wire.DeliveryDelayed:
		m.DelayedUntil = expires(d.Until)
	case wire.DeliveryReady:
	}
	if len(d.Headers) > 0 {
		m.Headers = make(map[string]string, len(d.Headers))
		for _, h := range d.Headers {
			m.Headers[string(h.Name)] = string(h.Value)
		}
	}
	return text
}

// messages reads a list of deliveries, of which there should be n.
func (q *Queue) messages(op wire.Op, queue string, p []byte, n int64) ([]*Message, error) {
	const smallest = wire.ReceiptSize + 7 // bytes that a delivery takes at least
	all := make([]Message, max(0, min(n, int64(len(p)/smallest))))
	list := make([]*Message, 0, len(all))
	var d wire.QueueDelivery
	var text []byte
	r := wire.NewReader(p)
	for r.Len() > 0 {
		wire.TakeDelivery(&r, &d)
		if r.Err() != nil || len(list) == len(all) {
			break
		}
		m := &all[len(list)]
		text = m.fill(q, queue, &d, text)
		list = append(list, m)
	}
	if err := r.Close(); err != nil {
		return nil, badAnswer(op, err)
	}
	return list, nil
}

// Leased returns the message that a receipt is for, with nothing but that: for programs that get receipts from elsewhere.
// A text that is no receipt is ErrInvalid.
func (q *Queue) Leased(queue, receipt string) (*Message, error) {
	t, err := wire.ParseReceipt(receipt)
	if err != nil {
		return nil, err
	}
	return &Message{
		ID: t.ID.String(), Receipt: receipt, Attempt: int(t.Attempt), Priority: t.ID.Priority(), State: MessageLeased, Queue: queue,
		queue: q, receipt: t,
	}, nil
}

// Ack says that the message has been dealt with: it is removed. ErrOutcomeUnknown if the answer was lost; then a second Ack
// that is ErrFenced may mean that the first one did it.
func (m *Message) Ack() error {
	if err := m.held(); err != nil {
		return err
	}
	k := newCall(wire.OpQueueAck, false)
	k.receipts[0] = m.receipt
	k.ack = wire.QueueAck{Queue: k.bytes(m.Queue), Receipts: k.receipts[:]}
	k.payload = &k.ack
	err := m.queue.client.do(k)
	k.release()
	return err
}

// Nack gives the message back: it is delivered again, now or after Delay, at its old place. A message that was delivered as
// often as its queue allows goes to the dead-letter queue instead.
func (m *Message) Nack(opts ...NackOption) error {
	p := wire.QueueNack{Queue: []byte(m.Queue), Receipt: m.receipt}
	for _, o := range opts {
		o.nack(&p)
	}
	return m.settle(wire.OpQueueNack, &p)
}

// Reject says that nobody can deal with the message: it goes to the dead-letter queue, or is discarded where there is none.
func (m *Message) Reject(opts ...RejectOption) error {
	p := wire.QueueNack{Queue: []byte(m.Queue), Receipt: m.receipt}
	for _, o := range opts {
		o.reject(&p)
	}
	return m.settle(wire.OpQueueReject, &p)
}

func (m *Message) settle(op wire.Op, p *wire.QueueNack) error {
	if err := m.held(); err != nil {
		return err
	}
	_, err := m.queue.ask(op, false, p)
	return err
}

// Extend makes the lease end d from now, 1 ms to 12 hours, and sets LeasedUntil.
func (m *Message) Extend(d time.Duration) error { return m.extend(m.queue, d) }

func (m *Message) extend(q *Queue, d time.Duration) error {
	if err := m.held(); err != nil {
		return err
	}
	k := newCall(wire.OpQueueExtend, false)
	k.payload = &wire.QueueExtend{Queue: []byte(m.Queue), Receipt: m.receipt, Lease: max(milliseconds(d), 1)}
	k.repeat = true // it counts from then on
	err := q.client.do(k)
	until := k.resp.Num
	k.release()
	if err != nil {
		return err
	}
	m.LeasedUntil = expires(until)
	return nil
}

// held reports an error if the message was not leased.
func (m *Message) held() error {
	if m.queue == nil || m.Receipt == "" {
		return wire.Errorf(wire.Invalid, "flin: message %q of queue %q is not leased by this program: it was not got by Lease or Receive", m.ID, m.Queue)
	}
	return nil
}
