package flin

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// fakeQueue is a server's one queue, without time: leases end when a test says so.
type fakeQueue struct {
	t testing.TB
	f *fake

	mu      sync.Mutex // guards what follows
	next    uint64
	ready   []fakeMessage
	leased  map[wire.MessageID]fakeMessage
	waiting []fakeWaiter
	said    []string                           // what became of messages, in order
	told    chan struct{}                      // has an element after each of them
	hook    func(c *fakeConn, r *wire.Request) // called first, with mu held
	stale   bool                               // every receipt is
	once    bool                               // a message is delivered once only
	hold    bool                               // acknowledgements are kept in held
	held    []heldAck
	holding chan int // gets how many receipts each of them has
}

type fakeMessage struct {
	id      wire.MessageID
	attempt uint32
	body    string
}

type fakeWaiter struct {
	c   *fakeConn
	tag uint64
	n   int
}

// heldAck is an acknowledgement that is not executed yet.
type heldAck struct {
	receipts []wire.Receipt
	answer   func() // called with mu held
}

func newFakeQueue(t testing.TB, bodies ...string) *fakeQueue {
	q := &fakeQueue{t: t, f: newFake(t), leased: map[wire.MessageID]fakeMessage{}, told: make(chan struct{}, 1000), holding: make(chan int, 100)}
	for _, b := range bodies {
		q.next++
		q.ready = append(q.ready, fakeMessage{id: wire.NewMessageID(0, q.next), body: b})
	}
	q.f.onRequest(q.serve)
	return q
}

// await returns what became of the first n messages.
func (q *fakeQueue) await(n int) []string {
	for range n {
		<-q.told
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.said)
}

// waiters returns how many leases wait.
func (q *fakeQueue) waiters() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// readies returns how many messages nobody has leased.
func (q *fakeQueue) readies() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ready)
}

func (q *fakeQueue) serve(c *fakeConn, req *wire.Request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.hook != nil {
		q.hook(c, req)
	}
	switch req.Op {
	case wire.OpQueueInfo:
		info := wire.QueueInfo{Name: jobs, Settings: wire.QueueSettings{Lease: 90}}
		if q.once {
			info.Settings.MaxDeliver = 1
		}
		c.answer(req.Tag, wire.Response{Body: info.Append(nil)})
	case wire.OpQueueLease:
		var m wire.QueuePop
		q.check(m.Decode(req.Body))
		if m.Wait == 0 && len(q.ready) == 0 {
			c.answer(req.Tag, wire.Failf(wire.Empty, "nothing is there"))
			return true
		}
		q.waiting = append(q.waiting, fakeWaiter{c, req.Tag, int(m.Count)})
		q.deliver()
	case wire.OpQueueAck:
		var m wire.QueueAck
		q.check(m.Decode(req.Body))
		if q.hold {
			q.held = append(q.held, heldAck{m.Receipts, func() { q.acknowledge(c, req, m.Receipts) }})
			q.holding <- len(m.Receipts)
			return true
		}
		q.acknowledge(c, req, m.Receipts)
	case wire.OpQueueNack, wire.OpQueueReject:
		var m wire.QueueNack
		q.check(m.Decode(req.Body))
		what := fmt.Sprintf("nack %q after %d", m.Error, m.Delay)
		if req.Op == wire.OpQueueReject {
			what = fmt.Sprintf("reject %q", m.Error)
		}
		q.settle(c, req, m.Receipt.ID, what, false)
	case wire.OpQueueExtend:
		var m wire.QueueExtend
		q.check(m.Decode(req.Body))
		if q.stale {
			c.answer(req.Tag, wire.Failf(wire.Fenced, "stale"))
			return true
		}
		c.answer(req.Tag, wire.Response{Num: int64(m.Lease)})
	case wire.OpCancel:
		var m wire.Credit
		q.check(m.Decode(req.Body))
		for i, w := range q.waiting {
			if w.tag == m.Tag {
				q.waiting = slices.Delete(q.waiting, i, i+1)
				c.answer(m.Tag, wire.Failf(wire.Canceled, "canceled"))
				break
			}
		}
	default:
		q.t.Errorf("%v was asked for", req.Op)
	}
	return true
}

func (q *fakeQueue) check(err error) {
	if err != nil {
		q.t.Error(err)
	}
}

// release answers the first acknowledgement that is held.
func (q *fakeQueue) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held[0].answer()
	q.held = q.held[1:]
}

// acknowledge answers as the server does: one receipt by a code, several by one each.
func (q *fakeQueue) acknowledge(c *fakeConn, req *wire.Request, receipts []wire.Receipt) {
	if len(receipts) == 1 {
		q.settle(c, req, receipts[0].ID, "ack", false)
		return
	}
	resp := wire.Response{Body: make([]byte, len(receipts))}
	for i, r := range receipts {
		if _, ok := q.leased[r.ID]; !ok || q.stale {
			resp.Body[i] = byte(wire.Fenced)
			continue
		}
		resp.Num++
		q.settle(c, req, r.ID, "ack", true)
	}
	if int(resp.Num) == len(receipts) {
		resp.Body = nil
	}
	c.answer(req.Tag, resp)
}

func (q *fakeQueue) settle(c *fakeConn, req *wire.Request, id wire.MessageID, what string, quiet bool) {
	m, ok := q.leased[id]
	if !ok || q.stale {
		c.answer(req.Tag, wire.Failf(wire.Fenced, "stale"))
		return
	}
	delete(q.leased, id)
	q.said = append(q.said, m.body+": "+what)
	q.told <- struct{}{}
	if !quiet {
		c.answer(req.Tag, wire.Response{Num: 1})
	}
}

func (q *fakeQueue) push(body string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.next++
	q.ready = append(q.ready, fakeMessage{id: wire.NewMessageID(0, q.next), body: body})
	q.deliver()
}

// deliver serves those who wait.
func (q *fakeQueue) deliver() {
	for len(q.waiting) > 0 && len(q.ready) > 0 {
		w := q.waiting[0]
		q.waiting = q.waiting[1:]
		var resp wire.Response
		for len(q.ready) > 0 && int(resp.Num) < w.n {
			m := q.ready[0]
			q.ready = q.ready[1:]
			m.attempt++
			q.leased[m.id] = m
			resp.Num++
			resp.Body = wire.AppendDelivery(resp.Body, &wire.QueueDelivery{
				Receipt: wire.Receipt{ID: m.id, Attempt: m.attempt, Nonce: 1}, State: wire.DeliveryLeased, Until: 1, Body: []byte(m.body),
			})
		}
		w.c.answer(w.tag, resp)
	}
}
