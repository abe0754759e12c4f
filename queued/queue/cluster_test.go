package queue

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// threeWorlds is a group of three voters in this process. The first leads.
func threeWorlds(t *testing.T) [3]*world {
	t.Helper()
	var all [3]*world
	for i := range all {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		mux := replica.NewMux(ln, replica.MuxConfig{})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); _ = mux.Run(ctx) }()
		t.Cleanup(func() { cancel(); <-done })
		w := bootNode(t, t.TempDir(), nil, func(c *replica.Config) {
			c.NodeID, c.Bootstrap, c.Transport = fmt.Sprintf("n%d", i), i == 0, mux
			c.ClusterID = "test"
			// A busy machine must not cost the first its leadership unless it gives it away.
			c.Heartbeat, c.Lease = 4*time.Second, 3*time.Second
		})
		all[i] = w
		if i == 0 {
			w.ready()
			continue
		}
		lead := all[0].group
		if err := lead.AddNonvoter(w.group.ID(), ln.Addr().String()); err != nil {
			t.Fatal(err)
		}
		all[0].caughtUp(w)
		if err := lead.AddVoter(w.group.ID(), ln.Addr().String()); err != nil {
			t.Fatal(err)
		}
	}
	all[0].ready()
	return all
}

// caughtUp waits until other has applied what w has.
func (w *world) caughtUp(other *world) {
	w.t.Helper()
	want := w.group.Status().Applied
	for deadline := time.Now().Add(30 * time.Second); other.group.Status().Applied < want; {
		if time.Now().After(deadline) {
			w.t.Fatal("a node has not caught up in 30 s")
		}
		time.Sleep(2 * time.Millisecond) // a group tells nobody how far it is
	}
}

func TestThreeVotersServeOneStore(t *testing.T) {
	all := threeWorlds(t)
	lead, follower := all[0], all[2]
	if lead.group.CanRead() {
		t.Fatal("a leader of three may not read without asking")
	}
	c := newClient(t, lead)
	for i := range 30 {
		c.pop(uint64(i), "q", 1, long)
	}
	lead.parked(30)
	for i := range 60 {
		lead.push("q", fmt.Sprint(i))
		want := int64(max(0, i-29))
		if i < 29 {
			continue
		}
		for tag := range uint64(30) {
			c.answer(tag)
		}
		if n := lead.must(wire.OpQueueLen, name("q")).Num; n != want {
			t.Fatalf("%d messages are ready, %d were pushed and not taken", n, want)
		}
	}
	peek := wire.QueuePeek{Queue: []byte("q"), Count: 100}
	resp := lead.must(wire.OpQueuePeek, &peek)
	if got := bodies(t, &resp); !slices.Equal(got, numbered(30, 59)) {
		t.Errorf("there is %q", got)
	}
	for _, m := range []wire.Op{wire.OpQueuePop, wire.OpQueueLease} {
		resp := follower.do(m, &wire.QueuePop{Queue: []byte("q"), Count: 1, Wait: 1000}, 0)
		if resp.Code != wire.NotLeader {
			t.Errorf("a follower answered %v with %v", m, resp.Code)
		}
	}
	lead.caughtUp(follower)
	if resp := follower.do(wire.OpQueueLen, name("q"), wire.FlagStale); resp.Num != 30 {
		t.Errorf("a stale read answered %v %d", resp.Code, resp.Num)
	}
	want, err := lead.st.Hash()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range all[1:] {
		lead.caughtUp(w)
		if got, err := w.st.Hash(); err != nil || got != want {
			t.Errorf("a follower's store is %x, the leader's %x: %v", got, want, err)
		}
	}
}

func TestWhoWaitsAtALeaderThatGoesIsSentOn(t *testing.T) {
	all := threeWorlds(t)
	old := all[0]
	old.push("other", "kept")
	c := newClient(t, old)
	for i := range 20 {
		c.pop(uint64(i), "q", 1, long)
	}
	old.parked(20)
	if err := old.group.TransferLeadership(""); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if resp := c.answer(uint64(i)); resp.Code != wire.NotLeader && resp.Code != wire.Unavailable {
			t.Errorf("waiter %d was answered %v %s", i, resp.Code, resp.Body)
		}
	}
	var next *world
	for deadline := time.Now().Add(30 * time.Second); next == nil; {
		for _, w := range all[1:] {
			if w.group.Leads() {
				next = w
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody leads after 30 s")
		}
		time.Sleep(2 * time.Millisecond) // a group tells nobody that it leads
	}
	c = newClient(t, next)
	c.pop(1, "q", 1, long)
	next.parked(1)
	next.push("q", "a")
	if resp := c.answer(1); resp.Code != wire.OK {
		t.Errorf("at the next leader a waiter was answered %v %s", resp.Code, resp.Body)
	}
	if got := next.drain("other"); !slices.Equal(got, []string{"kept"}) {
		t.Errorf("there is %q", got)
	}
}

func TestTheLeaderOfThreeKeepsTheContract(t *testing.T) {
	if testing.Short() {
		t.Skip("a group of three takes its time")
	}
	enginetest.Run(t, contract(), func(t *testing.T) engine.Engine { return threeWorlds(t)[0] })
}
