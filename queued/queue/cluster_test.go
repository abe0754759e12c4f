package queue

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// threeWorlds is a group of three voters in this process. The first leads.
func threeWorlds(t *testing.T) (all [3]*world) {
	t.Helper()
	enginetest.BootThree(t, func(i int, change func(*replica.Config)) *enginetest.Node {
		all[i] = bootNode(t, t.TempDir(), nil, change)
		return all[i].Node
	}, func() { all[0].ready() })
	return all
}

func TestThreeVotersServeOneStore(t *testing.T) {
	all := threeWorlds(t)
	lead, follower := all[0], all[2]
	if lead.Group.CanRead() {
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
	enginetest.CaughtUp(t, lead.Group, follower.Group)
	if resp := follower.do(wire.OpQueueLen, name("q"), wire.FlagStale); resp.Num != 30 {
		t.Errorf("a stale read answered %v %d", resp.Code, resp.Num)
	}
	want, err := lead.st.Hash()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range all[1:] {
		enginetest.CaughtUp(t, lead.Group, w.Group)
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
	if err := old.Group.TransferLeadership(""); err != nil {
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
			if w.Group.Leads() {
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
