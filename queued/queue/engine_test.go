package queue

import (
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// contract is what enginetest must know of this engine. The names of its queues are longer than what the suite leaves of a
// payload that it cuts, so that no rest of a pop is one that waits.
func contract() enginetest.Spec {
	counter, line := []byte("contract:the-counter"), []byte("contract:the-line")
	pushing := func(queue, body []byte) wire.Request {
		m := wire.QueuePush{Queue: queue, Messages: []wire.QueueMessage{{Body: body}}}
		return wire.Request{Op: wire.OpQueuePush, Body: m.Append(nil)}
	}
	spec := enginetest.Spec{
		Ops: map[wire.Op][]wire.Code{
			wire.OpQueuePush:    nil,
			wire.OpQueuePop:     {wire.Empty},
			wire.OpQueuePeek:    nil,
			wire.OpQueueLen:     nil,
			wire.OpQueueClear:   {wire.NotFound},
			wire.OpQueueLease:   {wire.Empty},
			wire.OpQueueAck:     {wire.Fenced},
			wire.OpQueueNack:    {wire.Fenced},
			wire.OpQueueExtend:  {wire.Fenced},
			wire.OpQueueReject:  {wire.Fenced},
			wire.OpQueueInfo:    {wire.NotFound},
			wire.OpQueueList:    nil,
			wire.OpQueueCreate:  nil,
			wire.OpQueueGet:     {wire.NotFound},
			wire.OpQueueRemove:  {wire.NotFound},
			wire.OpQueueDelete:  {wire.NotFound},
			wire.OpQueueRedrive: {wire.NotFound},
			wire.OpQueuePause:   {wire.NotFound},
			wire.OpQueueResume:  {wire.NotFound},
		},
		Own: []wire.Op{wire.OpQueueTick, wire.OpQueueReturn, wire.OpQueueCollect},
		Write: func(n int) wire.Request {
			m := wire.QueueCreate{Queue: counter, Fields: wire.QueueHasMaxLen, Settings: wire.QueueSettings{MaxLen: uint64(n)}}
			return wire.Request{Op: wire.OpQueueCreate, Body: m.Append(nil)}
		},
		Read: func() wire.Request {
			m := wire.QueueName{Queue: counter}
			return wire.Request{Op: wire.OpQueueInfo, Body: m.Append(nil)}
		},
		Found: func(resp *wire.Response) (int, error) {
			if resp.Code == wire.NotFound {
				return 0, nil
			}
			if err := resp.Err(); err != nil {
				return 0, err
			}
			var info wire.QueueInfo
			err := info.Decode(resp.Body)
			return int(info.Settings.MaxLen), err
		},
		Wait: func(int) wire.Request {
			m := wire.QueuePop{Queue: line, Count: 1, Wait: wire.MaxWait}
			return wire.Request{Op: wire.OpQueuePop, Body: m.Append(nil)}
		},
		Feed: func() wire.Request { return pushing(line, []byte("fed")) },
		Large: func(i int, b []byte) (write, read wire.Request) {
			q := fmt.Append(nil, "contract:large:", i)
			peek := wire.QueuePeek{Queue: q, Count: 1}
			return pushing(q, b), wire.Request{Op: wire.OpQueuePeek, Body: peek.Append(nil)}
		},
	}
	sample := func(op wire.Op, m payload) {
		spec.Samples = append(spec.Samples, wire.Request{Op: op, Body: m.Append(nil)})
	}
	q := []byte("contract:the-samples")
	receipt := wire.Receipt{ID: wire.NewMessageID(0, 1), Attempt: 1, Nonce: 7}
	sample(wire.OpQueueCreate, &wire.QueueCreate{Queue: q, Fields: wire.QueueHasLease, Settings: wire.QueueSettings{Lease: 1000}})
	sample(wire.OpQueuePush, &wire.QueuePush{Queue: q, Messages: []wire.QueueMessage{
		{Body: []byte("a")},
		{Flags: wire.MessagePriority | wire.MessageHeaders, Priority: 5, Headers: []wire.Header{{Name: []byte("n"), Value: []byte("v")}}, Body: []byte("b")},
		{Flags: wire.MessageGroup | wire.MessageDedup, Group: []byte("g"), Dedup: []byte("d"), Body: []byte("c")},
	}})
	sample(wire.OpQueuePeek, &wire.QueuePeek{Queue: q, Count: 10})
	sample(wire.OpQueueLen, &wire.QueueName{Queue: q})
	sample(wire.OpQueueInfo, &wire.QueueName{Queue: q})
	sample(wire.OpQueueList, &wire.QueueList{Limit: 10})
	sample(wire.OpQueuePop, &wire.QueuePop{Queue: q, Count: 1})
	sample(wire.OpQueueLease, &wire.QueuePop{Queue: q, Count: 2, Lease: 60_000})
	sample(wire.OpQueueAck, &wire.QueueAck{Queue: q, Receipts: []wire.Receipt{receipt}})
	sample(wire.OpQueueNack, &wire.QueueNack{Queue: q, Receipt: receipt, Error: []byte("no")})
	sample(wire.OpQueueExtend, &wire.QueueExtend{Queue: q, Receipt: receipt, Lease: 1000})
	sample(wire.OpQueueReject, &wire.QueueNack{Queue: q, Receipt: receipt})
	sample(wire.OpQueueGet, &wire.QueueMessageID{Queue: q, ID: receipt.ID})
	sample(wire.OpQueueRemove, &wire.QueueMessageID{Queue: q, ID: receipt.ID})
	sample(wire.OpQueuePause, &wire.QueueName{Queue: q})
	sample(wire.OpQueueResume, &wire.QueueName{Queue: q})
	sample(wire.OpQueueRedrive, &wire.QueueRedrive{Queue: q})
	sample(wire.OpQueueClear, &wire.QueueName{Queue: q})
	sample(wire.OpQueueDelete, &wire.QueueName{Queue: q})
	return spec
}

func TestTheEngineKeepsItsContract(t *testing.T) {
	worlds.Contract(t, contract())
}

func TestWhatWasAnsweredIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	w := worlds.Start(t, dir, nil)
	w.push("q", numbered(1, 500)...)
	for range 3 {
		w.Must(wire.OpQueuePop, &wire.QueuePop{Queue: []byte("q"), Count: 50})
	}
	resp := w.Must(wire.OpQueueLease, &wire.QueuePop{Queue: []byte("q"), Count: 2, Lease: 3600_000})
	leased := deliveries(t, &resp)
	w.Must(wire.OpQueueAck, &wire.QueueAck{Queue: []byte("q"), Receipts: []wire.Receipt{leased[0].Receipt}})
	w.Stop()

	w = worlds.Start(t, dir, nil)
	if resp := w.Do(wire.OpQueueAck, &wire.QueueAck{Queue: []byte("q"), Receipts: []wire.Receipt{leased[0].Receipt}}, 0); resp.Code != wire.Fenced {
		t.Errorf("what was acknowledged could be acknowledged again: %v", resp.Code)
	}
	w.Must(wire.OpQueueAck, &wire.QueueAck{Queue: []byte("q"), Receipts: []wire.Receipt{leased[1].Receipt}})
	left := w.drain("q")
	if len(left) != 348 || left[0] != "153" || left[347] != "500" {
		t.Errorf("%d messages are left, from %q to %q", len(left), left[0], left[len(left)-1])
	}
}

func TestAnInvalidRequestNeverReachesTheLog(t *testing.T) {
	w := worlds.New(t, nil)
	before := w.Group.Status().Proposed
	for i, resp := range []wire.Response{
		w.Do(wire.OpQueuePush, &wire.QueuePush{Queue: []byte("no name"), Messages: []wire.QueueMessage{{}}}, 0),
		w.Do(wire.OpQueuePush, &wire.QueuePush{Queue: []byte("q")}, 0),
		w.Do(wire.OpQueuePop, &wire.QueuePop{Queue: []byte("q")}, 0),
		w.Do(wire.OpQueuePop, &wire.QueuePop{Queue: []byte("q"), Count: 1, Wait: wire.MaxWait + 1}, 0),
		w.Do(wire.OpQueueLease, &wire.QueuePop{Queue: []byte("q"), Count: 1, Lease: wire.MaxLease + 1}, 0),
		w.Do(wire.OpQueuePeek, &wire.QueuePeek{Queue: []byte("q"), Count: wire.MaxPeek + 1}, 0),
	} {
		if resp.Code != wire.Invalid || len(resp.Body) == 0 {
			t.Errorf("invalid request %d was answered %v %s", i, resp.Code, resp.Body)
		}
	}
	if n := w.Group.Status().Proposed - before; n != 0 {
		t.Errorf("%d commands were proposed", n)
	}
}

func TestEveryMetricCanBeCollected(t *testing.T) {
	w := worlds.New(t, nil)
	w.push("q", "a", "b")
	if n := collected(t, w, "flin_queue_messages_ready"); n != 2 {
		t.Errorf("%v messages are ready", n)
	}
	c := newClient(t, w)
	c.pop(1, "other", 1, long)
	w.parked(1)
	if n := collected(t, w, "flin_queue_pops_waiting"); n != 1 {
		t.Errorf("%v pops wait", n)
	}
}
