package queue

import (
	"fmt"
	"slices"
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestThreeVotersServeOneStore(t *testing.T) {
	all := worlds.Three(t)
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
		if n := lead.Must(wire.OpQueueLen, name("q")).Num; n != want {
			t.Fatalf("%d messages are ready, %d were pushed and not taken", n, want)
		}
	}
	peek := wire.QueuePeek{Queue: []byte("q"), Count: 100}
	resp := lead.Must(wire.OpQueuePeek, &peek)
	if got := bodies(t, &resp); !slices.Equal(got, numbered(30, 59)) {
		t.Errorf("there is %q", got)
	}
	for _, m := range []wire.Op{wire.OpQueuePop, wire.OpQueueLease} {
		resp := follower.Do(m, &wire.QueuePop{Queue: []byte("q"), Count: 1, Wait: 1000}, 0)
		if resp.Code != wire.NotLeader {
			t.Errorf("a follower answered %v with %v", m, resp.Code)
		}
	}
	enginetest.CaughtUp(t, lead.Group, follower.Group)
	if resp := follower.Do(wire.OpQueueLen, name("q"), wire.FlagStale); resp.Num != 30 {
		t.Errorf("a stale read answered %v %d", resp.Code, resp.Num)
	}
	enginetest.OneStore(t, all, func(w *world) (uint64, error) { return w.st.Hash() })
}

func TestWhoWaitsAtALeaderThatGoesIsSentOn(t *testing.T) {
	all := worlds.Three(t)
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
	next := enginetest.NextLeader(t, all[1:]...)
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
