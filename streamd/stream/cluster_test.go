package stream

import (
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
		follower.Do(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("t"), Records: values("v")}, 0),
		follower.Do(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("new"), Records: values("v")}, 0),
		follower.Do(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), Wait: 1000}, 0),
		follower.Do(wire.OpStreamConsume, consumption("t", "g", "a", 1), wire.FlagStale),
		follower.Do(wire.OpStreamHeartbeat, &wire.StreamMember{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("a")}, wire.FlagStale),
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
	enginetest.OneStore(t, all, func(w *world) (uint64, error) { return w.st.Hash() })
}

func TestWhoWaitsAtALeaderThatGoesIsSentOn(t *testing.T) {
	all := worlds.Three(t)
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
	next := enginetest.NextLeader(t, all[1:]...)
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
