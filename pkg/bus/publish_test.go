package bus

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

func TestNobodyWaitsForAServerThatSaysNothing(t *testing.T) {
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	attempts := make(chan net.Conn, 1)
	go func() {
		first, err := ln.Accept() // Dial waits for it
		if err != nil {
			return
		}
		_ = first.Close()
		if second, err := ln.Accept(); err == nil {
			attempts <- second
		}
	}()
	cfg := Default()
	cfg.URL = "nats://" + ln.Addr().String()
	c, err := Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	attempt := <-attempts
	defer attempt.Close()
	if c.Connected() {
		t.Error("it is connected")
	}
	if unsent, err := c.publish("subject", "", nil); !unsent || err == nil {
		t.Errorf("a message was taken: %v, %v", unsent, err)
	}
	// The attempt is under way still, as its going on shows: its end was not what the answers waited for.
	_ = attempt.SetDeadline(time.Now().Add(time.Second))
	_, err = attempt.Write([]byte("INFO {\"max_payload\": 1048576}\r\n"))
	said := make([]byte, len("CONNECT"))
	if _, rerr := io.ReadFull(attempt, said); err != nil || rerr != nil || string(said) != "CONNECT" {
		t.Errorf("the attempt to connect is over: it says %q, %v", said, errors.Join(err, rerr))
	}
}

func TestWhatIsHeardBeforeTheNewsOfAConnectionIsAnswered(t *testing.T) {
	embed := DefaultEmbed()
	embed.Port = -1
	ns, err := Embed(embed)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	cfg := Default()
	cfg.URL = ns.URL()
	c, err := Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !c.Connected() {
		t.Fatal("it is not connected when Dial returns")
	}
	heard := make(chan error)
	if _, err := c.subscribe("question", "", func(m *nats.Msg) {
		_, err := c.publish("answer", "", m.Data)
		heard <- err
	}); err != nil {
		t.Fatal(err)
	}
	c.away()
	if err := c.nc.Publish("question", nil); err != nil {
		t.Fatal(err)
	}
	if err := <-heard; err != nil || !c.Connected() {
		t.Errorf("the answer was not sent: %v", err)
	}
}
