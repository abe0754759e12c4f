package kv

import (
	"fmt"
	"testing"

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
	if n := lead.must(wire.OpKVCount, &wire.KVDB{}).Num; n != 1 {
		t.Errorf("counted %d keys", n)
	}
	in := wire.Expiry{Kind: wire.ExpiryIn, Ms: 20}
	lead.must(wire.OpKVSet, &wire.KVSet{Key: []byte("e"), Expiry: in})
	// 50 sets, one more, and what the leader's sweep removed.
	var got []wire.KVEvent
	for n := 1; len(got) < 52; n++ {
		got = events(t, watch.Answers(n))
	}
	if last := got[51]; last.Kind != wire.EventExpire || string(last.Key) != "e" {
		t.Errorf("the follower's watch ended with %+v", last)
	}
	get := &wire.KVKey{Key: []byte("k")}
	if resp := follower.do(wire.OpKVGet, get, 0); resp.Code != wire.NotLeader {
		t.Errorf("a follower answered a linearizable read with %v", resp.Code)
	}
	enginetest.CaughtUp(t, lead.Group, follower.Group)
	if resp := follower.do(wire.OpKVGet, get, wire.FlagStale); string(resp.Body) != "49" {
		t.Errorf("a stale read answered %v %q", resp.Code, resp.Body)
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

func TestTheLeaderOfThreeKeepsTheContract(t *testing.T) {
	if testing.Short() {
		t.Skip("a group of three takes its time")
	}
	enginetest.Run(t, contract(), func(t *testing.T) engine.Engine { return threeWorlds(t)[0] })
}
