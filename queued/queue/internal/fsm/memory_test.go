package fsm

import (
	"fmt"
	"math"
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestAReadyMessageCostsLessThanFortyBytesEvenWhereEachHadAnEntryOfItsOwn(t *testing.T) {
	if testing.Short() {
		t.Skip("it pushes hundreds of thousands of messages")
	}
	const messages, bound = 250_000, 40
	b := newBench(t, store.Options{Dir: t.TempDir()})
	defer b.Close()
	b.m.cache.limit = 64 << 10
	b.Now = 1_000_000
	if err := <-b.Store.Rotate(); err != nil {
		t.Fatal(err)
	}
	body := (&wire.QueuePush{Queue: []byte("jobs"), Messages: []wire.QueueMessage{{Body: []byte("a small job")}}}).Append(nil)
	before := machinetest.HeapInUse()
	for i := range messages {
		b.Now += int64(i & 1)
		if ans := b.Apply(command{Op: wire.OpQueuePush, Body: body})[0]; ans.Num != 1 {
			t.Fatalf("push %d was answered %+v", i, ans)
		}
	}
	if err := <-b.Store.Rotate(); err != nil {
		t.Fatal(err)
	}
	// What Badger has in memory is the same for any number of messages: it is counted by the machine that has none.
	used := machinetest.HeapInUse() - before
	b.m.mu.Lock()
	b.m.queues, b.m.byQID, b.m.sorted, b.m.recent = nil, nil, nil, nil
	b.m.cache = cache{limit: b.m.cache.limit}
	b.m.mu.Unlock()
	rest := machinetest.HeapInUse() - before
	if each := (used - rest) / messages; each >= bound {
		t.Errorf("a message costs %d bytes, the bound is %d", each, bound)
	} else {
		t.Logf("a message costs %d bytes; the store has %d besides", each, rest/messages)
	}
	if err := b.m.Reset(); err != nil {
		t.Fatal(err)
	}
	q := b.m.queues["jobs"]
	if q.ready != messages {
		t.Errorf("after a restart %d messages are ready, not %d", q.ready, messages)
	}
	after := machinetest.HeapInUse() - before - rest
	if each := after / messages; each >= bound {
		t.Errorf("after a restart a message costs %d bytes, the bound is %d", each, bound)
	}
}

func TestTenThousandIdleQueuesCostLittleAndWantNothing(t *testing.T) {
	const queues, bound = 10_000, 4 << 10
	b := newBench(t, store.Options{Dir: t.TempDir()})
	defer b.Close()
	b.Now = 1_000_000
	if err := <-b.Store.Rotate(); err != nil {
		t.Fatal(err)
	}
	before := machinetest.HeapInUse()
	for i := range queues {
		name := []byte(fmt.Sprint("jobs:", i))
		b.One(wire.OpQueuePush, &wire.QueuePush{Queue: name, Messages: []wire.QueueMessage{{Body: []byte("a job")}}})
		if ans := b.One(wire.OpQueuePop, &wire.QueuePop{Queue: name, Count: 1}); ans.Num != 1 {
			t.Fatalf("the message of %s: %+v", name, ans)
		}
	}
	if err := <-b.Store.Rotate(); err != nil {
		t.Fatal(err)
	}
	if each := (machinetest.HeapInUse() - before) / queues; each >= bound {
		t.Errorf("an idle queue costs %d bytes with its part of the store, the bound is %d", each, bound)
	} else {
		t.Logf("an idle queue costs %d bytes with its part of the store", each)
	}
	if due := b.m.Due(); due != math.MaxInt64 {
		t.Errorf("while all queues are idle something is due at %d", due)
	}
	if err := b.m.Reset(); err != nil {
		t.Fatal(err)
	}
	if n, due := b.m.Totals().Queues, b.m.Due(); n != queues || due != math.MaxInt64 {
		t.Errorf("after a restart there are %d queues, and something is due at %d", n, due)
	}
}

func TestAPoppedMessageLeavesNothingInMemoryOrInTheStore(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.Now = 1_000_000
	p := newPlayer(77)
	for range 50 {
		m := wire.QueuePush{Queue: []byte("jobs")}
		for range 20 {
			x := p.message()
			x.Flags &^= wire.MessageDelayed | wire.MessageDedup | wire.MessageTTL
			m.Messages = append(m.Messages, x)
		}
		b.One(wire.OpQueuePush, &m)
	}
	for b.One(wire.OpQueuePop, &wire.QueuePop{Queue: []byte("jobs"), Count: 7}).Code == wire.OK {
		b.Now++
	}
	q := b.m.queues["jobs"]
	if q.total() != 0 || len(q.groups) != 0 || b.m.cache.bytes != 0 || b.m.wakes.Len() != 0 {
		t.Errorf("left are %d messages, %d groups, %d bytes of cache, %d alarms", q.total(), len(q.groups), b.m.cache.bytes, b.m.wakes.Len())
	}
	for _, l := range q.lanes {
		if l.chunks != 0 || len(l.blocks) != 0 || l.back.len() != 0 {
			t.Errorf("priority %d has %d chunks left", l.prio, l.chunks)
		}
	}
	keys := 0
	v := b.Store.View()
	defer v.Close()
	if err := v.Iterate(nil, nil, store.IterOptions{}, func([]byte, store.Value) bool { keys++; return true }); err != nil {
		t.Fatal(err)
	}
	if keys != 2 {
		t.Errorf("the store has %d keys, not the queue and the next number alone:\n%s", keys, b.Dump())
	}
}
