package resp

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestRepliesLeaveInTheOrderOfCommands(t *testing.T) {
	c := serve(t, nil).dial(t)
	const n = 20_000
	go func() {
		for i := range n {
			// Writes are answered later and reads at once, unless they are ordered; a PING needs no engine at all.
			if _, err := fmt.Fprintf(c.nc, "SET k %d\r\nGET k\r\nPING %d\r\n", i, i); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for i := range n {
		want := fmt.Sprint(i)
		if a, b, p := c.read(), c.read(), c.read(); a != "+OK" || b != want || p != want {
			t.Fatalf("round %d: %q %q %q", i, a, b, p)
		}
	}
}

func TestCommandsThatNeedTheirAnswerHoldLaterOnesBack(t *testing.T) {
	c := serve(t, nil).dial(t)
	c.send("SET a 1", "DBSIZE", "SET b 2", "DBSIZE", "KEYS *", "SCAN 0", "DEL a", "DBSIZE", "GET b")
	for i, want := range []string{"+OK", ":1", "+OK", ":2", "*[a b]", "*[0 *[a b]]", ":1", ":1", "2"} {
		if got := c.read(); got != want {
			t.Errorf("reply %d: %q, want %q", i, got, want)
		}
	}
}

func TestAProtocolErrorIsTheLastReply(t *testing.T) {
	s := serve(t, nil)
	for input, want := range map[string]string{
		"SET a 1\r\nGET a\r\n*1\r\n:\r\n": "+OK 1 -ERR Protocol error: expected '$', got ':' EOF",
		"PING\r\nSET a \"b\r\nPING\r\n":   "+PONG -ERR Protocol error: unbalanced quotes in request EOF",
		"QUIT\r\nPING\r\n":                "+OK EOF",
		"POST / HTTP/1.1\r\n":             "EOF",
		"PING\r\nHost: x\r\nPING\r\n":     "+PONG EOF",
	} {
		c := s.dial(t)
		if _, err := io.WriteString(c.nc, input); err != nil {
			t.Fatal(err)
		}
		var got []string
		for len(got) == 0 || got[len(got)-1] != "EOF" && len(got) < 5 {
			r := c.read()
			got = append(got, r)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", input, got, want)
		}
	}
}

func TestAClientCanDoWithoutReplies(t *testing.T) {
	c := serve(t, nil).dial(t)
	c.send("CLIENT REPLY SKIP", "SET a 1", "GET a", "CLIENT REPLY OFF", "SET a 2", "GET a", "bogus", "CLIENT REPLY SKIP",
		"CLIENT REPLY ON", "GET a")
	for _, want := range []string{"1", "+OK", "2"} {
		if got := c.read(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestWithoutThePasswordNothingIsServed(t *testing.T) {
	s := serve(t, func(cfg *Config) {
		cfg.Password = func(user, pass string) bool { return user == "default" && pass == "secret" }
	})
	c := s.dial(t)
	c.want("GET a", "-NOAUTH Authentication required.")
	c.want("bogus", "-ERR unknown command 'bogus', with args beginning with: ")
	c.want("PING", "-NOAUTH Authentication required.")
	c.want("HELLO 3", "-"+errHelloAuth)
	c.want("AUTH wrong", "-"+errWrongPass)
	c.want("AUTH other secret", "-"+errWrongPass)
	c.want("HELLO 3 AUTH default wrong", "-"+errWrongPass)
	c.want("RESET", "+RESET")
	c.want("AUTH secret", "+OK")
	c.want("SET a 1", "+OK")
	c.want("RESET", "+RESET")
	c.want("GET a", "-NOAUTH Authentication required.")
	c.send("HELLO 2 AUTH default secret SETNAME me")
	if got := c.read(); !strings.HasPrefix(got, "*[server redis version "+redisVersion+" proto :2") {
		t.Errorf("HELLO says %q", got)
	}
	c.want("CLIENT GETNAME", "me")
	d := s.dial(t)
	if _, err := io.WriteString(d.nc, "*11\r\n"); err != nil {
		t.Fatal(err)
	}
	if got := d.read(); got != "-ERR Protocol error: unauthenticated multibulk length" {
		t.Errorf("a long command: %q", got)
	}
}

func TestClientsSeeAndKillEachOther(t *testing.T) {
	s := serve(t, nil)
	a, b := s.dial(t), s.dial(t)
	a.want("CLIENT SETNAME first", "+OK")
	b.want("HELLO 3 SETNAME bad\x01name", "-"+errClientName)
	b.want("CLIENT SETNAME second", "+OK")
	b.want("CLIENT SETINFO lib-name mine", "+OK")
	b.want("SELECT 3", "+OK")
	b.want("PING", "+PONG") // what SELECT changed is shown when its input has been worked off
	a.send("CLIENT LIST")
	if got := a.read(); !strings.Contains(got, "name=first") || !strings.Contains(got, "name=second") ||
		!strings.Contains(got, "lib-name=mine") || !strings.Contains(got, " db=3 ") {
		t.Errorf("CLIENT LIST says %s", got)
	}
	b.send("CLIENT ID")
	id := strings.TrimPrefix(b.read(), ":")
	a.want("CLIENT KILL ID "+id, ":1")
	if got := b.read(); got != "EOF" && !strings.Contains(got, "reset") {
		t.Errorf("the killed client reads %q", got)
	}
	a.want("CLIENT KILL ID "+id, ":0")
	a.want("CLIENT KILL 1.2.3.4:5", "-ERR No such client")
	a.want("CLIENT KILL "+a.nc.LocalAddr().String(), "+OK")
	if got := a.read(); got != "EOF" {
		t.Errorf("behind its own end a client reads %q", got)
	}
}

func TestCursorsGoOnAndAreBounded(t *testing.T) {
	s := serve(t, nil)
	c := s.dial(t)
	for i := range 25 {
		c.want(fmt.Sprintf("SET key%02d v", i), "+OK")
	}
	seen, cursor := 0, "0"
	for {
		c.send("SCAN " + cursor + " COUNT 7")
		page := strings.Fields(strings.NewReplacer("*[", " ", "]", " ").Replace(c.read()))
		cursor = page[0]
		seen += len(page) - 1
		if cursor == "0" {
			break
		}
	}
	if seen != 25 {
		t.Errorf("a scan found %d keys", seen)
	}
	c.want("SCAN 12345", "-ERR invalid cursor")
	c.want("SCAN x", "-ERR invalid cursor")
	var table cursors
	for range 2 * maxCursors {
		table.add(cursor2("k"))
	}
	if len(table.byNum) > maxCursors {
		t.Errorf("%d cursors are kept", len(table.byNum))
	}
	for range 1000 {
		table.add(cursor2(strings.Repeat("k", wire.MaxKey)))
	}
	if table.bytes > maxCursorBytes {
		t.Errorf("cursors take %d bytes", table.bytes)
	}
}

func cursor2(after string) cursor { return cursor{after: after} }

// still is an engine whose keys all have the same value.
type still struct{ value []byte }

func (e *still) Submit(req wire.Request, r wire.Replier) {
	r.Reply(req.Tag, wire.Response{Rev: 1, Body: e.value})
}
func (e *still) Cancel(wire.Replier, uint64)      {}
func (e *still) Credit(wire.Replier, uint64, int) {}

// sink is a connection that reads nothing and takes everything.
type sink struct{ net.Conn }

func (sink) Write(p []byte) (int, error)      { return len(p), nil }
func (sink) SetReadDeadline(time.Time) error  { return nil }
func (sink) SetWriteDeadline(time.Time) error { return nil }

func newBenchConn() *conn {
	s := New(Config{Engine: &still{make([]byte, 1024)}})
	lc := link.New(sink{}, 1, link.Limits{MaxInput: 1 << 20, MaxOutput: 64 << 20, MaxInFlight: 1024})
	c := &conn{s: s, link: lc, authed: true}
	c.parser.maxBulk = 1 << 20
	c.newBatch()
	return c
}

var benchInput = []byte("*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000042\r\n")

func (c *conn) one(tb testing.TB) {
	n, err := c.next(benchInput)
	if n != len(benchInput) || err != nil {
		tb.Fatal(n, err)
	}
	c.dispatch(c.args)
	if err := c.drainOutput(); err != nil {
		tb.Fatal(err)
	}
}

func TestAGetAllocatesNothing(t *testing.T) {
	c := newBenchConn()
	for range 1000 {
		c.one(t)
	}
	if n := testing.AllocsPerRun(10_000, func() { c.one(t) }); n > 0.05 { // a pool may be emptied meanwhile
		t.Errorf("%v allocations for each GET", n)
	}
}

func BenchmarkGet(b *testing.B) {
	c := newBenchConn()
	b.ReportAllocs()
	for b.Loop() {
		c.one(b)
	}
}
