package resp

import (
	"hash/maphash"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// track returns two clients, the first of which tracks keys in version 3 with options.
func track(t *testing.T, options string) (s *testServer, a, b *client) {
	t.Helper()
	s = serve(t, nil)
	a, b = s.dial(t), s.dial(t)
	a.send("HELLO 3")
	a.read()
	a.want(strings.TrimSpace("CLIENT TRACKING ON "+options), "+OK")
	return s, a, b
}

// next reads what comes before the reply to a PING: nothing, or the messages that are there.
func (c *client) next() []string {
	c.tb.Helper()
	var got []string
	c.send("PING")
	for {
		r := c.read()
		if r == "+PONG" || strings.Contains(r, "EOF") {
			return got
		}
		got = append(got, r)
	}
}

func (c *client) told(want ...string) {
	c.tb.Helper()
	for _, w := range want {
		if got := c.read(); got != ">[invalidate "+w+"]" {
			c.tb.Errorf("told %q, want the invalidation of %s", got, w)
		}
	}
	if got := c.next(); len(got) != 0 {
		c.tb.Errorf("told %q besides", got)
	}
}

func TestAClientIsToldOnceOfAKeyThatItHasRead(t *testing.T) {
	_, a, b := track(t, "")
	b.want("SET k 1", "+OK")
	a.want("GET k", "1")
	b.want("SET k 2", "+OK")
	a.told("*[k]")
	b.want("SET k 3", "+OK")
	a.told() // it has not read it again
	a.want("MGET k l", "*[3 _]")
	b.want("SET l 1", "+OK")
	a.told("*[l]")
	b.want("DEL k", ":1")
	a.told("*[k]")
	a.want("GET k", "_")
	a.send("SET k 4") // of its own writes too, before or behind the reply
	if x, y := a.read(), a.read(); x == y || !strings.Contains("+OK >[invalidate *[k]]", x) {
		t.Errorf("%q and %q", x, y)
	}
	a.want("GET k", "4")
	b.want("FLUSHALL", "+OK")
	a.told("_") // once, however many databases there are
	a.want("CLIENT TRACKING OFF", "+OK")
	a.want("GET k", "_")
	b.want("SET k 5", "+OK")
	a.told()
}

func TestOptInOptOutAndPrefixes(t *testing.T) {
	_, a, b := track(t, "OPTIN")
	a.want("GET k", "_")
	b.want("SET k 1", "+OK")
	a.told()
	a.want("CLIENT CACHING YES", "+OK")
	a.want("GET k", "1")
	a.want("GET l", "_")
	b.want("MSET k 2 l 2", "+OK")
	a.told("*[k]")
	a.send("CLIENT CACHING YES", "MULTI", "GET k", "GET l", "EXEC")
	for _, want := range []string{"+OK", "+OK", "+QUEUED", "+QUEUED", "*[2 2]"} {
		if got := a.read(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	b.want("SET l 3", "+OK")
	a.told("*[l]")
	a.want("CLIENT CACHING NO", "-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
	a.want("CLIENT TRACKING ON OPTOUT", "-ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, "+
		"and then re-enabling it with a different mode.")
	a.want("CLIENT TRACKING OFF", "+OK")
	a.want("CLIENT TRACKING ON OPTOUT", "+OK")
	a.want("CLIENT CACHING NO", "+OK")
	a.want("GET k", "2")
	a.want("GET l", "3")
	b.want("MSET k 4 l 4", "+OK")
	a.told("*[l]")
	a.want("CLIENT TRACKING OFF", "+OK")
	a.want("CLIENT TRACKING ON BCAST PREFIX user: PREFIX item:", "+OK")
	b.want("MSET user:1 x item:1 x other x", "+OK")
	a.told("*[user:1]", "*[item:1]")
	a.want("CLIENT TRACKINGINFO", "%[flags ~[on bcast] redirect :0 prefixes *[item: user:]]")
}

func TestAClientNeedNotHearOfItsOwnWrites(t *testing.T) {
	_, a, b := track(t, "NOLOOP BCAST")
	a.want("SET k 1", "+OK")
	a.send("SET k 2", "INCR k", "DEL k")
	for _, want := range []string{"+OK", ":3", ":1"} {
		if got := a.read(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	b.want("SET k 3", "+OK")
	a.told("*[k]")
}

func TestAnotherClientCanBeTold(t *testing.T) {
	s := serve(t, nil)
	a, b, to := s.dial(t), s.dial(t), s.dial(t)
	to.send("HELLO 3")
	to.read()
	to.send("CLIENT ID")
	id := strings.TrimPrefix(to.read(), ":")
	a.want("CLIENT TRACKING ON REDIRECT 999", "-ERR The client ID you want redirect to does not exist")
	a.want("CLIENT TRACKING ON REDIRECT "+id, "+OK")
	a.want("CLIENT GETREDIR", ":"+id)
	a.want("GET k", "nil")
	b.want("SET k 1", "+OK")
	to.told("*[k]")
}

func TestTheWatchRunsOnlyWhileSomebodyTracks(t *testing.T) {
	s, a, _ := track(t, "")
	watches := func() int {
		s.engine.mu.Lock()
		defer s.engine.mu.Unlock()
		return len(s.engine.watches)
	}
	if n := watches(); n != 1 {
		t.Errorf("%d watches while a client tracks", n)
	}
	a.want("CLIENT TRACKING OFF", "+OK")
	for watches() != 0 { // it ends in its own time
		a.want("PING", "+PONG")
	}
	a.want("CLIENT TRACKING ON", "+OK")
	if n := watches(); n != 1 {
		t.Errorf("%d watches while a client tracks again", n)
	}
}

func TestAWatchThatEndsMakesEverythingInvalid(t *testing.T) {
	s, a, b := track(t, "")
	a.want("GET k", "_")
	s.engine.mu.Lock()
	for tag, w := range s.engine.watches {
		delete(s.engine.watches, tag)
		w.r.Reply(tag, wire.Failf(wire.Compacted, "too far behind"))
	}
	s.engine.mu.Unlock()
	// Told when it ended, and again when the next one stands: what was read between may have changed unseen.
	for range 2 {
		if got := a.read(); got != ">[invalidate _]" {
			t.Errorf("told %q", got)
		}
	}
	a.want("GET k", "_")
	b.want("SET k 1", "+OK")
	a.told("*[k]")
}

func TestAChangeIsNotToldBeforeTheReadThatItFollows(t *testing.T) {
	table := trackTable{seed: maphash.MakeSeed()}
	who := &follower{}
	r := &reading{who: who, keys: []string{"k"}}
	k := []byte("k")
	told := func(rev uint64) bool { return len(table.change(k, rev, nil)) == 1 }

	table.register(r)
	if told(5) {
		t.Error("told while the read is under way")
	}
	if stale := table.settle(r, 7); len(stale) != 0 {
		t.Error("the read has seen the change already")
	}
	if told(7) || told(6) {
		t.Error("a change that was read ends the interest in later ones")
	}
	if !told(8) || told(9) {
		t.Error("a later change is to be told once")
	}
	table.register(r)
	told(10)
	if stale := table.settle(r, 9); len(stale) != 1 {
		t.Error("the change after the read is to be told behind its reply")
	}
	if table.size.Load() != 0 {
		t.Errorf("%d interests are left", table.size.Load())
	}
	table.register(r)
	table.settle(r, 11)
	table.flush(12)
	if told(13) || table.size.Load() != 0 {
		t.Error("a flush leaves interests behind")
	}
}
