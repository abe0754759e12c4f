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

// Dial returns a connection to a bus that is closed when the test ends.
func Dial(t testing.TB, url string) *bus.Conn {
	t.Helper()
	cfg := bus.Default()
	cfg.URL = url
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

// Far returns e with a bus before it: two connections, as if they were two processes.
func Far(t testing.TB, id wire.EngineID, e engine.Engine) *bus.Engine {
	t.Helper()
	ns := NATS(t, nil)
	Serve(t, Dial(t, ns.URL()), id, e, nil)
	return Engine(t, Dial(t, ns.URL()), id, nil)
}

func closed(t testing.TB, err error) {
	if err != nil {
		t.Error(err)
	}
}
