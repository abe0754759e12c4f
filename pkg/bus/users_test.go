package bus_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// confSecret is that of the server of confURL: its configuration cannot hold any.
const confSecret = "s0123456789"

// confURL runs a NATS server as deploy/nats/flin.conf says, on a free port of this machine, until the test ends.
func confURL(t *testing.T) string {
	t.Helper()
	t.Setenv("FLIN_BUS_SECRET", confSecret)
	opts, err := server.ProcessConfigFile("../../deploy/nats/flin.conf")
	if err != nil {
		t.Fatal(err)
	}
	opts.Host, opts.Port, opts.NoSigs, opts.NoLog = "127.0.0.1", -1, true, true
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server is not ready")
	}
	return s.ClientURL()
}

// guarded runs a test on both servers that ask for a secret: the embedded one, and one with the configuration file.
func guarded(t *testing.T, test func(t *testing.T, url, secret string)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, bustest.Guarded(t).URL(), bustest.Secret) })
	t.Run("flin.conf", func(t *testing.T) { test(t, confURL(t), confSecret) })
}

// dial connects as a process that knows the secret.
func dial(t *testing.T, url string, role bus.Role, secret string) *bus.Conn {
	t.Helper()
	return bustest.DialAs(t, url, role, func(c *bus.Config) { c.Secret = secret })
}

// login connects as a user of NATS, without what the package does about it.
func login(t *testing.T, url, user, secret string) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(url, nats.UserInfo(user, secret), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// allowed reports whether the server lets a user do something: it has answered when a flush comes back.
func allowed(t *testing.T, url, user, secret string, do func(nc *nats.Conn) error) bool {
	t.Helper()
	nc := login(t, url, user, secret)
	defer nc.Close()
	if err := errors.Join(do(nc), nc.Flush()); err != nil {
		t.Fatal(err)
	}
	err := nc.LastError()
	if err != nil && !errors.Is(err, nats.ErrPermissionViolation) {
		t.Fatal(err)
	}
	return err == nil
}

// Subjects that somebody uses.
const (
	lead, anyone, door = "_flin.kv.0.lead", "_flin.kv.0.any", "_flin.kv.0.node.n1"
	link, ping, unsent = door + ".0123456789abcdef", door + ".0123456789abcdef.ping", door + ".0123456789abcdef.gone.0123"
	question, info     = "flin.kv.get.a.key", "$SRV.INFO"
	told, handed       = "flin.events.leader", "_flin.kv.people.n1.get.a.key"
	who                = "_flin.kv.0.who"
	routers, servers   = "_INBOX_flin-router.x.y", "_INBOX_flin-server.x.y"
	engines, people    = "_INBOX_flin-engine.x.y", "_INBOX.x.y"
)

func everySubject() []string {
	return []string{
		lead, anyone, door, link, ping, unsent, question, info, told, handed, who, routers, servers, engines, people,
		"flin.stats", "_flin.kv.0.other", "$SYS.REQ.SERVER.PING", "$JS.API.INFO", "anything",
	}
}

func TestEachUserSendsWhatIsItsBusiness(t *testing.T) {
	guarded(t, func(t *testing.T, url, secret string) {
		for user, may := range map[string][]string{
			"flin-engine": {routers, servers, told, handed, who},
			"flin-router": {lead, anyone, door, link, ping, told},
			"flin-server": {lead, anyone, door, link, ping, told, handed, who, routers, servers},
			"flin":        {question, info},
		} {
			for _, subject := range everySubject() {
				got := allowed(t, url, user, secret, func(nc *nats.Conn) error { return nc.Publish(subject, nil) })
				if want := slices.Contains(may, subject); got != want {
					t.Errorf("%s may publish to %s: %v", user, subject, got)
				}
			}
		}
	})
}

func TestEachUserHearsWhatIsItsBusiness(t *testing.T) {
	serves := []string{lead + " lead", anyone + " any", door, link, ping, unsent, question, info, handed, who}
	guarded(t, func(t *testing.T, url, secret string) {
		for user, may := range map[string][]string{
			"flin-engine": append([]string{engines}, serves...),
			"flin-router": {routers},
			"flin-server": append([]string{servers}, serves...),
			"flin":        {people, told, "_INBOX.>", "flin.events.>"},
		} {
			for _, subject := range append(everySubject(), lead+" lead", lead+" other", anyone+" any", ">", "_INBOX.>", "flin.>", "flin.events.>", "_flin.>") {
				got := allowed(t, url, user, secret, func(nc *nats.Conn) error {
					to, queue, _ := strings.Cut(subject, " ")
					_, err := nc.QueueSubscribeSync(to, queue)
					return err
				})
				if want := slices.Contains(may, subject); got != want {
					t.Errorf("%s may subscribe to %s: %v", user, subject, got)
				}
			}
		}
	})
}

func TestAnEngineAnswersPeopleButOnlyWhenItIsAsked(t *testing.T) {
	guarded(t, func(t *testing.T, url, secret string) {
		engine, person := login(t, url, "flin-engine", secret), login(t, url, bus.UserPeople, secret)
		if _, err := engine.Subscribe("flin.kv.scan.>", func(m *nats.Msg) {
			for i := range 3 {
				_ = m.Respond(fmt.Append(nil, i))
			}
		}); err != nil {
			t.Fatal(err)
		}
		inbox := person.NewInbox()
		answers, err := person.SubscribeSync(inbox)
		if err := errors.Join(err, engine.Flush(), person.PublishRequest("flin.kv.scan.a", inbox, nil)); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			m, err := answers.NextMsg(10 * time.Second)
			if err != nil || string(m.Data) != fmt.Sprint(i) {
				t.Fatalf("answer %d is %v, %v", i, m, err)
			}
		}
		if err := errors.Join(engine.Publish(person.NewInbox(), nil), engine.Flush()); err != nil {
			t.Fatal(err)
		}
		if err := engine.LastError(); !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("an answer that nobody has asked for: %v", err)
		}
	})
}

func TestNobodyComesInWithoutTheSecret(t *testing.T) {
	guarded(t, func(t *testing.T, url, secret string) {
		for name, who := range map[string]nats.Option{
			"nobody":                   nats.Name("nobody"),
			"a user without a secret":  nats.UserInfo("flin-router", ""),
			"a user with another":      nats.UserInfo("flin-router", secret+"x"),
			"a user that there is not": nats.UserInfo("root", secret),
			"no user":                  nats.UserInfo("", secret),
			"a token":                  nats.Token(secret),
		} {
			nc, err := nats.Connect(url, who)
			if err == nil {
				nc.Close()
			}
			if !errors.Is(err, nats.ErrAuthorization) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestEnginesServeRoutersWithinTheirPermissions(t *testing.T) {
	for name, roles := range map[string][2]bus.Role{
		"a daemon and a router":            {bus.RoleEngine, bus.RoleRouter},
		"a daemon and one that does both":  {bus.RoleEngine, bus.RoleBoth},
		"one that does both, and a router": {bus.RoleBoth, bus.RoleRouter},
		"two that do both":                 {bus.RoleBoth, bus.RoleBoth},
	} {
		t.Run(name, func(t *testing.T) {
			guarded(t, func(t *testing.T, url, secret string) {
				mem := memkv.New()
				standing := newOffice(bus.Standing{Leads: true, Term: 1, Leader: "n1"})
				bustest.Serve(t, dial(t, url, roles[0], secret), wire.EngineKV, mem, func(c *bus.ServeConfig) {
					c.Leadership, c.Silence = standing, 2*time.Second
				})
				asks := dial(t, url, roles[1], secret)
				far := bustest.Engine(t, asks, wire.EngineKV, nil)
				long := string(make([]byte, 3<<20)) // in pieces, both ways
				if resp := do(t, far, set("k", long)); resp.Code != wire.OK {
					t.Fatalf("%v %s", resp.Code, resp.Body)
				}
				if resp := do(t, far, get("k")); len(resp.Body) != len(long) {
					t.Fatalf("%v with %d bytes", resp.Code, len(resp.Body))
				}
				// Followers are asked by another door, and a process that has gone is noticed.
				standing.set(bus.Standing{Term: 2})
				stale := get("k")
				stale.Flags = wire.FlagStale
				if resp := do(t, far, stale); resp.Code != wire.OK {
					t.Errorf("a stale read was answered %v %.100s", resp.Code, resp.Body)
				}
				standing.set(bus.Standing{Leads: true, Term: 3, Leader: "n1"})
				c := enginetest.NewClient(t)
				far.Submit(wire.Request{Op: memkv.Hold, Tag: 1}, c)
				far.Submit(wire.Request{Op: wire.OpKVWatch, Tag: 2}, c)
				mem.Until(func(held, watches, _ int) bool { return held == 1 && watches == 1 })
				_ = asks.Close()
				mem.LetGo()
				mem.Until(func(held, watches, _ int) bool { return held == 0 && watches == 0 })
			})
		})
	}
}
