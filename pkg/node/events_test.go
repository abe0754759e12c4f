package node

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// event is one as it is published, with the fields of all kinds.
type event struct {
	Time       time.Time
	Node, Kind string

	Group, Leader string
	Term          uint64
	Leads         bool

	Operation, Engine, Peer, Reason string
}

// listen returns the URL of a bus and what gives the next event of a kind that is told there.
func listen(t *testing.T, kind string) (url string, next func() event) {
	t.Helper()
	url = bustest.NATS(t, nil).URL()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	sub, err := nc.SubscribeSync("flin.events." + kind)
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return url, func() (e event) {
		t.Helper()
		m, err := sub.NextMsg(30 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(m.Data, &e); err != nil {
			t.Fatalf("%s: %v", m.Data, err)
		}
		if e.Kind != kind || e.Node != "n1" || e.Time.IsZero() {
			t.Errorf("%s is no %s event of n1", m.Data, kind)
		}
		return e
	}
}

func TestLeadersAreEvents(t *testing.T) {
	url, next := listen(t, "leader")
	r := launch(t, daemonOf(wire.EngineKV), "-memory", "-node-id=n1", "-bus="+url)
	r.awaitReady()
	r.end()
	first, last := next(), next()
	if !first.Leads || first.Group != "kv-0" || first.Leader != "n1" || first.Term == 0 {
		t.Errorf("the event of a leader is %+v", first)
	}
	if last.Leads || last.Leader != "" || last.Group != "kv-0" || last.Term != first.Term {
		t.Errorf("the event of its end is %+v", last)
	}
}

func TestSlowRequestsAreEvents(t *testing.T) {
	url, next := listen(t, "slow-request")
	r := launch(t, platform(), "-memory", "-node-id=n1", "-bus="+url, "-slow-request=1ms")
	r.awaitReady()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.client().With(ctx).KV.RandomKey(); err == nil { // the test's engine holds it
		t.Fatal("a request that is held was answered")
	}
	for e := next(); e.Operation != wire.OpKVRandom.String(); e = next() {
	}
}

func TestRejectedConnectionsAreEvents(t *testing.T) {
	url, next := listen(t, "connection-rejected")
	r := launch(t, platform(), "-memory", "-node-id=n1", "-bus="+url)
	r.awaitReady()
	conn, err := net.Dial("tcp", r.port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("\x00 is no protocol of ours\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil {
		t.Fatal(err)
	}
	if e := next(); e.Peer != conn.LocalAddr().String() || e.Reason == "" {
		t.Errorf("the event is %+v", e)
	}
}
