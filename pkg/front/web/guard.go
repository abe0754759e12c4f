package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// guard lets a request through to next, or says why not.
func (s *Server) guard(next http.Handler) http.Handler {
	hosts := append([]string{"localhost"}, s.cfg.AllowedHosts...)
	if name, err := os.Hostname(); err == nil { // without a name there is one name less
		hosts = append(hosts, name)
	}
	for i := range hosts {
		hosts[i] = strings.ToLower(hosts[i])
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.judge(r, hosts); err != nil {
			if err.Code == wire.Unauthenticated {
				w.Header().Set("WWW-Authenticate", `Basic realm="flin", charset="UTF-8"`)
			}
			fail(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) judge(r *http.Request, hosts []string) *wire.Error {
	c, _ := r.Context().Value(connKey{}).(*conn)
	if c != nil && c.refused != nil {
		return c.refused
	}
	if s.cfg.Password == nil && s.cfg.Protected && !isOurs(r.Host, hosts) {
		return wire.Errorf(wire.Unauthorized, "Host %q is not a name of this machine, and without a password (-password-file) no other is served", r.Host)
	}
	if origin := r.Header.Get("Origin"); origin != "" && !s.sameSite(origin, r.Host) {
		return wire.Errorf(wire.Unauthorized, "requests from pages of %q are not served", origin)
	}
	switch {
	case r.URL.Path == "/livez" || r.URL.Path == "/readyz":
		return nil // those who ask restart servers; they have no password
	case s.cfg.Password != nil:
		if user, password, ok := r.BasicAuth(); !ok || !s.cfg.Password(user, password) {
			return wire.Errorf(wire.Unauthenticated, "wrong user or password, or none given")
		}
	case strings.HasPrefix(r.URL.Path, "/debug/") || r.URL.Path == "/log/level":
		if addr, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || !addr.Addr().Unmap().IsLoopback() {
			return wire.Errorf(wire.Unauthorized, "%s is for this machine alone as long as there is no password (-password-file)", r.URL.Path)
		}
	}
	return nil
}

// isOurs reports whether a Host header names this machine. An address is no name that a foreign DNS server could have given.
func isOurs(host string, ours []string) bool {
	name := strings.ToLower(hostname(host))
	if name == "" { // HTTP/1.0: no browser
		return true
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return slices.Contains(ours, name) || strings.HasSuffix(name, ".localhost")
}

// sameSite reports whether the page that makes a browser ask came from here.
func (s *Server) sameSite(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	return strings.EqualFold(u.Host, host) || slices.ContainsFunc(s.cfg.AllowedHosts, func(a string) bool {
		return strings.EqualFold(a, u.Hostname())
	})
}

// hostname returns a Host header without its port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.Trim(host, "[]"), ".")
}
