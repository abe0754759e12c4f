package resp

import (
	"fmt"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// fakeQueues answers each operation on queues and topics with what a test says, and keeps what it was asked. Pops and fetches
// without an answer wait.
type fakeQueues struct {
	tb testing.TB

	mu       sync.Mutex // guards what follows
	answers  map[wire.Op]wire.Response
	asked    []string // the operation and its payload, decoded
	waiting  []fakePop
	canceled chan struct{} // has an element for each pop that was withdrawn
}

type fakePop struct {
	tag uint64
	r   wire.Replier
	req wire.Request
}

func newFakeQueues(tb testing.TB) *fakeQueues {
	return &fakeQueues{tb: tb, answers: map[wire.Op]wire.Response{}, canceled: make(chan struct{}, 100)}
}

func (q *fakeQueues) submit(req wire.Request, r wire.Replier) {
	q.mu.Lock()
	q.asked = append(q.asked, q.decode(&req))
	resp, ok := q.answers[req.Op]
	if !ok {
		q.waiting = append(q.waiting, fakePop{req.Tag, r, req})
	}
	q.mu.Unlock()
	if ok {
		r.Reply(req.Tag, resp)
	}
}

// cancel withdraws a pop that waits.
func (q *fakeQueues) cancel(r wire.Replier, tag uint64) {
	q.mu.Lock()
	found := false
	for i, p := range q.waiting {
		if p.r == r && p.tag == tag {
			q.waiting = append(q.waiting[:i:i], q.waiting[i+1:]...)
			found = true
			break
		}
	}
	q.mu.Unlock()
	if found {
		q.canceled <- struct{}{}
		r.Reply(tag, wire.Failf(wire.Canceled, "canceled"))
	}
}

// answer answers the pop that has waited longest.
func (q *fakeQueues) answer(resp wire.Response) {
	q.mu.Lock()
	p := q.waiting[0]
	q.waiting = q.waiting[1:]
	q.mu.Unlock()
	p.r.Reply(p.tag, resp)
}

func (q *fakeQueues) set(op wire.Op, resp wire.Response) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.answers[op] = resp
}

func (q *fakeQueues) waiters() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// last returns what was asked last.
func (q *fakeQueues) last() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.asked) == 0 {
		return "nothing"
	}
	return q.asked[len(q.asked)-1]
}

// decode renders a request as a test wants to read it.
func (q *fakeQueues) decode(req *wire.Request) string {
	var err error
	var text string
	switch req.Op {
	case wire.OpQueuePush:
		var m wire.QueuePush
		err = m.Decode(req.Body)
		text = string(m.Queue)
		for _, one := range m.Messages {
			text += fmt.Sprintf(" {%d %d %d %s %s %d", one.Flags, one.NotBefore, one.Priority, one.Dedup, one.Group, one.TTL)
			for _, h := range one.Headers {
				text += fmt.Sprintf(" %s=%s", h.Name, h.Value)
			}
			text += fmt.Sprintf(": %s}", one.Body)
		}
	case wire.OpQueuePop, wire.OpQueueLease:
		var m wire.QueuePop
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %d %d %d", m.Queue, m.Count, m.Wait, m.Lease)
	case wire.OpQueueAck:
		var m wire.QueueAck
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %v", m.Queue, m.Receipts)
	case wire.OpQueueNack, wire.OpQueueReject:
		var m wire.QueueNack
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %v %d %s", m.Queue, m.Receipt, m.Delay, m.Error)
	case wire.OpQueueExtend:
		var m wire.QueueExtend
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %v %d", m.Queue, m.Receipt, m.Lease)
	case wire.OpQueuePeek:
		var m wire.QueuePeek
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %d", m.Queue, m.Count)
	case wire.OpQueueGet, wire.OpQueueRemove:
		var m wire.QueueMessageID
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %v", m.Queue, m.ID)
	case wire.OpQueueCreate:
		var m wire.QueueCreate
		err = m.Decode(req.Body)
		s := m.Settings
		text = fmt.Sprintf("%s %d %d %d %s %d %d %d", m.Queue, m.Fields, s.Lease, s.MaxDeliver, s.DeadLetter, s.MaxLen, s.Overflow, s.TTL)
	case wire.OpQueueList:
		var m wire.QueueList
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %s %d", m.After, m.Match, m.Limit)
	case wire.OpQueueRedrive:
		var m wire.QueueRedrive
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %d", m.Queue, m.Count)
	default:
		if req.Op.Engine() == wire.EngineDoc {
			text, err = decodeDoc(req)
			break
		}
		text, err = decodeStream(req)
	}
	if err != nil {
		q.tb.Errorf("%v: % x: %v", req.Op, req.Body, err)
	}
	return fmt.Sprint(req.Op, " ", text)
}
