package resp

import (
	"strings"
	"testing"
)

func TestATransactionIsOneRequest(t *testing.T) {
	c := serve(t, nil).dial(t)
	c.send("MULTI", "SET a 1", "INCR a", "GET a", "PING x", "MGET a b", "INCR", "SELECT 1", "SET a 9", "DISCARD")
	for _, want := range []string{
		"+OK", "+QUEUED", "+QUEUED", "+QUEUED", "+QUEUED", "+QUEUED",
		"-ERR wrong number of arguments for 'incr' command", "+QUEUED", "+QUEUED", "+OK",
	} {
		if got := c.read(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	c.want("GET a", "nil")
	c.send("SET s text", "MULTI", "SET a 1", "INCR a", "INCR s", "GET a", "PING x", "ECHO y", "MGET a b", "SELECT 1", "SET a 9",
		"CLIENT GETNAME", "TTL a", "SET", "EXEC")
	for range 13 {
		c.read()
	}
	c.read() // SET without arguments
	if got := c.read(); got != "-EXECABORT Transaction discarded because of previous errors." {
		t.Errorf("a spoiled transaction says %q", got)
	}
	c.send("MULTI", "SET a 1", "INCR a", "INCR s", "GET a", "PING x", "MGET a b", "SELECT 1", "SET a 9", "CLIENT GETNAME", "EXEC")
	for range 10 {
		c.read()
	}
	want := "*[+OK :2 -ERR value is not an integer or out of range 2 x *[2 nil] +OK +OK nil]"
	if got := c.read(); got != want {
		t.Errorf("EXEC says %q, want %q", got, want)
	}
	c.want("GET a", "9") // SELECT has changed the connection's database
	c.want("SELECT 0", "+OK")
	c.want("GET a", "2")
}

func TestWhatTransactionsRefuse(t *testing.T) {
	c := serve(t, nil).dial(t)
	c.want("EXEC", "-ERR EXEC without MULTI")
	c.want("DISCARD", "-ERR DISCARD without MULTI")
	c.want("MULTI", "+OK")
	c.want("MULTI", "-ERR MULTI calls can not be nested")
	c.want("WATCH a", "-ERR WATCH inside MULTI is not allowed")
	c.want("EXEC", "*[]")
	for _, cmd := range []string{"KEYS *", "SCAN 0", "DBSIZE", "RANDOMKEY"} {
		c.want("MULTI", "+OK")
		c.send(cmd)
		if got := c.read(); !strings.HasPrefix(got, "-ERR "+strings.Fields(cmd)[0]+" is not allowed in transactions") {
			t.Errorf("%s: %q", cmd, got)
		}
		c.want("EXEC", "-EXECABORT Transaction discarded because of previous errors.")
	}
	c.want("MULTI", "+OK")
	c.want("bogus", "-ERR unknown command 'bogus', with args beginning with: ")
	c.want("SET a 1", "+QUEUED")
	c.want("EXEC", "-EXECABORT Transaction discarded because of previous errors.")
	c.want("GET a", "nil")
}

func TestAWatchedKeyThatChangesEndsTheTransaction(t *testing.T) {
	s := serve(t, nil)
	a, b := s.dial(t), s.dial(t)
	run := func(null string) {
		t.Helper()
		for _, c := range []struct {
			change, want string
		}{
			{"SET k 2", null},
			{"SET other 1", "*[+OK]"},
			{"DEL k", null},
			{"FLUSHALL", "*[+OK]"}, // it was gone already
		} {
			a.want("WATCH k missing", "+OK")
			b.send(c.change)
			b.read()
			a.want("MULTI", "+OK")
			a.want("SET mine 1", "+QUEUED")
			a.want("EXEC", c.want)
		}
	}
	b.want("SET k 1", "+OK")
	run("nil")
	b.want("SET k 1", "+OK")
	a.send("HELLO 3")
	a.read()
	run("_")
	a.want("WATCH k", "+OK")
	b.want("SET k 2", "+OK")
	a.want("UNWATCH", "+OK")
	a.want("MULTI", "+OK")
	a.want("EXEC", "*[]")
	a.want("WATCH k", "+OK")
	b.want("SET k 3", "+OK")
	a.want("MULTI", "+OK")
	a.want("EXEC", "_")
}
