package replica

import (
	"io"
	"net"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestTheFirstLineOfAConnectionDecides(t *testing.T) {
	secret := []byte("s")
	good := preamble{cluster: "c", group: "g", from: "a/1", to: "b/2"}
	if p, err := parsePreamble(strings.TrimSuffix(good.line(secret), "\n"), secret); err != nil || p != good {
		t.Errorf("%+v, %v", p, err)
	}
	for _, line := range []string{
		"", "GET / HTTP/1.1", "FLIN/1 raft", "FLIN/1 raft c g a>b", "FLIN/1 raft c g a>b x", "FLIN/1 raft c g ab " + sign("FLIN/1 raft c g ab", secret),
		strings.TrimSuffix(good.line([]byte("other")), "\n"), strings.TrimSuffix(good.line(nil), "\n"),
		strings.Replace(strings.TrimSuffix(good.line(secret), "\n"), " g ", " h ", 1),
	} {
		if p, err := parsePreamble(line, secret); err == nil {
			t.Errorf("%q was taken as %+v", line, p)
		}
	}
}

func TestStrangersAreTurnedAway(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	var cfg Config
	cfg.Log = zap.New(core)
	listen(t, &cfg, "127.0.0.1:0")
	l, err := cfg.Transport.layer("c", "g", "b/2", "127.0.0.1:1")
	ok(t, err)
	defer l.Close()
	if _, err := cfg.Transport.layer("c", "g", "b/2", "127.0.0.1:1"); err == nil {
		t.Error("two groups have one name")
	}
	for line, want := range map[string]string{
		"GET / HTTP/1.1\r\n\r\n":                    "begins with",
		strings.Repeat("x", 300):                    "longer than",
		preamble{"c", "h", "a/1", "b/2"}.line(nil):  "does not run",
		preamble{"d", "g", "a/1", "b/2"}.line(nil):  "belongs to cluster d",
		preamble{"c", "g", "a/1", "b/77"}.line(nil): "looks for b/77",
	} {
		c, err := net.Dial("tcp", cfg.Transport.Addr().String())
		ok(t, err)
		_, err = io.WriteString(c, line)
		ok(t, err)
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("%q got %d bytes", line, n)
		}
		_ = c.Close()
		until(t, want, func() bool {
			for _, e := range logs.All() {
				if strings.Contains(e.ContextMap()["error"].(string), want) {
					return true
				}
			}
			return false
		})
	}
	// A silent one does not keep others out.
	silent, err := net.Dial("tcp", cfg.Transport.Addr().String())
	ok(t, err)
	defer silent.Close()
	c, err := l.Dial(target(cfg.Transport.Addr().String(), "b/2"), transportTimeout)
	ok(t, err)
	got, err := l.Accept()
	ok(t, err)
	_, err = io.WriteString(c, "raft")
	ok(t, err)
	b := make([]byte, 4)
	if _, err := io.ReadFull(got, b); err != nil || string(b) != "raft" {
		t.Errorf("%q, %v", b, err)
	}
	ok(t, l.Close())
	if _, err := got.Read(b); err == nil {
		t.Error("the connection outlived its group")
	}
}

func TestWithoutASecretOnlyThisMachineIsTalkedTo(t *testing.T) {
	for addr, want := range map[net.Addr]bool{
		&net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}: true, &net.TCPAddr{IP: net.IPv6loopback}: true,
		&net.TCPAddr{IP: net.IPv4(10, 0, 0, 1)}: false, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}: false,
	} {
		if loopback(addr) != want {
			t.Errorf("%s: %t", addr, !want)
		}
	}
}
