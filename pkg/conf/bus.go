package conf

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
)

// SecretEnv is the environment name of the bus's secret itself. There is no flag for it: others on the machine can read flags.
const SecretEnv = "FLIN_BUS_SECRET" //nolint:gosec // its name, not the secret

// Bus says how a process is on the bus. The zero value leaves it to the program: embedded where it links an engine and has a
// choice of engines, else off. It is a flag value.
type Bus struct {
	text string // as it was given; empty: it was not

	Off   bool
	Embed bool   // a NATS server runs in this process
	Addr  string // host:port where that listens, and nowhere else; empty: on this machine, at 4222 or the next port that is free
	URLs  string // of NATS servers elsewhere, by comma
}

// Set parses s.
func (b *Bus) Set(s string) error {
	to := Bus{text: s}
	addr, listens := strings.CutPrefix(s, "embed://")
	switch {
	case s == "off":
		to.Off = true
	case s == "embed":
		to.Embed = true
	case listens:
		if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
			return fmt.Errorf("%q: write it as embed://host:port", s)
		}
		to.Embed, to.Addr = true, addr
	default:
		if _, err := servers(s); err != nil {
			return err
		}
		to.URLs = s
	}
	*b = to
	return nil
}

// String returns the value as it was given, without passwords.
func (b *Bus) String() string {
	if b.URLs == "" {
		return b.text
	}
	all, _ := servers(b.URLs)
	shown := make([]string, len(all))
	for i, u := range all {
		shown[i] = redacted(u)
	}
	return strings.Join(shown, ",")
}

// redacted returns a URL without what is secret in it: a password, or a user without one, which NATS takes for a token.
func redacted(u *url.URL) string {
	if _, has := u.User.Password(); u.User == nil || has {
		return u.Redacted()
	}
	shown := *u
	shown.User = url.User("xxxxx")
	return shown.String()
}

// servers parses the URLs of NATS servers. What it returns as an error names none: there may be passwords in them.
func servers(s string) ([]*url.URL, error) {
	parts := strings.Split(s, ",")
	all := make([]*url.URL, len(parts))
	for i, part := range parts {
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil || u.Scheme != "nats" && u.Scheme != "tls" || u.Hostname() == "" {
			return nil, fmt.Errorf("server %d of %d is no address of a NATS server: choose off, embed, embed://host:port or nats://host:port[,…]", i+1, len(parts))
		}
		all[i] = u
	}
	return all, nil
}

// OnBus returns how the process is on the bus, whether that was said or not.
func (c *Config) OnBus() Bus {
	if c.Bus != (Bus{}) {
		return c.Bus
	}
	if c.Engines != nil && c.Engines.Any() && !c.Engines.Remote {
		return Bus{Embed: true}
	}
	return Bus{Off: true}
}

// checkBus complains of a bus on which strangers could do everything, and of engines that are expected where there is none.
func (c *Config) checkBus(bad func(format string, args ...any)) {
	b := c.OnBus()
	if c.Engines != nil && c.Engines.Remote && b.Off {
		bad("-engines %s expects engines over a bus, and there is none: say where with -bus nats://host:port (or -bus embed)", c.Engines)
	}
	if c.BusSecretFile != "" || c.BusSecret != "" {
		return
	}
	const remedy = "give the secret that all its processes share with -bus-secret-file (or " + SecretEnv + ")"
	if b.Addr != "" && !onLoopback(b.Addr) && c.PasswordFile == "" {
		bad("-bus %s: whoever reaches it could read and write everything: %s, or listen on 127.0.0.1", c.Bus.String(), remedy)
	}
	all, _ := servers(b.URLs) // none if it is embedded or off
	for _, u := range all {
		if u.User == nil && c.PasswordFile != "" {
			bad("-bus %s: clients need the password of -password-file, and whoever reaches the bus would need none: %s", redacted(u), remedy)
			continue
		}
		if u.User == nil && !onLoopback(net.JoinHostPort(u.Hostname(), u.Port())) {
			bad("-bus %s: it is not on this machine and no credentials are given: %s, or write them as nats://user:password@%s", redacted(u), remedy, u.Host)
		}
	}
}

func onLoopback(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Guarded reports whether the bus must ask everybody who he is, since this process was told how to say it, or asks its own clients.
func (c *Config) Guarded() bool {
	all, _ := servers(c.OnBus().URLs)
	return c.BusSecretFile != "" || c.BusSecret != "" || c.PasswordFile != "" || slices.ContainsFunc(all, func(u *url.URL) bool { return u.User != nil })
}

// Secret returns the secret of the bus: what the file says, or the environment; of an embedded server also the password that
// clients of this process need. Empty: there is none.
func (c *Config) Secret() (string, error) {
	switch {
	case c.BusSecretFile != "":
		return firstLine("-bus-secret-file", c.BusSecretFile)
	case c.BusSecret != "":
		return c.BusSecret, nil
	case c.PasswordFile != "" && c.OnBus().Embed:
		return firstLine("-password-file", c.PasswordFile)
	}
	return "", nil
}

// firstLine reads the first line of the file that a flag names.
func firstLine(flag, path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", errors.New(flag + ": the first line of " + path + " is empty")
	}
	return line, nil
}
