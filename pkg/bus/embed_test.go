package bus_test

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
)

func TestAnExactPortThatIsTakenIsRefused(t *testing.T) {
	first := bustest.NATS(t, nil)
	cfg := bus.DefaultEmbed()
	cfg.Port, cfg.Exact = first.Addr().(*net.TCPAddr).Port, true
	second, err := bus.Embed(cfg)
	if err == nil {
		_ = second.Close()
	}
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), first.Addr().String()) {
		t.Errorf("a second server on the port: %v", err)
	}
}

func TestAnExactPortIsTakenAgainAtOnce(t *testing.T) {
	cfg := bus.DefaultEmbed()
	first := bustest.NATS(t, nil)
	cfg.Port, cfg.Exact = first.Addr().(*net.TCPAddr).Port, true
	login(t, first.URL(), "", "") // a connection that the server closes leaves the port in use for a while
	for range 3 {
		if err := errors.Join(first.Close(), first.Close()); err != nil {
			t.Fatal(err)
		}
		again, err := bus.Embed(cfg)
		if err != nil {
			t.Fatal(err)
		}
		first = again
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAServerThatAsksForNoSecretIsForThisMachineAlone(t *testing.T) {
	for host, alone := range map[string]bool{
		"127.0.0.1": true, "127.1.2.3": true, "::1": true, "localhost": true,
		"": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "example.org": false,
	} {
		cfg := bus.DefaultEmbed()
		cfg.Host = host
		if err := cfg.Validate(); alone != (err == nil) {
			t.Errorf("on %q: %v", host, err)
		}
		cfg.Secret = "a secret"
		if err := cfg.Validate(); err != nil {
			t.Errorf("on %q with a secret: %v", host, err)
		}
	}
	cfg := bus.DefaultEmbed()
	cfg.Host = "0.0.0.0"
	if ns, err := bus.Embed(cfg); err == nil {
		_ = ns.Close()
		t.Error("it was started")
	}
}

func TestAServerSaysNothingOfAnOrdinaryStart(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	for _, secret := range []string{"", "a secret", "$2a$11$2222222222222222222222222222222222222222222222222222"} {
		ns := bustest.NATS(t, func(c *bus.EmbedConfig) { c.Secret, c.Log = secret, zap.New(core) })
		if _, err := net.ResolveTCPAddr("tcp", strings.TrimPrefix(ns.URL(), "nats://")); err != nil || strings.Contains(ns.URL(), "secret") {
			t.Errorf("its URL is %s: %v", ns.URL(), err)
		}
		login(t, ns.URL(), bus.UserPeople, secret)
	}
	for _, line := range logs.All() {
		t.Errorf("it says: %s", line.Message)
	}
}
