// Package bustest puts a real bus between a test and its engine: an embedded NATS server on a free port of this machine.
package bustest

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// NATS runs a NATS server until the test ends.
func NATS(t testing.TB, change func(*bus.EmbedConfig)) *bus.NATS {
	t.Helper()
	cfg := bus.DefaultEmbed()
	cfg.Port = -1
	if change != nil {
		change(&cfg)
	}
	ns, err := bus.Embed(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, ns.Close()) })
	return ns
}

// Secret is what the buses of Guarded and Far ask for.
const Secret = "a secret of tests"

// Guarded runs a NATS server until the test ends, on which everybody has to say who he is, and may do no more than he needs.
func Guarded(t testing.TB) *bus.NATS {
	t.Helper()
	return NATS(t, func(c *bus.EmbedConfig) { c.Secret = Secret })
}

// Dial returns a connection to a bus, as a process that may do everything that processes do, that is closed when the test ends.
func Dial(t testing.TB, url string) *bus.Conn {
	t.Helper()
	return DialAs(t, url, bus.RoleBoth, nil)
}

// DialAs returns a connection to a bus for a process with a role, that knows Secret. It is closed when the test ends.
func DialAs(t testing.TB, url string, role bus.Role, change func(*bus.Config)) *bus.Conn {
	t.Helper()
	cfg := bus.Default()
	cfg.URL, cfg.Role, cfg.Secret = url, role, Secret // a server that has none does not mind
	if change != nil {
		change(&cfg)
	}
	c, err := bus.Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, c.Close()) })
	return c
}

// Serve serves e as a daemon would until the test ends.
func Serve(t testing.TB, c *bus.Conn, id wire.EngineID, e engine.Engine, change func(*bus.ServeConfig)) *bus.Server {
	t.Helper()
	cfg := bus.DefaultServe()
	cfg.Engine, cfg.Node = id, "n1"
	if change != nil {
		change(&cfg)
	}
	s, err := bus.Serve(c, e, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, s.Close()) })
	return s
}

// Engine returns an engine that is far away, until the test ends.
func Engine(t testing.TB, c *bus.Conn, id wire.EngineID, change func(*bus.EngineConfig)) *bus.Engine {
	t.Helper()
	cfg := bus.DefaultEngine()
	cfg.Engine = id
	if change != nil {
		change(&cfg)
	}
	e, err := bus.NewEngine(c, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, e.Close()) })
	return e
}

// Far returns e with a bus before it: two connections, as if they were a daemon and a router, each of which may do no more than
// it needs.
func Far(t testing.TB, id wire.EngineID, e engine.Engine) *bus.Engine {
	t.Helper()
	ns := Guarded(t)
	Serve(t, DialAs(t, ns.URL(), bus.RoleEngine, nil), id, e, nil)
	return Engine(t, DialAs(t, ns.URL(), bus.RoleRouter, nil), id, nil)
}

func closed(t testing.TB, err error) {
	if err != nil {
		t.Error(err)
	}
}
