package kv

import (
	"context"
	"fmt"
	"net"
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
		w, stop := bootNode(t, t.TempDir(), nil, func(c *replica.Config) {
			c.NodeID, c.Bootstrap, c.Transport = fmt.Sprintf("n%d", i), i == 0, mux
			c.ClusterID = "test"
			// A busy machine must not cost the first its leadership: nothing here is about changing it.
			c.Heartbeat, c.Lease = 4*time.Second, 3*time.Second
		})
		t.Cleanup(stop)
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
	watch := newAnswers()
	follower.Submit(wire.Request{Op: wire.OpKVWatch, Flags: wire.FlagStale, Tag: 1, Body: (&wire.KVWatch{}).Append(nil)}, watch)
	watch.wait(t, 1)
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
		got = events(t, watch.wait(t, n))
	}
	if last := got[51]; last.Kind != wire.EventExpire || string(last.Key) != "e" {
		t.Errorf("the follower's watch ended with %+v", last)
	}
	get := &wire.KVKey{Key: []byte("k")}
	if resp := follower.do(wire.OpKVGet, get, 0); resp.Code != wire.NotLeader {
		t.Errorf("a follower answered a linearizable read with %v", resp.Code)
	}
	lead.caughtUp(follower)
	if resp := follower.do(wire.OpKVGet, get, wire.FlagStale); string(resp.Body) != "49" {
		t.Errorf("a stale read answered %v %q", resp.Code, resp.Body)
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

func TestTheLeaderOfThreeKeepsTheContract(t *testing.T) {
	if testing.Short() {
		t.Skip("a group of three takes its time")
	}
	enginetest.Run(t, contract(), func(t *testing.T) engine.Engine { return threeWorlds(t)[0] })
}
