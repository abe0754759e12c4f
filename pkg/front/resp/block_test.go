package resp

import (
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// parked returns when n pops wait.
func (q *fakeQueues) parked(n int) {
	for q.waiters() != n {
		runtime.Gosched()
	}
}

func TestACommandThatWaitsHoldsLaterOnesOfItsConnectionBack(t *testing.T) {
	s, q := serveQueues(t)
	a, b := s.dial(t), s.dial(t)
	a.send("SET k 1", "Q.POP q WAIT 60000", "SET k 2", "GET k")
	if got := a.read(); got != "+OK" {
		t.Fatal(got)
	}
	q.parked(1)
	b.want("GET k", "1")
	b.send("INFO clients")
	if got := b.read(); !strings.Contains(got, "blocked_clients:1") {
		t.Errorf("%q", got)
	}
	a.send("PING")
	if left := time.Duration(q.waiting[0].req.Deadline - wire.Clock()); left < 60*time.Second || left > 66*time.Second {
		t.Errorf("its deadline is in %v", left)
	}
	q.answer(someMessages(1))
	for _, want := range []string{"body", "+OK", "2", "+PONG"} {
		if got := a.read(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	a.want("Q.POP", "-ERR wrong number of arguments for 'q.pop' command")
}

func TestManyWaitsInARowOnOneConnection(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	for i := range 200 {
		c.send("Q.POP q WAIT 60000", fmt.Sprintf("PING %d", i))
		q.parked(1)
		q.answer(wire.Response{Code: wire.Empty})
		if a, b := c.read(), c.read(); a != "nil" || b != fmt.Sprint(i) {
			t.Fatalf("round %d: %q %q", i, a, b)
		}
	}
}

func TestAWaitIsWithdrawnWhenItsClientLeaves(t *testing.T) {
	s, q := serveQueues(t)
	for name, leave := range map[string]func(c *client){
		"closes":           func(c *client) { _ = c.nc.Close() },
		"says no more":     func(c *client) { _ = c.nc.(*net.TCPConn).CloseWrite() },
		"is killed":        func(c *client) { s.dial(t).want("CLIENT KILL "+c.nc.LocalAddr().String(), "+OK") },
		"leaves with more": func(c *client) { c.send("PING", "PING"); _ = c.nc.Close() },
	} {
		c := s.dial(t)
		c.send("Q.LEASE q WAIT 60000 COUNT 5")
		q.parked(1)
		leave(c)
		<-q.canceled
		if n := q.waiters(); n != 0 {
			t.Errorf("a client that %s: %d wait", name, n)
		}
	}
}

func TestAClientThatSendsMuchAheadIsStillAnswered(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	c.send("Q.POP q WAIT 60000")
	q.parked(1)
	const n = 20_000
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		c.send(strings.TrimSuffix(strings.Repeat("PING\r\n", n), "\r\n"))
	}()
	q.answer(someMessages(1))
	if got := c.read(); got != "body" {
		t.Fatal(got)
	}
	for i := range n {
		if got := c.read(); got != "+PONG" {
			t.Fatalf("%d: %q", i, got)
		}
	}
	<-sent
}

func TestAWaitEndsByClientUnblock(t *testing.T) {
	s, q := serveQueues(t)
	a, b := s.dial(t), s.dial(t)
	a.send("CLIENT ID")
	id := strings.TrimPrefix(a.read(), ":")
	b.want("CLIENT UNBLOCK "+id, ":0")
	for how, want := range map[string]string{"": "nil", " TIMEOUT": "nil", " ERROR": "-UNBLOCKED client unblocked via CLIENT UNBLOCK"} {
		a.send("Q.POP q WAIT 60000")
		q.parked(1)
		for got := ":0"; got != ":1"; { // it is parked a moment before it is known to wait
			b.send("CLIENT UNBLOCK " + id + how)
			got = b.read()
		}
		if got := a.read(); got != want {
			t.Errorf("%q: %q", how, got)
		}
	}
}

func TestAStoppingServerWithdrawsWaits(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	c.send("Q.POP q WAIT 60000", "PING")
	q.parked(1)
	for _, o := range s.clients.list() {
		o.link.Stop()
	}
	if got := c.read(); got != "-CLUSTERDOWN the server is stopping" {
		t.Errorf("%q", got)
	}
	<-q.canceled
}

func TestCommandsOfTwoEnginesKeepTheirOrder(t *testing.T) {
	s, q := serveQueues(t)
	q.set(wire.OpQueueLen, wire.Response{Num: 1})
	c := s.dial(t)
	const n = 2000
	go func() {
		for i := range n {
			c.send(fmt.Sprintf("SET k %d", i), "Q.LEN q", "GET k")
		}
	}()
	for i := range n {
		if x, y, z := c.read(), c.read(), c.read(); x != "+OK" || y != ":1" || z != fmt.Sprint(i) {
			t.Fatalf("round %d: %q %q %q", i, x, y, z)
		}
	}
}
