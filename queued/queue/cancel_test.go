package queue

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestAWaiterThatIsWithdrawnTakesNothing(t *testing.T) {
	w := worlds.New(t, nil)
	c := newClient(t, w)
	for i := range 3 {
		c.pop(uint64(i), "q", 1, long)
		w.parked(i + 1)
	}
	w.Cancel(c, 0)
	w.Cancel(c, 1)
	w.Cancel(c, 1)
	for tag := range uint64(2) {
		if resp := c.answer(tag); resp.Code != wire.Canceled {
			t.Errorf("withdrawn, a pop was answered %v", resp.Code)
		}
	}
	w.push("q", "a")
	if resp := c.answer(2); resp.Code != wire.OK {
		t.Errorf("the waiter behind them was answered %v", resp.Code)
	}
}

// tally counts, over all clients, how often each message was handed out.
type tally struct {
	mu   sync.Mutex
	seen map[string]int
}

func (y *tally) add(bodies []string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, b := range bodies {
		y.seen[b]++
	}
}

// check reports messages first … last that were not handed out exactly once.
func (y *tally) check(t *testing.T, first, last int) {
	t.Helper()
	y.mu.Lock()
	defer y.mu.Unlock()
	bad := 0
	for i := first; i <= last; i++ {
		if n := y.seen[fmt.Sprint(i)]; n != 1 {
			if bad++; bad < 10 {
				t.Errorf("message %d was handed out %d times", i, n)
			}
		}
	}
}

func TestWhatCameForAClientThatHadGoneIsPutBack(t *testing.T) {
	w := worlds.New(t, nil)
	const n = 400
	w.push("q", numbered(1, n)...)
	c := newClient(t, w)
	y := &tally{seen: map[string]int{}}
	for i := range uint64(200) {
		c.pop(i, "q", 3, long)
		w.Cancel(c, i)
	}
	withdrawn := 0
	for i := range uint64(200) {
		switch resp := c.answer(i); resp.Code {
		case wire.OK:
			y.add(bodies(t, &resp))
		case wire.Canceled:
			withdrawn++
		default:
			t.Errorf("pop %d was answered %v %s", i, resp.Code, resp.Body)
		}
	}
	if withdrawn == 0 {
		t.Error("not one of 200 pops was withdrawn")
	}
	left := w.drain("q")
	y.add(left)
	y.check(t, 1, n)
	if !slices.IsSortedFunc(left, func(a, b string) int { return len(a) - len(b) }) {
		t.Errorf("what was put back is not in its place: %q", left)
	}
}

func TestALeaseThatNobodyGotDoesNotCount(t *testing.T) {
	w := worlds.New(t, nil)
	w.push("q", numbered(1, 50)...)
	c := newClient(t, w)
	for i := range uint64(20) {
		c.ask(i, wire.OpQueueLease, &wire.QueuePop{Queue: []byte("q"), Count: 50})
		w.Cancel(c, i)
		if resp := c.answer(i); resp.Code != wire.Canceled {
			t.Fatalf("withdrawn at once, a lease was answered %v %s", resp.Code, resp.Body)
		}
	}
	resp := w.Must(wire.OpQueueLease, &wire.QueuePop{Queue: []byte("q"), Count: 100})
	for i, d := range deliveries(t, &resp) {
		if string(d.Body) != fmt.Sprint(i+1) || d.Receipt.Attempt != 1 {
			t.Errorf("message %d is %q at attempt %d", i+1, d.Body, d.Receipt.Attempt)
		}
	}
	if resp.Num != 50 {
		t.Errorf("%d of 50 messages could be leased", resp.Num)
	}
}

func TestNothingIsLostOrDoubledWhileClientsComeAndGo(t *testing.T) {
	w := worlds.New(t, nil)
	const pushers, each = 4, 250
	y := &tally{seen: map[string]int{}}
	var push, pop sync.WaitGroup
	for p := range pushers {
		push.Go(func() {
			for i := 0; i < each; {
				m := rand.IntN(5) + 1
				last := min(i+m, each)
				w.push("q", numbered(p*each+i+1, p*each+last)...)
				i = last
			}
		})
	}
	done := make(chan struct{})
	for range 8 {
		pop.Go(func() {
			c := newClient(t, w)
			for tag := uint64(0); ; tag++ {
				select {
				case <-done:
					return
				default:
				}
				c.pop(tag, "q", rand.IntN(3)+1, time.Duration(rand.IntN(20))*time.Millisecond)
				switch rand.IntN(3) {
				case 0:
					w.Cancel(c, tag)
				case 1:
					time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond) // chance decides what is withdrawn in which state
					w.Cancel(c, tag)
				}
				switch resp := c.answer(tag); resp.Code {
				case wire.OK:
					y.add(bodies(t, &resp))
				case wire.Canceled, wire.Empty:
				default:
					t.Errorf("a pop was answered %v %s", resp.Code, resp.Body)
				}
			}
		})
	}
	push.Wait()
	close(done)
	pop.Wait()
	w.parked(0)
	y.add(w.drain("q"))
	y.check(t, 1, pushers*each)
	if n := w.info("q").Ready; n != 0 {
		t.Errorf("%d messages are left", n)
	}
	w.pops.mu.Lock()
	defer w.pops.mu.Unlock()
	if len(w.pops.all)+len(w.pops.lines)+w.pops.ends.Len()+w.pops.owed != 0 {
		t.Errorf("left are %d pops, %d lines, %d ends, %d owed", len(w.pops.all), len(w.pops.lines), w.pops.ends.Len(), w.pops.owed)
	}
}

func TestMoreThanFitsIntoOneCommandIsPutBack(t *testing.T) {
	w := worlds.New(t, nil)
	large := strings.Repeat("x", 3<<20)
	for i := range 4 {
		w.push("q", fmt.Sprint(i, large))
	}
	c := newClient(t, w)
	for tag := uint64(0); ; tag++ {
		if tag == 10_000 {
			t.Fatal("ten thousand pops were withdrawn and none of them had begun")
		}
		c.pop(tag, "q", 4, 0)
		w.Cancel(c, tag)
		if resp := c.answer(tag); resp.Code != wire.Canceled {
			t.Fatalf("withdrawn, a pop was answered %v", resp.Code)
		}
		if w.pops.returned.Load() > 0 {
			break
		}
	}
	left := w.drain("q")
	if len(left) != 4 {
		t.Fatalf("%d of 4 messages are left", len(left))
	}
	for i, b := range left {
		if b != fmt.Sprint(i, large) {
			t.Errorf("message %d begins with %.10q and has %d bytes", i, b, len(b))
		}
	}
}

func TestWhatIsOnItsWayWhenTheEngineStopsIsPutBack(t *testing.T) {
	dir := t.TempDir()
	const n = 300
	w := worlds.Start(t, dir, nil)
	w.push("q", numbered(1, n)...)
	c := newClient(t, w)
	for i := range uint64(n) {
		c.pop(i, "q", 1, long)
	}
	for i := range uint64(n) {
		w.Cancel(c, i) // as a front does when it stops
	}
	w.Stop()
	y := &tally{seen: map[string]int{}}
	for i := range uint64(n) {
		switch resp := c.answer(i); resp.Code {
		case wire.OK:
			y.add(bodies(t, &resp))
		case wire.Canceled:
		default:
			t.Errorf("pop %d was answered %v %s", i, resp.Code, resp.Body)
		}
	}
	w = worlds.Start(t, dir, nil)
	y.add(w.drain("q"))
	y.check(t, 1, n)
}
