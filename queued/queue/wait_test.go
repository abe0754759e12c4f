package queue

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// long is how long pops wait that are not to end by themselves.
const long = time.Hour

func TestAWaitingPopIsAnsweredByThePushThatComes(t *testing.T) {
	w := worlds.New(t, nil)
	c := newClient(t, w)
	c.pop(1, "q", 1, long)
	c.ask(2, wire.OpQueueLease, &wire.QueuePop{Queue: []byte("other"), Count: 5, Wait: 1000_000, Lease: 1000})
	w.parked(2)
	w.push("q", "a")
	resp := c.answer(1)
	if got := bodies(t, &resp); !slices.Equal(got, []string{"a"}) {
		t.Errorf("took %q", got)
	}
	w.push("other", "b", "c")
	resp = c.answer(2)
	for i, d := range deliveries(t, &resp) {
		if d.Receipt.Attempt != 1 || d.Receipt.Nonce == 0 || string(d.Body) != []string{"b", "c"}[i] {
			t.Errorf("leased %+v", d)
		}
	}
	if resp.Num != 2 {
		t.Errorf("leased %d messages, 2 were pushed at once", resp.Num)
	}
}

func TestThoseWhoWaitAreServedInOrder(t *testing.T) {
	w := worlds.New(t, nil)
	c := newClient(t, w)
	const n = 60
	for i := range n {
		c.pop(uint64(i), "q", 1, long)
		w.parked(i + 1)
	}
	w.push("q", numbered(0, 0)...)
	w.push("q", numbered(1, 5)...)
	for i := 6; i < n/2; i++ {
		w.push("q", fmt.Sprint(i))
	}
	w.push("q", numbered(n/2, n-1)...)
	for i := range n {
		resp := c.answer(uint64(i))
		if got := bodies(t, &resp); !slices.Equal(got, []string{fmt.Sprint(i)}) {
			t.Errorf("waiter %d got %q", i, got)
		}
	}
	if order := c.Answered(); !slices.IsSorted(order) {
		t.Errorf("they were answered in the order %v", order)
	}
}

func TestAWaiterTakesAsManyAsItAskedForAndTheRestGoesToTheNext(t *testing.T) {
	w := worlds.New(t, nil)
	c := newClient(t, w)
	for i := range 4 {
		c.pop(uint64(i), "q", 10, long)
		w.parked(i + 1)
	}
	w.push("q", numbered(1, 25)...)
	for i, want := range []int64{10, 10, 5} {
		if resp := c.answer(uint64(i)); resp.Num != want {
			t.Errorf("waiter %d got %d messages, %d are its share", i, resp.Num, want)
		}
	}
	w.parked(1)
}

func TestOneThatWaitsStandsBehindThoseWhoDo(t *testing.T) {
	w := worlds.New(t, nil)
	c := newClient(t, w)
	c.pop(1, "q", 1, long)
	w.parked(1)
	c.pop(2, "q", 1, long)
	c.pop(3, "q", 1, long)
	w.parked(3)
	// One that does not wait does not stand in line.
	c.pop(4, "q", 1, 0)
	if resp := c.answer(4); resp.Code != wire.Empty {
		t.Errorf("a pop that does not wait was answered %v", resp.Code)
	}
	w.push("q", "a", "b", "c")
	for i, want := range []string{"a", "b", "c"} {
		resp := c.answer(uint64(i + 1))
		if got := bodies(t, &resp); !slices.Equal(got, []string{want}) {
			t.Errorf("waiter %d got %q", i+1, got)
		}
	}
}

func TestAWaitEndsWithEmptyAndADeadlineWithTimeout(t *testing.T) {
	w := worlds.New(t, nil)
	c := newClient(t, w)
	for i := range 20 {
		c.pop(uint64(i), "q", 1, time.Duration(20-i)*5*time.Millisecond)
	}
	m := wire.QueuePop{Queue: []byte("q"), Count: 1, Wait: 1000_000}
	w.Submit(wire.Request{Op: wire.OpQueuePop, Tag: 100, Deadline: wire.DeadlineAfter(30 * time.Millisecond), Body: m.Append(nil)}, c)
	for i := range 20 {
		if resp := c.answer(uint64(i)); resp.Code != wire.Empty || len(resp.Body) == 0 {
			t.Errorf("pop %d was answered %v %s", i, resp.Code, resp.Body)
		}
	}
	if resp := c.answer(100); resp.Code != wire.Timeout {
		t.Errorf("over its deadline a pop was answered %v %s", resp.Code, resp.Body)
	}
	w.parked(0)
	w.push("q", "a")
	if got := w.drain("q"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("left is %q", got)
	}
}

func TestAWaiterThatIsOutrunGoesBackToItsPlace(t *testing.T) {
	w := worlds.New(t, nil)
	for try := range 100 {
		if outrun(t, w, fmt.Sprint("q", try)) {
			return
		}
	}
	t.Fatal("in a hundred tries nobody outran a waiter")
}

// outrun lets pops that do not wait compete with five that do, until one of those has got a message. It reports whether any
// was faster. The five must be answered in their order either way.
func outrun(t *testing.T, w *world, queue string) bool {
	t.Helper()
	c := newClient(t, w)
	for i := range 5 {
		c.pop(uint64(i), queue, 1, long)
		w.parked(i + 1)
	}
	taken := 0
	for range 30 {
		// The pop is in the entry of the push, or in the next with the waiter that the push has woken: often before it.
		other := newClient(t, w)
		push := wire.QueuePush{Queue: []byte(queue), Messages: []wire.QueueMessage{{Body: []byte("x")}}}
		other.ask(1, wire.OpQueuePush, &push)
		other.pop(2, queue, 1, 0)
		if resp := other.answer(2); resp.Code == wire.Empty {
			break // a waiter has got it
		}
		taken++
	}
	w.push(queue, numbered(1, 5)...)
	for i := range 5 {
		resp := c.answer(uint64(i))
		if err := resp.Err(); err != nil {
			t.Errorf("waiter %d: %v", i, err)
		}
	}
	if order := c.Answered(); !slices.IsSorted(order) {
		t.Errorf("they were answered in the order %v", order)
	}
	return taken > 0
}

func TestTooManyWhoWaitAreBusy(t *testing.T) {
	w := worlds.New(t, func(c *Config) { c.MaxWaiters = 3 })
	c := newClient(t, w)
	for i := range 3 {
		c.pop(uint64(i), fmt.Sprint("q", i), 1, long)
	}
	w.parked(3)
	c.pop(3, "q0", 1, long)
	c.pop(4, "another", 1, long)
	for tag := uint64(3); tag < 5; tag++ {
		if resp := c.answer(tag); resp.Code != wire.Busy {
			t.Errorf("over the limit a pop was answered %v", resp.Code)
		}
	}
	w.push("q0", "a")
	if resp := c.answer(0); resp.Code != wire.OK {
		t.Errorf("a waiter was answered %v %s", resp.Code, resp.Body)
	}
}

func TestWhoWaitsIsToldThatTheEngineStops(t *testing.T) {
	w := worlds.New(t, nil)
	c := newClient(t, w)
	for i := range 10 {
		c.pop(uint64(i), fmt.Sprint("q", i%3), 1, long)
	}
	w.parked(10)
	w.Stop()
	c.pop(10, "q0", 1, long)
	for i := range 11 {
		if resp := c.answer(uint64(i)); resp.Code != wire.Unavailable {
			t.Errorf("pop %d was answered %v %s", i, resp.Code, resp.Body)
		}
	}
}

func TestWhoWaitsIsToldThatTheGroupStops(t *testing.T) {
	w := worlds.New(t, nil)
	c := newClient(t, w)
	for i := range 10 {
		c.pop(uint64(i), "q", 1, long)
	}
	w.parked(10)
	if err := w.Group.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if resp := c.answer(uint64(i)); resp.Code != wire.Unavailable {
			t.Errorf("pop %d was answered %v %s", i, resp.Code, resp.Body)
		}
	}
	w.parked(0)
}
