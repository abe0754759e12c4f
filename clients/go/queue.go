package flin

import (
	"encoding/binary"
	"strconv"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Queue is the message queues of a server. A queue is made by the first push to it, or by Create; its name is 1 to 249 of
// letters, digits and . _ : - . A message is delivered in the order of priorities, within one first in, first out.
//
// There are two ways to take a message out. Pop removes it at once: a program that dies behind its Pop has lost it. Lease
// keeps it from others for a time; it is removed when it is acknowledged, and delivered anew when it is not. Receive is a
// whole worker on top of Lease.
type Queue struct{ client *Client }

// Push puts a message into a queue. It is on disk, on a majority of the group, when Push returns nil. A push whose answer
// was lost is repeated only if it has a DedupID; else it is ErrOutcomeUnknown. A queue that has its greatest length is
// ErrFull.
func (q *Queue) Push(queue string, body []byte, opts ...PushOption) error {
	k := q.pushCall(queue, body, opts)
	err := q.client.do(k)
	k.release()
	return err
}

// Put is Push, and returns the message's id: that of the first message if its DedupID is remembered.
func (q *Queue) Put(queue string, body []byte, opts ...PushOption) (id string, err error) {
	k := q.pushCall(queue, body, opts)
	err = q.client.do(k)
	answer := k.resp.Body
	k.release()
	if err != nil {
		return "", err
	}
	ids, err := messageIDs(answer, 1)
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

func (q *Queue) pushCall(queue string, body []byte, opts []PushOption) *call {
	k := newCall(wire.OpQueuePush, false)
	m := &k.messages[0]
	m.Body = body
	for _, o := range opts {
		o.push(m)
	}
	k.push = wire.QueuePush{Queue: k.bytes(queue), Messages: k.messages[:]}
	k.payload, k.repeat = &k.push, m.Flags&wire.MessageDedup != 0
	return k
}

// PushBatch puts messages into a queue, all or none, at most 10,000, and returns their ids. The options hold for each of
// them; a DedupID gets # and the message's index behind it, so that it names the batch.
func (q *Queue) PushBatch(queue string, bodies [][]byte, opts ...PushOption) ([]string, error) {
	if err := checkMessages(wire.OpQueuePush, len(bodies)); err != nil || len(bodies) == 0 {
		return nil, err
	}
	var like wire.QueueMessage
	for _, o := range opts {
		o.push(&like)
	}
	m := &wire.QueuePush{Queue: []byte(queue), Messages: make([]wire.QueueMessage, len(bodies))}
	for i := range bodies {
		m.Messages[i] = like
		m.Messages[i].Body = bodies[i]
		if like.Flags&wire.MessageDedup != 0 {
			id := append(like.Dedup[:len(like.Dedup):len(like.Dedup)], '#')
			m.Messages[i].Dedup = strconv.AppendInt(id, int64(i), 10)
		}
	}
	k := newCall(wire.OpQueuePush, false)
	k.payload, k.repeat = m, like.Flags&wire.MessageDedup != 0
	err := q.client.do(k)
	answer := k.resp.Body
	k.release()
	if err != nil {
		return nil, err
	}
	return messageIDs(answer, len(bodies))
}

// messageIDs reads the answer to a push of n messages.
func messageIDs(p []byte, n int) ([]string, error) {
	if len(p) != 8*n {
		return nil, badAnswer(wire.OpQueuePush, wire.ErrTruncated)
	}
	ids := make([]string, n)
	for i := range ids {
		ids[i] = wire.MessageID(binary.BigEndian.Uint64(p[8*i:])).String()
	}
	return ids, nil
}

// Pop takes the next message out of a queue and returns its body, which is the caller's; ErrEmpty if there is none, also
// where there is no such queue. A Pop whose answer is lost is ErrOutcomeUnknown and is not repeated: it may have taken a
// message, which then is lost.
//
// A Pop whose context ends while it waits loses nothing: it asks the server, for at most a second, whether it has taken a
// message, and returns that, or the context's error.
func (q *Queue) Pop(queue string, opts ...PopOption) ([]byte, error) {
	k := q.popCall(wire.OpQueuePop, queue, 1)
	for _, o := range opts {
		o.pop(&k.pop)
	}
	answer, _, err := q.deliver(k)
	if err != nil {
		return nil, err
	}
	var d wire.QueueDelivery
	r := wire.NewReader(answer)
	wire.TakeDelivery(&r, &d)
	if err := r.Close(); err != nil {
		return nil, badAnswer(wire.OpQueuePop, err)
	}
	return d.Body, nil
}

// deliver sends a pop or a lease and returns the list of deliveries and how many the server says they are.
func (q *Queue) deliver(k *call) (list []byte, found int64, err error) {
	k.wait = millisecondsOf(k.pop.Wait)
	err = q.client.do(k)
	list, found = k.resp.Body, k.resp.Num
	k.release()
	return list, found, err
}

// PopBatch takes up to n messages, 1 to 10,000, out of a queue and returns their bodies; ErrEmpty if there is none. It does
// not wait for n to be there, and gives fewer where bodies are together over about 8 MiB.
func (q *Queue) PopBatch(queue string, n int, opts ...PopOption) ([][]byte, error) {
	if err := checkMessages(wire.OpQueuePop, n); err != nil {
		return nil, err
	}
	k := q.popCall(wire.OpQueuePop, queue, n)
	for _, o := range opts {
		o.pop(&k.pop)
	}
	answer, found, err := q.deliver(k)
	if err != nil {
		return nil, err
	}
	bodies := make([][]byte, 0, max(0, min(found, int64(n))))
	var d wire.QueueDelivery
	r := wire.NewReader(answer)
	for r.Len() > 0 {
		wire.TakeDelivery(&r, &d)
		if r.Err() == nil {
			bodies = append(bodies, d.Body)
		}
	}
	if err := r.Close(); err != nil {
		return nil, badAnswer(wire.OpQueuePop, err)
	}
	return bodies, nil
}

// popCall returns a call that takes or leases messages.
func (q *Queue) popCall(op wire.Op, queue string, n int) *call {
	k := newCall(op, false)
	k.pop = wire.QueuePop{Queue: k.bytes(queue), Count: uint64(max(n, 0))}
	k.payload, k.takes = &k.pop, true
	return k
}

// Len returns how many messages of a queue are ready, whether or not their group is free; 0 where there is no such queue.
func (q *Queue) Len(queue string) (int64, error) { return q.byName(wire.OpQueueLen, true, queue) }

// byName makes a call of an operation that needs the queue's name alone and returns the answer's number.
func (q *Queue) byName(op wire.Op, read bool, queue string) (int64, error) {
	k := newCall(op, read)
	k.name.Queue = k.bytes(queue)
	k.payload = &k.name
	err := q.client.do(k)
	n := k.resp.Num
	k.release()
	if err != nil {
		return 0, err
	}
	return n, nil
}

// ask makes a call with a payload that does not lie in the call.
func (q *Queue) ask(op wire.Op, read bool, m payload) (wire.Response, error) {
	return q.client.KV.ask(op, read, m)
}

func checkMessages(op wire.Op, n int) error {
	if n > wire.MaxBatch {
		return wire.Errorf(wire.TooLarge, "flin: %v of %d messages is over the limit of %d", op, n, wire.MaxBatch)
	}
	return nil
}

// milliseconds turns a duration into the protocol's: a part of one counts as a whole, what is not positive as none.
func milliseconds(d time.Duration) uint64 {
	if d <= 0 {
		return 0
	}
	return uint64((d-1)/time.Millisecond) + 1
}

// millisecondsOf is the other way round. What is more than a Duration holds is a year: the server refuses it anyway.
func millisecondsOf(ms uint64) time.Duration {
	const year = 365 * 24 * time.Hour
	return time.Duration(min(ms, uint64(year/time.Millisecond))) * time.Millisecond
}
