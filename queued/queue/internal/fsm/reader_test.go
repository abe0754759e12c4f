package fsm

import (
	"fmt"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestReadersBesideTheLogSeeWholeMessagesInTheirOrder(t *testing.T) {
	b := newBench(t, store.Options{Dir: t.TempDir()})
	defer b.Close()
	b.m.cache.limit = 32 << 10 // readers have to go to the store
	p := newPlayer(9)
	p.record(b, 100)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for _, op := range []wire.Op{wire.OpQueuePeek, wire.OpQueueInfo, wire.OpQueueList, wire.OpQueueGet, wire.OpQueueLen} {
		readers.Go(func() {
			var buf []byte
			for n := uint64(0); ; n++ {
				select {
				case <-done:
					return
				default:
				}
				ans := b.m.Read(op, readPayload(op, n), buf[:0])
				if err := wholesome(op, &ans); err != nil {
					t.Error(err)
					return
				}
				buf = ans.Body
			}
		})
	}
	for i := range 400 {
		p.record(b, 1)
		if i%100 == 50 {
			<-b.Store.Rotate()
		}
		b.m.Totals()
	}
	close(done)
	readers.Wait()
}

func readPayload(op wire.Op, n uint64) []byte {
	switch op {
	case wire.OpQueuePeek:
		return (&wire.QueuePeek{Queue: []byte("a"), Count: 20}).Append(nil)
	case wire.OpQueueList:
		return (&wire.QueueList{}).Append(nil)
	case wire.OpQueueGet:
		return (&wire.QueueMessageID{Queue: []byte("a"), ID: wire.NewMessageID(0, n%300)}).Append(nil)
	}
	return []byte("a")
}

// wholesome says what is wrong with an answer, whatever the moment.
func wholesome(op wire.Op, ans *wire.Response) error {
	switch ans.Code {
	case wire.OK:
	case wire.NotFound, wire.Busy:
		return nil
	default:
		return fmt.Errorf("%v was answered %v %s", op, ans.Code, ans.Body)
	}
	if op != wire.OpQueuePeek && op != wire.OpQueueGet {
		return nil
	}
	prio := 255
	for _, d := range deliveries(ans.Body) {
		if string(d.Body[:8]) != "message " {
			return fmt.Errorf("%v delivered %.30q", op, d.Body)
		}
		p := int(d.Receipt.ID.Priority())
		if p > prio {
			return fmt.Errorf("%v delivered priority %d behind %d", op, p, prio)
		}
		prio = p
	}
	return nil
}

func TestOneEntryOfPopsWritesABoundedNumberOfKeys(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.Now = 1000
	push := (&wire.QueuePush{Queue: []byte("jobs"), Messages: []wire.QueueMessage{{Body: []byte("x")}}}).Append(nil)
	const messages = entryBudget + 3000
	for range messages {
		b.Apply(command{Op: wire.OpQueuePush, Body: push}) // a chunk each
	}
	pop := command{Op: wire.OpQueuePop, Body: (&wire.QueuePop{Queue: []byte("jobs"), Count: 5000}).Append(nil)}
	got := int64(0)
	for i, ans := range b.Apply(pop, pop, pop, pop) {
		got += ans.Num
		if i < 3 && ans.Code != wire.OK || i == 3 && ans.Code != wire.Busy {
			t.Errorf("pop %d was answered %v, %d messages", i, ans.Code, ans.Num)
		}
	}
	if got != entryBudget {
		t.Errorf("one entry popped %d messages of single chunks, the bound is %d", got, entryBudget)
	}
	if n := b.ready["jobs"]; n != messages-entryBudget {
		t.Errorf("OnReady was told of %d messages, %d are left", n, messages-entryBudget)
	}
	if ans := b.Apply(pop)[0]; ans.Num != 3000 {
		t.Errorf("the next entry popped %d of the 3000 that were left", ans.Num)
	}
}

func TestAnAnswerEndsWithTheMessageThatFillsIt(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.Now = 1000
	for range 4 {
		b.One(wire.OpQueuePush, &wire.QueuePush{Queue: []byte("q"), Messages: []wire.QueueMessage{{Body: make([]byte, 3<<20)}}})
	}
	pop := wire.QueuePop{Queue: []byte("q"), Count: 10}
	if ans := b.One(wire.OpQueuePop, &pop); ans.Num != 3 {
		t.Errorf("an answer has %d messages of 3 MiB, not 3", ans.Num)
	}
	if ans := b.One(wire.OpQueuePeek, &wire.QueuePeek{Queue: []byte("q"), Count: 9}); ans.Num != 1 {
		t.Errorf("%d messages are left, not 1", ans.Num)
	}
}

func TestAQueueRemembersABoundedNumberOfDedupIDs(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.Now = 1000
	m := wire.QueuePush{Queue: []byte("q"), Messages: []wire.QueueMessage{{Flags: wire.MessageDedup, Dedup: []byte("one")}}}
	b.One(wire.OpQueuePush, &m)
	b.m.queues["q"].dedup.count = wire.MaxDedup
	m.Messages[0].Dedup = []byte("two")
	if ans := b.One(wire.OpQueuePush, &m); ans.Code != wire.Full {
		t.Errorf("one dedup id too many was answered %v", ans.Code)
	}
	m.Messages[0].Dedup = []byte("one")
	if ans := b.One(wire.OpQueuePush, &m); ans.Code != wire.OK || ans.Num != 0 {
		t.Errorf("a dedup id that is remembered was answered %v %d", ans.Code, ans.Num)
	}
}
