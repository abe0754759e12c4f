package web

import (
	"io"
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const kvPath = "/v1/kv/"

// handler dispatches by path. http.ServeMux would not do: it takes keys with "//" or ".." for paths to be tidied.
func (s *Server) handler() http.Handler {
	pages := map[string]page{
		"/livez":               {get, s.livez},
		"/readyz":              {get, s.readyz},
		"/debug/pprof/cmdline": {get, pprof.Cmdline},
		"/debug/pprof/profile": {get, pprof.Profile},
		"/debug/pprof/symbol":  {"GET, HEAD, POST", pprof.Symbol},
		"/debug/pprof/trace":   {get, pprof.Trace},
	}
	if s.cfg.Gatherer != nil {
		pages["/metrics"] = page{get, promhttp.HandlerFor(s.cfg.Gatherer, promhttp.HandlerOpts{}).ServeHTTP}
	}
	if s.cfg.Level != nil {
		pages["/log/level"] = page{"GET, HEAD, PUT", s.cfg.Level.ServeHTTP}
	}
	return s.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if strings.HasPrefix(r.URL.EscapedPath(), kvPath) {
			s.kv(w, r)
			return
		}
		p, ok := pages[path]
		if !ok && strings.HasPrefix(path, "/debug/pprof/") {
			p, ok = page{get, pprof.Index}, true
		}
		switch {
		case !ok:
			fail(w, wire.Errorf(wire.NotFound, "there is nothing at %s", path))
		case !allows(p.methods, r.Method):
			notAllowed(w, r, p.methods)
		default:
			p.serve(w, r)
		}
	}))
}

const get = "GET, HEAD"

type page struct {
	methods string // as the Allow header has it
	serve   http.HandlerFunc
}

func allows(methods, method string) bool {
	for m := range strings.SplitSeq(methods, ", ") {
		if m == method {
			return true
		}
	}
	return false
}

func notAllowed(w http.ResponseWriter, r *http.Request, methods string) {
	w.Header().Set("Allow", methods)
	failAs(w, http.StatusMethodNotAllowed, wire.Errorf(wire.Unsupported, "%s is not allowed at %s, only %s", r.Method, r.URL.Path, methods))
}

func (s *Server) livez(w http.ResponseWriter, _ *http.Request) { ok(w) }

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if s.cfg.Ready != nil {
		if err := s.cfg.Ready(); err != nil {
			failAs(w, http.StatusServiceUnavailable, &wire.Error{Code: wire.Unavailable, Msg: err.Error()})
			return
		}
	}
	ok(w)
}

func ok(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n") // the client has gone
}
