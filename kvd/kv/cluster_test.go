package kv

import (
	"fmt"
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
	watch := enginetest.NewClient(t)
	follower.Submit(wire.Request{Op: wire.OpKVWatch, Flags: wire.FlagStale, Tag: 1, Body: (&wire.KVWatch{}).Append(nil)}, watch)
	watch.Answers(1)
	follower.Credit(watch, 1, 1000)
	for i := range 50 {
		lead.set("k", fmt.Sprint(i))
		if v, _ := lead.get("k"); v != fmt.Sprint(i) {
			t.Fatalf("read %q after %d was written", v, i)
		}
	}
	if n := lead.Must(wire.OpKVCount, &wire.KVDB{}).Num; n != 1 {
		t.Errorf("counted %d keys", n)
	}
	in := wire.Expiry{Kind: wire.ExpiryIn, Ms: 20}
	lead.Must(wire.OpKVSet, &wire.KVSet{Key: []byte("e"), Expiry: in})
	// 50 sets, one more, and what the leader's sweep removed.
	var got []wire.KVEvent
	for n := 1; len(got) < 52; n++ {
		got = events(t, watch.Answers(n))
	}
	if last := got[51]; last.Kind != wire.EventExpire || string(last.Key) != "e" {
		t.Errorf("the follower's watch ended with %+v", last)
	}
	get := &wire.KVKey{Key: []byte("k")}
	if resp := follower.Do(wire.OpKVGet, get, 0); resp.Code != wire.NotLeader {
		t.Errorf("a follower answered a linearizable read with %v", resp.Code)
	}
	enginetest.CaughtUp(t, lead.Group, follower.Group)
	if resp := follower.Do(wire.OpKVGet, get, wire.FlagStale); string(resp.Body) != "49" {
		t.Errorf("a stale read answered %v %q", resp.Code, resp.Body)
	}
	enginetest.OneStore(t, all, func(w *world) (uint64, error) { return w.st.Hash() })
}
