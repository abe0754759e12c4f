package bus_test

import (
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// member serves an engine as a node of a cluster. What changed hears is whether it is served.
func member(t *testing.T, url, cluster, node string) (s *bus.Server, changed chan bool) {
	t.Helper()
	changed = make(chan bool, 8)
	s = bustest.Serve(t, bustest.DialAs(t, url, bus.RoleEngine, nil), wire.EngineKV, memkv.New(), func(c *bus.ServeConfig) {
		c.Cluster, c.Node, c.Changed = cluster, node, func(serving bool) { changed <- serving }
	})
	return s, changed
}

func served(t *testing.T, changed chan bool, want bool) {
	t.Helper()
	select {
	case got := <-changed:
		if got != want {
			t.Fatalf("served %v, want %v", got, want)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("nothing has changed, want %v", want)
	}
}

// refusal waits until a server has said why it does not serve.
func refusal(t *testing.T, s *bus.Server) string {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); time.Now().Before(limit); time.Sleep(5 * time.Millisecond) {
		if err := s.Serving(); err != nil && strings.Contains(err.Error(), "cluster") {
			return err.Error()
		}
	}
	t.Fatal("it has not been refused")
	return ""
}

func TestAnotherClusterIsNotServedBesideTheFirst(t *testing.T) {
	url := bustest.Guarded(t).URL()
	_, changed := member(t, url, "c1", "a")
	served(t, changed, true)
	late, news := member(t, url, "c0", "b")
	if why := refusal(t, late); !strings.Contains(why, "node a of cluster c1") || !strings.Contains(why, "c0") {
		t.Errorf("it says %q", why)
	}
	far := bustest.Engine(t, bustest.DialAs(t, url, bus.RoleRouter, nil), wire.EngineKV, nil)
	for range 20 {
		if resp := do(t, far, set("k", "v")); resp.Code != wire.OK {
			t.Fatalf("%v %s", resp.Code, resp.Body)
		}
		if resp := do(t, bustest.Engine(t, bustest.DialAs(t, url, bus.RoleRouter, nil), wire.EngineKV, nil), get("k")); string(resp.Body) != "v" {
			t.Fatalf("another router reads %v %s", resp.Code, resp.Body)
		}
	}
	if len(news) != 0 {
		t.Error("the late one was served")
	}
}

func TestARefusedClusterDoesNotStepInWhenTheOtherIsAway(t *testing.T) {
	url := bustest.Guarded(t).URL()
	first, changed := member(t, url, "c1", "a")
	served(t, changed, true)
	late, _ := member(t, url, "c0", "b")
	_ = refusal(t, late)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	far := bustest.Engine(t, bustest.DialAs(t, url, bus.RoleRouter, nil), wire.EngineKV, nil)
	req := set("k", "v")
	req.Deadline = wire.DeadlineAfter(500 * time.Millisecond)
	if resp := do(t, far, req); resp.Code != wire.Unavailable {
		t.Errorf("a write was answered %v %s", resp.Code, resp.Body)
	}
	_, changed = member(t, url, "c1", "a")
	served(t, changed, true)
	if resp := do(t, far, set("k", "v")); resp.Code != wire.OK {
		t.Errorf("after the first is back a write is answered %v %s", resp.Code, resp.Body)
	}
}

func TestNodesOfOneClusterAreServedTogether(t *testing.T) {
	url := bustest.Guarded(t).URL()
	for _, node := range []string{"a", "b", "c"} {
		s, changed := member(t, url, "c1", node)
		served(t, changed, true)
		if err := s.Serving(); err != nil {
			t.Errorf("node %s: %v", node, err)
		}
	}
}

// Two that start at the same moment may both be served before they hear of each other: here they do not wait for anybody.
func TestOfTwoClustersThatBeginTogetherOneGivesUp(t *testing.T) {
	url := bustest.Guarded(t).URL()
	var both [2]*bus.Server
	for i, cluster := range []string{"c1", "c2"} {
		both[i] = bustest.Serve(t, bustest.DialAs(t, url, bus.RoleEngine, nil), wire.EngineKV, memkv.New(), func(c *bus.ServeConfig) {
			c.Cluster, c.Node, c.Settle = cluster, "n"+cluster, 0
		})
	}
	refused := func(s *bus.Server) bool {
		err := s.Serving()
		return err != nil && strings.Contains(err.Error(), "cluster")
	}
	for limit := time.Now().Add(30 * time.Second); !refused(both[0]) && !refused(both[1]); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("both are served")
		}
	}
	far := bustest.Engine(t, bustest.DialAs(t, url, bus.RoleRouter, nil), wire.EngineKV, nil)
	if resp := do(t, far, set("k", "v")); resp.Code != wire.OK || refused(both[0]) == refused(both[1]) {
		t.Errorf("refused are %v and %v, and a write is answered %v %s", refused(both[0]), refused(both[1]), resp.Code, resp.Body)
	}
}

func TestAServerWithoutABusIsServedWhenThereIsOne(t *testing.T) {
	ns := bustest.NATS(t, nil)
	relay := newRelay(t, ns.Addr())
	relay.deaf(true)
	conn := bustest.DialAs(t, relay.url(), bus.RoleEngine, nil)
	changed := make(chan bool, 8)
	bustest.Serve(t, conn, wire.EngineKV, memkv.New(), func(c *bus.ServeConfig) {
		c.Cluster, c.Changed = "c1", func(serving bool) { changed <- serving }
	})
	if len(changed) > 0 {
		t.Error("it is served on a bus that cannot be reached")
	}
	relay.deaf(false)
	served(t, changed, true)
}
