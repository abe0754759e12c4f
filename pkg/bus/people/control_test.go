package people_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/bus/people"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// standing is what a node is in its group, as a test tells it.
type standing struct{ atomic.Pointer[bus.Standing] }

func stands(now bus.Standing) *standing {
	s := &standing{}
	s.Store(&now)
	return s
}

func (s *standing) now() bus.Standing { return *s.Load() }

// control asks on a subject of micro services and reads the answer into v.
func control[V any](w *world, subject string) (v V) {
	w.t.Helper()
	if err := json.Unmarshal(w.ask(subject, "").Data, &v); err != nil {
		w.t.Fatal(err)
	}
	return v
}

func TestAnInstanceIsAMicroService(t *testing.T) {
	st := stands(bus.Standing{Leads: true, Term: 3, Leader: "n1"})
	w := serve(t, wire.EngineQueue, func(c *people.Config) { c.Standing = st.now })
	ping := control[micro.Ping](w, "$SRV.PING")
	if ping.Name != "flin-queue" || ping.Version != "0.1.0" || ping.Type != micro.PingResponseType || ping.ID == "" {
		t.Errorf("a ping is answered with %+v", ping)
	}
	want := map[string]string{"engine": "queue", "node": "n1", "group": "all-0", "role": "leader", "leader": "n1", "term": "3"}
	for _, subject := range []string{"$SRV.INFO", "$SRV.INFO.flin-queue", "$SRV.INFO.flin-queue." + ping.ID} {
		info := control[micro.Info](w, subject)
		if info.ID != ping.ID || info.Type != micro.InfoResponseType {
			t.Errorf("%s is answered with %+v", subject, info)
		}
		for name, value := range want {
			if info.Metadata[name] != value {
				t.Errorf("%s: %s is %q, not %q", subject, name, info.Metadata[name], value)
			}
		}
		verbs := make([]string, len(info.Endpoints))
		for i, e := range info.Endpoints {
			verbs[i] = e.Name + " " + e.Subject
		}
		if all := []string{"push flin.queue.push.>", "pop flin.queue.pop.>", "len flin.queue.len.>", "ls flin.queue.ls"}; !slices.Equal(verbs, all) {
			t.Errorf("%s: the endpoints are %v", subject, verbs)
		}
	}
	st.Store(&bus.Standing{Term: 4, Leader: "n2"})
	if now := control[micro.Stats](w, "$SRV.STATS.flin-queue").Metadata; now["role"] != "follower" || now["term"] != "4" || now["leader"] != "n2" {
		t.Errorf("after another was elected it says %v", now)
	}
	st.Store(&bus.Standing{Term: 5})
	if now := control[micro.Ping](w, "$SRV.PING."+ping.Name).Metadata; now["role"] != "without a leader" || now["term"] != "5" {
		t.Errorf("without a leader it says %v", now)
	}
}

func TestTheFiguresAreThoseOfAnswers(t *testing.T) {
	w := serve(t, wire.EngineKV, nil)
	answers := []wire.Response{{Body: []byte("1")}, wire.Failf(wire.NotFound, ""), wire.Failf(wire.Busy, "later"), wire.Failf(wire.NotFound, "")}
	for _, resp := range answers {
		w.engine.on(wire.OpKVGet, says(resp))
		w.ask("flin.kv.get.a", "")
	}
	stats := control[micro.Stats](w, "$SRV.STATS.flin-kv")
	if stats.Started.IsZero() || stats.Type != micro.StatsResponseType || len(stats.Endpoints) != 4 {
		t.Fatalf("the statistics are %+v", stats)
	}
	get, set := stats.Endpoints[0], stats.Endpoints[1]
	if get.Name != "get" || get.Subject != "flin.kv.get.>" || get.NumRequests != 4 || get.NumErrors != 3 || get.LastError != "NotFound" {
		t.Errorf("get: %+v", get)
	}
	if get.ProcessingTime <= 0 || get.AverageProcessingTime != get.ProcessingTime/4 {
		t.Errorf("get took %v, on average %v", get.ProcessingTime, get.AverageProcessingTime)
	}
	if !strings.Contains(string(get.Data), `"errors":{"Busy":1,"NotFound":2}`) {
		t.Errorf("get: %s", get.Data)
	}
	if set.NumRequests != 0 || set.NumErrors != 0 || set.Data != nil {
		t.Errorf("set, for which nobody has asked: %+v", set)
	}
}

// A node that does not lead hands requests on to the one that does, and that does not hand them on again.
func TestRequestsGoToTheNodeThatLeads(t *testing.T) {
	url := bustest.Guarded(t).URL()
	one, two := stands(bus.Standing{Term: 2, Leader: "node 2"}), stands(bus.Standing{Leads: true, Term: 2, Leader: "node 2"})
	follower := serveOn(t, url, wire.EngineKV, func(c *people.Config) { c.Standing = one.now })
	leader := serveOn(t, url, wire.EngineKV, func(c *people.Config) { c.Node, c.Standing = "node 2", two.now })
	leader.engine.on(wire.OpKVGet, echoKey)
	for range 50 { // of which each gets some
		follower.wants(follower.ask("flin.kv.get.a.b", ""), "0 a.b")
		follower.wants(follower.ask("flin.kv.get", "", "Flin-Key: a b"), "0 a b")
	}
	if asked := follower.engine.ops(); len(asked) > 0 {
		t.Errorf("the engine of the node that does not lead was asked: %v", asked)
	}
	if n := len(leader.engine.ops()); n != 100 {
		t.Errorf("the engine of the node that leads was asked %d times", n)
	}
	// Each takes the other for the leader, for a moment.
	two.Store(&bus.Standing{Term: 3, Leader: "n1"})
	for _, w := range []*world{follower, leader} {
		w.engine.on(wire.OpKVGet, says(wire.Failf(wire.NotLeader, "it is another")))
	}
	follower.refused(follower.ask("flin.kv.get.a", ""), "421", "NotLeader")
}

func TestANodeThatHasJustLostItsLeadHandsOnWhatItsEngineRefuses(t *testing.T) {
	url := bustest.Guarded(t).URL()
	st := stands(bus.Standing{Leads: true, Term: 2, Leader: "n1"})
	old := serveOn(t, url, wire.EngineKV, func(c *people.Config) { c.Standing = st.now })
	old.engine.on(wire.OpKVGet, func([]byte) wire.Response {
		st.Store(&bus.Standing{Term: 3, Leader: "n2"})
		return wire.Failf(wire.NotLeader, "it is n2")
	})
	// The other is not among those who take requests at first: only what is handed on to it arrives.
	other := bustest.DialAs(t, url, bus.RoleEngine, nil).NATS()
	sub, err := other.Subscribe(bus.PeopleSubject(wire.EngineKV, "n2")+".>", echo)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }() // it ends with its connection
	if err := other.Flush(); err != nil {
		t.Fatal(err)
	}
	old.wants(old.ask("flin.kv.get.a.b", "body"), "_flin.kv.people.n2.get.a.b body")
}

func echo(m *nats.Msg) { _ = m.Respond([]byte(m.Subject + " " + string(m.Data))) }
