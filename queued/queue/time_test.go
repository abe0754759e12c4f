package queue

import (
	"slices"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Nothing but the ticker makes time pass in these tests while their pops wait.

func TestADelayedMessageReachesWhoWaitsForIt(t *testing.T) {
	w := worlds.New(t, nil)
	c := newClient(t, w)
	c.pop(1, "q", 1, long)
	w.parked(1)
	sent := time.Now()
	w.Must(wire.OpQueuePush, &wire.QueuePush{Queue: []byte("q"), Messages: []wire.QueueMessage{
		{Flags: wire.MessageDelayed, NotBefore: 80, Body: []byte("later")},
	}})
	w.parked(1)
	resp := c.answer(1)
	if got := bodies(t, &resp); !slices.Equal(got, []string{"later"}) {
		t.Errorf("took %q", got)
	}
	if took := time.Since(sent); took < 75*time.Millisecond {
		t.Errorf("a message delayed by 80 ms came after %v", took)
	}
}

func TestALeaseThatRunsOutWakesWhoWaits(t *testing.T) {
	w := worlds.New(t, nil)
	w.push("q", "a")
	resp := w.Must(wire.OpQueueLease, &wire.QueuePop{Queue: []byte("q"), Count: 1, Lease: 50})
	first := deliveries(t, &resp)[0]
	c := newClient(t, w)
	c.ask(1, wire.OpQueueLease, &wire.QueuePop{Queue: []byte("q"), Count: 1, Wait: 1000_000, Lease: 100_000})
	resp = c.answer(1)
	second := deliveries(t, &resp)[0]
	if second.Receipt.Attempt != 2 || second.Receipt.ID != first.Receipt.ID || second.Receipt.Nonce == first.Receipt.Nonce {
		t.Errorf("leased first as %+v, then as %+v", first.Receipt, second.Receipt)
	}
	ack := func(r wire.Receipt) wire.Code {
		return w.Do(wire.OpQueueAck, &wire.QueueAck{Queue: []byte("q"), Receipts: []wire.Receipt{r}}, 0).Code
	}
	if code := ack(first.Receipt); code != wire.Fenced {
		t.Errorf("the stale receipt was answered %v", code)
	}
	if code := ack(second.Receipt); code != wire.OK {
		t.Errorf("the receipt was answered %v", code)
	}
}

func TestTheLastLeaseThatRunsOutPutsTheMessageAside(t *testing.T) {
	w := worlds.New(t, nil)
	w.Must(wire.OpQueueCreate, &wire.QueueCreate{
		Queue: []byte("q"), Fields: wire.QueueHasMaxDeliver, Settings: wire.QueueSettings{MaxDeliver: 1},
	})
	w.push("q", "a")
	w.Must(wire.OpQueueLease, &wire.QueuePop{Queue: []byte("q"), Count: 1, Lease: 30})
	c := newClient(t, w)
	c.pop(1, "q.dead", 1, long) // the queue is not there yet
	resp := c.answer(1)
	d := deliveries(t, &resp)[0]
	headers := map[string]string{}
	for _, h := range d.Headers {
		headers[string(h.Name)] = string(h.Value)
	}
	if string(d.Body) != "a" || headers["x-origin-queue"] != "q" || headers["x-attempts"] != "1" {
		t.Errorf("dead is %q with %v", d.Body, headers)
	}
}

func TestAReadCountsWhatIsDueByTheClock(t *testing.T) {
	w := worlds.New(t, nil)
	w.Must(wire.OpQueuePush, &wire.QueuePush{Queue: []byte("q"), Messages: []wire.QueueMessage{
		{Flags: wire.MessageDelayed, NotBefore: 20, Body: []byte("later")},
	}})
	time.Sleep(25 * time.Millisecond) // a delay is a matter of the clock
	if n := w.Must(wire.OpQueueLen, name("q")).Num; n != 1 {
		t.Errorf("after its delay the message is not counted: %d", n)
	}
	if info := w.info("q"); info.Ready != 1 || info.Delayed != 0 {
		t.Errorf("after its delay %d are ready and %d delayed", info.Ready, info.Delayed)
	}
}

func TestWhatAClearedQueueLeavesIsCollected(t *testing.T) {
	w := worlds.New(t, nil)
	for range 20 {
		w.push("q", numbered(1, 200)...)
	}
	if n := w.Must(wire.OpQueueClear, name("q")).Num; n != 4000 {
		t.Errorf("%d messages went", n)
	}
	if n := w.Must(wire.OpQueueLen, name("q")).Num; n != 0 {
		t.Errorf("%d messages are left", n)
	}
	deadline := time.Now().Add(30 * time.Second)
	for w.machine.Garbage() {
		if time.Now().After(deadline) {
			t.Fatal("the garbage is still there after 30 s")
		}
		time.Sleep(5 * time.Millisecond) // the collector has no event to wait for
	}
}
