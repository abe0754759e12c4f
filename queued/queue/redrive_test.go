package queue

import (
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// reject makes n messages of the queue dead.
func (w *world) reject(queue string, n int) {
	w.T.Helper()
	resp := w.Must(wire.OpQueueLease, &wire.QueuePop{Queue: []byte(queue), Count: uint64(n), Lease: 3600_000})
	c := newClient(w.T, w)
	for i, d := range deliveries(w.T, &resp) {
		c.ask(uint64(i), wire.OpQueueReject, &wire.QueueNack{Queue: []byte(queue), Receipt: d.Receipt, Error: []byte("no")})
	}
	for i := range n {
		resp := c.answer(uint64(i))
		if err := resp.Err(); err != nil {
			w.T.Fatal(err)
		}
	}
}

func TestARedriveMovesAllHoweverMany(t *testing.T) {
	w := worlds.New(t, nil)
	const n = 2000 // twice what one command moves
	for i := range 8 {
		w.push("q", numbered(1+i*n/8, (i+1)*n/8)...)
	}
	w.push("q", "one more")
	w.reject("q", n+1)
	if info := w.info("q"); info.Dead != n+1 || info.Ready+info.Leased != 0 {
		t.Fatalf("%d messages are dead, %d ready, %d leased", info.Dead, info.Ready, info.Leased)
	}
	if resp := w.Must(wire.OpQueueRedrive, &wire.QueueRedrive{Queue: []byte("q"), Count: 10}); resp.Num != 10 {
		t.Errorf("%d moved, 10 were to", resp.Num)
	}
	c := newClient(t, w)
	c.pop(1, "q", 10, 0)
	if resp := c.answer(1); resp.Num != 10 {
		t.Errorf("%d of the 10 are there", resp.Num)
	}
	if resp := w.Must(wire.OpQueueRedrive, &wire.QueueRedrive{Queue: []byte("q")}); resp.Num != n-9 {
		t.Errorf("%d moved, %d were left", resp.Num, n-9)
	}
	left := w.drain("q")
	if len(left) != n-9 || left[0] != fmt.Sprint(11) || left[n-10] != "one more" {
		t.Errorf("%d came back, from %q to %q", len(left), left[0], left[len(left)-1])
	}
	if resp := w.Must(wire.OpQueueRedrive, &wire.QueueRedrive{Queue: []byte("q")}); resp.Num != 0 {
		t.Errorf("%d moved out of nothing", resp.Num)
	}
	if resp := w.Do(wire.OpQueueRedrive, &wire.QueueRedrive{Queue: []byte("nobody")}, 0); resp.Code != wire.NotFound {
		t.Errorf("of a queue that is not there it was answered %v", resp.Code)
	}
}

func TestARedriveThatIsWithdrawnSaysWhatItHasMoved(t *testing.T) {
	w := worlds.New(t, nil)
	const n = 5000
	for i := range 10 {
		w.push("q", numbered(1+i*n/10, (i+1)*n/10)...)
	}
	w.reject("q", n)
	c := newClient(t, w)
	moved := 0
	for tag := uint64(1); tag <= 4; tag++ {
		c.ask(tag, wire.OpQueueRedrive, &wire.QueueRedrive{Queue: []byte("q")})
		w.Cancel(c, tag)
		switch resp := c.answer(tag); resp.Code {
		case wire.OK:
			moved += int(resp.Num)
		case wire.Canceled:
		default:
			t.Errorf("it was answered %v %s", resp.Code, resp.Body)
		}
	}
	if ready := w.info("q").Ready; ready != uint64(moved) {
		t.Errorf("%d messages came back, %d were said to", ready, moved)
	}
	w.redrives.mu.Lock()
	defer w.redrives.mu.Unlock()
	if len(w.redrives.all) != 0 {
		t.Errorf("%d redrives are left", len(w.redrives.all))
	}
}
