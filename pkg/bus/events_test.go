package bus_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
)

func TestEventsArePublishedByTheirKind(t *testing.T) {
	ns := bustest.NATS(t, nil)
	nc, err := nats.Connect(ns.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	sub, err := nc.SubscribeSync("flin.events.*")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	conn := bustest.Dial(t, ns.URL())
	publish := bus.PublishEvents(conn)
	for kind, subject := range map[string]string{"leader": "flin.events.leader", "slow-request": "flin.events.slow-request", "a.b >*": "flin.events.a=2eb=20=3e=2a"} {
		publish(kind, []byte(kind))
		m, err := sub.NextMsg(30 * time.Second)
		if err != nil || m.Subject != subject || string(m.Data) != kind {
			t.Errorf("an event of kind %q came as %+v: %v", kind, m, err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	publish("leader", []byte("lost")) // neither blocks nor fails
}
