package bus_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestAWrongSecretIsSaidAndMayBePutRight(t *testing.T) {
	for _, when := range []string{"from the start", "after there was no server", "after there was a right one"} {
		t.Run(when, func(t *testing.T) {
			ns := bustest.NATS(t, func(c *bus.EmbedConfig) {
				if c.Secret = bustest.Secret; when == "from the start" {
					c.Secret = "another"
				}
			})
			port := ns.Addr().(*net.TCPAddr).Port
			stop := func() {
				if err := ns.Close(); err != nil {
					t.Fatal(err)
				}
			}
			start := func(secret string) {
				ns = bustest.NATS(t, func(c *bus.EmbedConfig) { c.Port, c.Exact, c.Secret = port, true, secret })
			}
			if when == "after there was no server" {
				stop()
			}
			core, logs := observer.New(zapcore.InfoLevel)
			router := bustest.DialAs(t, ns.URL(), bus.RoleRouter, func(c *bus.Config) { c.Log = zap.New(core) })
			bustest.Serve(t, bustest.DialAs(t, ns.URL(), bus.RoleEngine, nil), wire.EngineKV, memkv.New(), nil)
			far := bustest.Engine(t, router, wire.EngineKV, nil)
			switch when {
			case "after there was no server":
				said(logs, "cannot be reached")
				start("another")
			case "after there was a right one":
				if resp := do(t, far, set("k", "v")); resp.Code != wire.OK {
					t.Fatalf("%v %s", resp.Code, resp.Body)
				}
				stop()
				start("another")
			}
			if line := said(logs, "-bus-secret-file"); line.ContextMap()["user"] != "flin-router" {
				t.Errorf("it is said: %s %v", line.Message, line.ContextMap())
			}
			req := set("k", "w")
			req.Deadline = wire.DeadlineAfter(300 * time.Millisecond)
			if resp := do(t, far, req); resp.Code != wire.Unavailable || !strings.Contains(strings.ToLower(string(resp.Body)), "authorization") {
				t.Errorf("meanwhile requests are answered %v: %s", resp.Code, resp.Body)
			}
			stop()
			start(bustest.Secret)
			if resp := do(t, far, set("k", "x")); resp.Code != wire.OK {
				t.Errorf("afterwards: %v %s", resp.Code, resp.Body)
			}
		})
	}
}

func TestAServerThatAsksNobodyIsNotUsedWhereASecretIsGiven(t *testing.T) {
	url := bustest.NATS(t, nil).URL()
	core, logs := observer.New(zapcore.InfoLevel)
	guarded := func(c *bus.Config) { c.Guarded, c.Log = true, zap.New(core) }
	bustest.Serve(t, bustest.DialAs(t, url, bus.RoleEngine, nil), wire.EngineKV, memkv.New(), nil)
	far := bustest.Engine(t, bustest.DialAs(t, url, bus.RoleRouter, guarded), wire.EngineKV, nil)
	said(logs, "the bus is not used")
	req := set("k", "v")
	req.Deadline = wire.DeadlineAfter(300 * time.Millisecond)
	if resp := do(t, far, req); resp.Code != wire.Unavailable || !strings.Contains(string(resp.Body), "asks nobody") {
		t.Errorf("%v %s", resp.Code, resp.Body)
	}
	guardedBus := bustest.Guarded(t).URL()
	bustest.Serve(t, bustest.DialAs(t, guardedBus, bus.RoleEngine, guarded), wire.EngineKV, memkv.New(), nil)
	if resp := do(t, bustest.Engine(t, bustest.DialAs(t, guardedBus, bus.RoleRouter, guarded), wire.EngineKV, nil), set("k", "v")); resp.Code != wire.OK {
		t.Errorf("one that asks: %v %s", resp.Code, resp.Body)
	}
}

// said returns the first line with a text as soon as there is one.
func said(logs *observer.ObservedLogs, text string) observer.LoggedEntry {
	for {
		for _, line := range logs.All() {
			if strings.Contains(line.Message, text) {
				return line
			}
		}
		time.Sleep(time.Millisecond) // a log does not say when it grows
	}
}

func TestAUserInTheURLGoesBeforeTheSecret(t *testing.T) {
	ns := bustest.Guarded(t)
	url := strings.Replace(ns.URL(), "nats://", "nats://flin-engine:"+strings.ReplaceAll(bustest.Secret, " ", "%20")+"@", 1)
	daemon := bustest.DialAs(t, url, bus.RoleEngine, func(c *bus.Config) { c.Secret = "another" })
	bustest.Serve(t, daemon, wire.EngineKV, memkv.New(), nil)
	far := bustest.Engine(t, bustest.DialAs(t, ns.URL(), bus.RoleRouter, nil), wire.EngineKV, nil)
	if resp := do(t, far, set("k", "v")); resp.Code != wire.OK {
		t.Errorf("%v %s", resp.Code, resp.Body)
	}
}

func TestNoErrorNamesThePasswordOfAURL(t *testing.T) {
	cfg := bus.Default()
	cfg.URL = "nats://flin-router:hush\x7f@127.0.0.1:4222"
	c, err := bus.Dial(cfg)
	if err == nil {
		_ = c.Close()
		t.Fatal("it was taken")
	}
	if strings.Contains(err.Error(), "hush") {
		t.Errorf("%v", err)
	}
}

func TestAConnectionIsClosedQuietlyAndTwice(t *testing.T) {
	core, logs := observer.New(zapcore.WarnLevel)
	c := bustest.DialAs(t, bustest.Guarded(t).URL(), bus.RoleBoth, func(c *bus.Config) { c.Log = zap.New(core) })
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, line := range logs.All() {
		t.Errorf("it says: %s", line.Message)
	}
}
