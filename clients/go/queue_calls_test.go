package flin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

var (
	someReceipt = wire.Receipt{ID: wire.NewMessageID(5, 17), Attempt: 2, Nonce: 99}
	jobs        = []byte("jobs")
)

// delivered encodes messages with the bodies given, leased.
func delivered(bodies ...string) wire.Response {
	resp := wire.Response{Num: int64(len(bodies))}
	for i, b := range bodies {
		t := someReceipt
		t.ID += wire.MessageID(i)
		resp.Body = wire.AppendDelivery(resp.Body, &wire.QueueDelivery{
			Receipt: t, State: wire.DeliveryLeased, PushedAt: 1_900_000_000_000, Until: 1_900_000_030_000, Group: []byte("g"),
			Headers: []wire.Header{{Name: []byte("h"), Value: []byte("v")}}, Body: []byte(b),
		})
	}
	return resp
}

func pushed(ids ...wire.MessageID) wire.Response {
	resp := wire.Response{Num: int64(len(ids))}
	for _, id := range ids {
		resp.Body = binary.BigEndian.AppendUint64(resp.Body, uint64(id))
	}
	return resp
}

// TestEveryQueueCallSendsItsPayload looks at the frames, and at what becomes of a made-up answer.
func TestEveryQueueCallSendsItsPayload(t *testing.T) {
	f := newFake(t)
	q := connect(t, f.addr()).Queue
	held, err := q.Leased("jobs", someReceipt.String())
	must(t, err)
	at := time.UnixMilli(1_900_000_000_000)
	settings := wire.QueueSettings{Lease: 30_000, MaxDeliver: 10, DeadLetter: []byte("dead"), MaxLen: 7, Overflow: wire.QueueDrop, TTL: 9, Window: 5}
	all := wire.QueueHasLease | wire.QueueHasMaxDeliver | wire.QueueHasDeadLetter | wire.QueueHasMaxLen | wire.QueueHasOverflow | wire.QueueHasTTL | wire.QueueHasWindow
	info := wire.QueueInfo{Name: jobs, Settings: settings, Paused: true, Created: at.UnixMilli(), Ready: 1, Dead: 2, Pushed: 3, PushRate: 25}
	goSettings := QueueSettings{
		LeaseTime: 30 * time.Second, MaxDeliveries: 10, DeadLetter: "dead", MaxLength: 7, Overflow: DropOldest, MessageTTL: 9 * time.Millisecond,
		DedupWindow: 5 * time.Millisecond,
	}
	push := func(m ...wire.QueueMessage) payload { return &wire.QueuePush{Queue: jobs, Messages: m} }
	name := &wire.QueueName{Queue: jobs}
	done := func(err error) (any, error) { return 0, err }
	cases := []callCase{
		{"push", wire.OpQueuePush, push(wire.QueueMessage{Body: []byte("b")}), pushed(1), func() (any, error) { return done(q.Push("jobs", []byte("b"))) }, "0"},
		{
			"put with everything", wire.OpQueuePush,
			push(wire.QueueMessage{
				Flags:     wire.MessageDelayed | wire.MessagePriority | wire.MessageDedup | wire.MessageGroup | wire.MessageTTL | wire.MessageHeaders,
				NotBefore: 1500, Priority: 5, Dedup: []byte("d"), Group: []byte("g"), TTL: 2,
				Headers: []wire.Header{{Name: []byte("a"), Value: []byte("1")}, {Name: []byte("b"), Value: []byte("2")}}, Body: []byte("b"),
			}),
			pushed(wire.NewMessageID(5, 17)),
			func() (any, error) {
				return q.Put("jobs", []byte("b"), NotBefore(at), Delay(1500*time.Millisecond), Priority(5), DedupID("d"), GroupKey("g"),
					MessageTTL(1500*time.Microsecond), Headers(map[string]string{"b": "2", "a": "1"}))
			}, "17-5",
		},
		{
			"push later", wire.OpQueuePush, push(wire.QueueMessage{Flags: wire.MessageAt | wire.MessageTTL, NotBefore: at.UnixMilli(), TTL: 1}), pushed(1),
			func() (any, error) {
				return done(q.Push("jobs", nil, Delay(1), NotBefore(at), GroupKey("g"), GroupKey(""), MessageTTL(-1), Headers(nil)))
			}, "0",
		},
		{
			"push a batch", wire.OpQueuePush,
			push(wire.QueueMessage{Flags: wire.MessageDedup, Dedup: []byte("d#0"), Body: []byte("a")}, wire.QueueMessage{Flags: wire.MessageDedup, Dedup: []byte("d#1"), Body: []byte("b")}),
			pushed(wire.NewMessageID(0, 1), wire.NewMessageID(0, 2)),
			func() (any, error) { return q.PushBatch("jobs", [][]byte{[]byte("a"), []byte("b")}, DedupID("d")) }, "[1 2]",
		},
		{
			"pop", wire.OpQueuePop, &wire.QueuePop{Queue: jobs, Count: 1}, delivered("b"),
			func() (any, error) { b, err := q.Pop("jobs"); return string(b), err }, "b",
		},
		{
			"pop and wait", wire.OpQueuePop, &wire.QueuePop{Queue: jobs, Count: 1, Wait: 1500}, delivered(""),
			func() (any, error) {
				b, err := q.Pop("jobs", Wait(1500*time.Millisecond))
				return fmt.Sprint(b != nil, len(b)), err
			}, "true 0",
		},
		{
			"pop a batch", wire.OpQueuePop, &wire.QueuePop{Queue: jobs, Count: 3, Wait: 1}, delivered("b", "c"),
			func() (any, error) {
				bs, err := q.PopBatch("jobs", 3, Wait(1))
				return string(bytes.Join(bs, []byte(" "))), err
			}, "b c",
		},
		{"len", wire.OpQueueLen, name, wire.Response{Num: 4}, func() (any, error) { return q.Len("jobs") }, "4"},
		{
			"lease", wire.OpQueueLease, &wire.QueuePop{Queue: jobs, Count: 1, Wait: 2000, Lease: 60_000}, delivered("b"),
			func() (any, error) {
				m, err := q.Lease("jobs", Wait(2*time.Second), For(time.Minute))
				if err != nil {
					return nil, err
				}
				return fmt.Sprint(m.ID, " ", m.Receipt == someReceipt.String(), " ", m.Attempt, string(m.Body), m.Headers, m.Priority, m.GroupKey,
					m.PushedAt.Equal(at), m.LeasedUntil.Equal(at.Add(30*time.Second)), m.DelayedUntil.IsZero(), m.Expires.IsZero(), m.Queue), nil
			}, "17-5 true 2bmap[h:v] 5gtrue true true truejobs",
		},
		{
			"lease a batch", wire.OpQueueLease, &wire.QueuePop{Queue: jobs, Count: 10}, delivered("b", "c"),
			func() (any, error) {
				ms, err := q.LeaseBatch("jobs", 10)
				return fmt.Sprint(len(ms), ms[0].ID, " ", ms[1].ID, " ", string(ms[1].Body)), err
			}, "217-5 18-5 c",
		},
		{"ack", wire.OpQueueAck, &wire.QueueAck{Queue: jobs, Receipts: []wire.Receipt{someReceipt}}, wire.Response{Num: 1, Body: []byte{0}}, func() (any, error) { return done(held.Ack()) }, "0"},
		{
			"ack a batch", wire.OpQueueAck, &wire.QueueAck{Queue: jobs, Receipts: []wire.Receipt{someReceipt, someReceipt}},
			wire.Response{Num: 2, Body: []byte{0, 0}},
			func() (any, error) { return q.AckBatch([]*Message{held, held}) }, "2",
		},
		{
			"nack", wire.OpQueueNack, &wire.QueueNack{Queue: jobs, Receipt: someReceipt, Delay: 5000, Error: []byte("why")},
			wire.Response{},
			func() (any, error) { return done(held.Nack(Delay(5*time.Second), Reason("why"))) }, "0",
		},
		{
			"reject", wire.OpQueueReject, &wire.QueueNack{Queue: jobs, Receipt: someReceipt, Error: []byte(strings.Repeat("e", wire.MaxErrorText))},
			wire.Response{},
			func() (any, error) { return done(held.Reject(Reason(strings.Repeat("e", 10_000)))) }, "0",
		},
		{
			"extend", wire.OpQueueExtend, &wire.QueueExtend{Queue: jobs, Receipt: someReceipt, Lease: 60_000},
			wire.Response{Num: at.UnixMilli()},
			func() (any, error) { err := held.Extend(time.Minute); return held.LeasedUntil.Equal(at), err }, "true",
		},
		{
			"peek", wire.OpQueuePeek, &wire.QueuePeek{Queue: jobs, Count: 1}, delivered("b"),
			func() (any, error) { b, err := q.Peek("jobs"); return string(b), err }, "b",
		},
		{
			"get", wire.OpQueueGet, &wire.QueueMessageID{Queue: jobs, ID: wire.NewMessageID(5, 17)}, delivered("b"),
			func() (any, error) {
				m, err := q.GetMessage("jobs", "17-5")
				return fmt.Sprint(m.ID, m.State == MessageLeased, m.Receipt == "", errors.Is(m.Ack(), ErrInvalid)), err
			}, "17-5true true true",
		},
		{"remove", wire.OpQueueRemove, &wire.QueueMessageID{Queue: jobs, ID: wire.NewMessageID(0, 17)}, wire.Response{}, func() (any, error) { return done(q.RemoveMessage("jobs", "17")) }, "0"},
		{"clear", wire.OpQueueClear, name, wire.Response{Num: 4}, func() (any, error) { return done(q.Clear("jobs")) }, "0"},
		{"purge", wire.OpQueueClear, name, wire.Response{Num: 4}, func() (any, error) { return q.Purge("jobs") }, "4"},
		{"delete", wire.OpQueueDelete, name, wire.Response{Num: 4}, func() (any, error) { return q.DeleteQueue("jobs") }, "4"},
		{"pause", wire.OpQueuePause, name, wire.Response{}, func() (any, error) { return done(q.Pause("jobs")) }, "0"},
		{"resume", wire.OpQueueResume, name, wire.Response{}, func() (any, error) { return done(q.Resume("jobs")) }, "0"},
		{"redrive", wire.OpQueueRedrive, &wire.QueueRedrive{Queue: jobs, Count: 3}, wire.Response{Num: 2}, func() (any, error) { return q.Redrive("jobs", Count(3)) }, "2"},
		{"redrive all", wire.OpQueueRedrive, &wire.QueueRedrive{Queue: jobs}, wire.Response{Num: 2}, func() (any, error) { return q.Redrive("jobs") }, "2"},
		{
			"create", wire.OpQueueCreate, &wire.QueueCreate{Queue: jobs, Fields: wire.QueueHasMaxLen | wire.QueueHasOverflow, Settings: wire.QueueSettings{MaxLen: 7, Overflow: wire.QueueDrop}},
			wire.Response{Num: 1},
			func() (any, error) { return q.Create("jobs", MaxLength(7), OnOverflow(DropOldest)) }, "true",
		},
		{
			"configure", wire.OpQueueCreate, &wire.QueueCreate{Queue: jobs, Fields: all, Settings: settings},
			wire.Response{},
			func() (any, error) { return done(q.Configure("jobs", goSettings)) }, "0",
		},
		{
			"info", wire.OpQueueInfo, name,
			wire.Response{Body: info.Append(nil)},
			func() (any, error) {
				i, err := q.Info("jobs")
				return fmt.Sprint(i.Name, i.Paused, i.Created.Equal(at), i.Oldest.IsZero(), i.Ready, i.Dead, i.Pushed, i.PushRate, i.Settings == goSettings), err
			}, "jobstrue true true 1 2 3 2.5 true",
		},
	}
	for _, tc := range cases {
		tc.run(t, f)
	}
}
