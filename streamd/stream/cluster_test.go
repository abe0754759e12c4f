package stream

import (
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
	lead.create("t", 2)
	lead.subscribe("t", "g", "a")
	c := newClient(t, lead)
	for i := range 20 {
		c.fetch(uint64(i), "t", 0, long)
	}
	c.consume(20, "t", "g", "a", 10, long)
	lead.parked(21)
	lead.publish("t", 0, "x")
	for tag := range uint64(21) {
		if resp := c.answer(tag); resp.Num != 1 {
			t.Errorf("call %d was answered %v with %d records", tag, resp.Code, resp.Num)
		}
	}
	for i, resp := range []wire.Response{
		follower.do(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("t"), Records: values("v")}, 0),
		follower.do(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("new"), Records: values("v")}, 0),
		follower.do(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), Wait: 1000}, 0),
		follower.do(wire.OpStreamConsume, consumption("t", "g", "a", 1), wire.FlagStale),
		follower.do(wire.OpStreamHeartbeat, &wire.StreamMember{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("a")}, wire.FlagStale),
	} {
		if resp.Code != wire.NotLeader {
			t.Errorf("request %d to a follower was answered %v %s", i, resp.Code, resp.Body)
		}
	}
	stale := newClient(t, follower)
	body := (&wire.StreamFetch{Topic: []byte("t"), Offset: 1, Wait: wire.MaxFetchWait}).Append(nil)
	enginetest.CaughtUp(t, lead.Group, follower.Group)
	follower.Submit(wire.Request{Op: wire.OpStreamFetch, Tag: 1, Flags: wire.FlagStale, Body: body}, stale)
	follower.parked(1)
	lead.publish("t", 0, "y")
	resp := stale.answer(1)
	if _, got := section(t, &resp); !slices.Equal(valuesOf(got), []string{"y"}) {
		t.Errorf("a stale fetch that waited got %v", got)
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
	old.create("t", 1)
	old.publish("t", 0, numbered(0, 9)...)
	old.subscribe("t", "g", "a")
	old.consume("t", "g", "a", 100)
	old.commit("t", "g", 0, 4)
	c := newClient(t, old)
	for i := range 20 {
		c.fetch(uint64(i), "t", 10, long)
	}
	c.consume(20, "t", "g", "a", 10, long)
	old.parked(21)
	if err := old.Group.TransferLeadership(""); err != nil {
		t.Fatal(err)
	}
	for i := range 21 {
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
	if got := next.consume("t", "g", "a", 100); len(got) != 6 || got[0].offset != 4 {
		t.Errorf("at the next leader a member got %v: it begins at what is committed", got)
	}
	c = newClient(t, next)
	c.fetch(1, "t", 10, long)
	next.parked(1)
	next.publish("t", 0, "a")
	if resp := c.answer(1); resp.Code != wire.OK {
		t.Errorf("at the next leader a waiter was answered %v %s", resp.Code, resp.Body)
	}
}

func TestTheLeaderOfThreeKeepsTheContract(t *testing.T) {
	if testing.Short() {
		t.Skip("a group of three takes its time")
	}
	enginetest.Run(t, contract(), func(t *testing.T) engine.Engine {
		w := threeWorlds(t)[0]
		w.create(counter, 1)
		return w
	})
}
