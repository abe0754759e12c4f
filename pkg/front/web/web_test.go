package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a Server that serves a listener until the test ends.
type site struct {
	t    *testing.T
	addr string
	stop func()
}

func start(t *testing.T, change func(*Config)) *site {
	t.Helper()
	cfg := Default()
	cfg.Engine = memkv.New()
	if change != nil {
		change(&cfg)
	}
	s := New(cfg)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(s.Run)
	all.Go(func() {
		for id := uint64(1); ; id++ {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			c := link.New(nc, id, link.Limits{MaxInput: 1 << 20, MaxOutput: 1 << 20, MaxInFlight: 10})
			all.Go(func() {
				if c.Fill() == nil {
					s.ServeConn(c)
				}
				c.Close(nil)
			})
		}
	})
	var once sync.Once
	st := &site{t: t, addr: ln.Addr().String()}
	st.stop = func() {
		once.Do(func() {
			_ = ln.Close()
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			s.Stop(ctx)
			all.Wait()
		})
	}
	t.Cleanup(st.stop)
	return st
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request with headers given as name, value, name, value.
func (s *site) do(method, path, body string, headers ...string) answer {
	s.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.addr+path, r)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	tr := &http.Transport{DisableKeepAlives: true}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(b)}
}

// refused sees to it that the answer is a problem document of this kind.
func (a answer) refused(t *testing.T, status int, code wire.Code, says string) {
	t.Helper()
	var p problem
	err := json.Unmarshal([]byte(a.body), &p)
	if err != nil || a.status != status || p.Status != status || p.Code != code || p.Name != code.String() || p.Title == "" ||
		!strings.Contains(p.Detail, says) || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s, want %d %v %q", a.status, a.body, status, code, says)
	}
}

func TestAKeyIsWrittenReadAndDeleted(t *testing.T) {
	s := start(t, nil)
	if a := s.do("PUT", "/v1/kv/user%3A1", "John"); a.status != 204 || a.header.Get("ETag") != `"1"` || a.body != "" {
		t.Errorf("put: %+v", a)
	}
	a := s.do("GET", "/v1/kv/user:1", "")
	if a.status != 200 || a.body != "John" || a.header.Get("ETag") != `"1"` || a.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("get: %+v", a)
	}
	if a := s.do("HEAD", "/v1/kv/user:1", ""); a.status != 200 || a.header.Get("Content-Length") != "4" || a.header.Get("ETag") != `"1"` {
		t.Errorf("head: %+v", a)
	}
	s.do("GET", "/v1/kv/user:1?db=1", "").refused(t, 404, wire.NotFound, "")
	if a := s.do("DELETE", "/v1/kv/user:1", ""); a.status != 204 {
		t.Errorf("delete: %+v", a)
	}
	s.do("GET", "/v1/kv/user:1", "").refused(t, 404, wire.NotFound, "")
	if a := s.do("DELETE", "/v1/kv/user:1", ""); a.status != 204 {
		t.Errorf("delete again: %+v", a)
	}
}

func TestAKeyMayBeAnyBytes(t *testing.T) {
	s := start(t, nil)
	for _, key := range []string{"", "%00%FF", "a%2Fb", "a/b", "a//b", "a/../b", "..", "%2E%2E", "a%20b", "a+b", "%25", "k%3Fdb=1", strings.Repeat("%F0", wire.MaxKey)} {
		if a := s.do("PUT", "/v1/kv/"+key, "v:"+key); a.status != 204 {
			t.Errorf("put %.50q: %+v", key, a)
		}
		if a := s.do("GET", "/v1/kv/"+key, ""); a.status != 200 || a.body != "v:"+key {
			t.Errorf("get %.50q: %d %.100s", key, a.status, a.body)
		}
	}
	if a := s.do("GET", "/v1/kv/a%2Fb", ""); a.body != "v:a/b" {
		t.Errorf("an encoded slash is another key than a slash: %+v", a)
	}
	s.do("PUT", "/v1/kv/"+strings.Repeat("k", wire.MaxKey+1), "v").refused(t, 413, wire.TooLarge, "64000")
}

func TestConditionsAreCheckedByTheVersion(t *testing.T) {
	s := start(t, nil)
	s.do("PUT", "/v1/kv/k", "1", "If-Match", "*").refused(t, 412, wire.NotFound, "")
	if a := s.do("PUT", "/v1/kv/k", "1", "If-None-Match", "*"); a.status != 204 || a.header.Get("ETag") != `"1"` {
		t.Errorf("if absent: %+v", a)
	}
	s.do("PUT", "/v1/kv/k", "2", "If-None-Match", "*").refused(t, 412, wire.Exists, "")
	s.do("PUT", "/v1/kv/k", "2", "If-Match", `"9"`).refused(t, 412, wire.Conflict, "version 1")
	s.do("PUT", "/v1/kv/k", "2", "If-Match", "9").refused(t, 400, wire.Invalid, "ETag")
	s.do("PUT", "/v1/kv/k", "2", "If-None-Match", `"1"`).refused(t, 400, wire.Invalid, "*")
	s.do("PUT", "/v1/kv/k", "2", "If-None-Match", "*", "If-Match", "*").refused(t, 400, wire.Invalid, "exclude")
	if a := s.do("PUT", "/v1/kv/k", "2", "If-Match", `"1"`); a.status != 204 || a.header.Get("ETag") != `"2"` {
		t.Errorf("if version: %+v", a)
	}
	for _, tags := range []string{`"2"`, `W/"2"`, `"1", "2"`, "*"} {
		if a := s.do("GET", "/v1/kv/k", "", "If-None-Match", tags); a.status != 304 || a.body != "" || a.header.Get("ETag") != `"2"` {
			t.Errorf("If-None-Match %s: %+v", tags, a)
		}
	}
	if a := s.do("GET", "/v1/kv/k", "", "If-None-Match", `"1"`); a.status != 200 {
		t.Errorf("another version: %+v", a)
	}
	s.do("GET", "/v1/kv/k", "", "If-Match", `"1"`).refused(t, 412, wire.Conflict, "version 2")
	s.do("DELETE", "/v1/kv/k", "", "If-Match", `"1"`).refused(t, 412, wire.Conflict, "")
	if a := s.do("DELETE", "/v1/kv/k", "", "If-Match", `"2"`); a.status != 204 {
		t.Errorf("delete if version: %+v", a)
	}
	s.do("DELETE", "/v1/kv/k", "", "If-Match", "*").refused(t, 412, wire.Conflict, "not there")
}

func TestTheQueryIsJudged(t *testing.T) {
	s := start(t, nil)
	if a := s.do("PUT", "/v1/kv/k?db=15&ttl=1500", "v"); a.status != 204 {
		t.Errorf("%+v", a)
	}
	if a := s.do("GET", "/v1/kv/k?db=15", ""); a.header.Get("Flin-Expires") != "1500" {
		t.Errorf("%+v", a)
	}
	for path, says := range map[string]string{"?db=16": "0 to 15", "?db=x": "0 to 15", "?ttl=0": "milliseconds", "?ttl=1s": "milliseconds", "?what=1": "what"} {
		s.do("PUT", "/v1/kv/k"+path, "v").refused(t, 400, wire.Invalid, says)
	}
	s.do("GET", "/v1/kv/k?ttl=5", "").refused(t, 400, wire.Invalid, "ttl")
}

func TestWhatIsNotThereOrNotAllowedIsTold(t *testing.T) {
	s := start(t, nil)
	s.do("GET", "/", "").refused(t, 404, wire.NotFound, "/")
	s.do("GET", "/metrics", "").refused(t, 404, wire.NotFound, "/metrics")
	a := s.do("POST", "/v1/kv/k", "v")
	a.refused(t, 405, wire.Unsupported, "GET, HEAD, PUT, DELETE")
	if a.header.Get("Allow") != "GET, HEAD, PUT, DELETE" {
		t.Errorf("%+v", a.header)
	}
	s.do("PUT", "/livez", "v").refused(t, 405, wire.Unsupported, "GET")
}

func TestAValueOverTheLimitIsRefused(t *testing.T) {
	s := start(t, func(c *Config) { c.MaxValue, c.Budget = 100, link.NewBudget(150) })
	s.do("PUT", "/v1/kv/k", strings.Repeat("x", 101)).refused(t, 413, wire.TooLarge, "-max-value")
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, _ = io.WriteString(c, "PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n"+strings.Repeat("x", 128)+"\r\n0\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != 413 {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
	if a := s.do("PUT", "/v1/kv/k", strings.Repeat("x", 100)); a.status != 204 {
		t.Errorf("a value of the limit: %+v", a)
	}
}

func TestTheBudgetOfAllConnectionsIsKept(t *testing.T) {
	budget := link.NewBudget(150)
	s := start(t, func(c *Config) { c.MaxValue, c.Budget = 100, budget })
	if !budget.Take(100) {
		t.Fatal("take")
	}
	s.do("PUT", "/v1/kv/k", strings.Repeat("x", 60)).refused(t, 429, wire.Busy, "try again")
	budget.Give(100)
	if a := s.do("PUT", "/v1/kv/k", strings.Repeat("x", 60)); a.status != 204 || budget.Used() != 0 {
		t.Errorf("%+v, %d", a, budget.Used())
	}
}

func TestHealthMetricsProfilesAndLevel(t *testing.T) {
	var mu sync.Mutex
	notReady := errors.New("the group kv-0 has no leader")
	level := zap.NewAtomicLevel()
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "flin_test"}, func() float64 { return 7 }))
	s := start(t, func(c *Config) {
		c.Gatherer, c.Level = registry, level
		c.Ready = func() error {
			mu.Lock()
			defer mu.Unlock()
			return notReady
		}
	})
	if a := s.do("GET", "/livez", ""); a.status != 200 {
		t.Errorf("livez: %+v", a)
	}
	s.do("GET", "/readyz", "").refused(t, 503, wire.Unavailable, "kv-0 has no leader")
	mu.Lock()
	notReady = nil
	mu.Unlock()
	if a := s.do("GET", "/readyz", ""); a.status != 200 {
		t.Errorf("readyz: %+v", a)
	}
	if a := s.do("GET", "/metrics", ""); a.status != 200 || !strings.Contains(a.body, "flin_test 7") {
		t.Errorf("metrics: %+v", a)
	}
	if a := s.do("GET", "/debug/pprof/goroutine?debug=1", ""); a.status != 200 || !strings.Contains(a.body, "goroutine profile") {
		t.Errorf("pprof: %d", a.status)
	}
	if a := s.do("PUT", "/log/level", `{"level":"debug"}`); a.status != 200 || level.Level() != zap.DebugLevel {
		t.Errorf("level: %+v", a)
	}
}

func TestAPasswordIsAskedFor(t *testing.T) {
	s := start(t, func(c *Config) {
		c.Password = func(user, password string) bool { return user == "default" && password == "secret" }
	})
	a := s.do("GET", "/v1/kv/k", "")
	a.refused(t, 401, wire.Unauthenticated, "password")
	if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("%+v", a.header)
	}
	s.do("GET", "/debug/pprof/", "").refused(t, 401, wire.Unauthenticated, "")
	if a := s.do("GET", "/livez", ""); a.status != 200 {
		t.Errorf("livez: %+v", a)
	}
	basic := "Basic ZGVmYXVsdDpzZWNyZXQ=" // default:secret
	if a := s.do("PUT", "/v1/kv/k", "v", "Authorization", basic); a.status != 204 {
		t.Errorf("%+v", a)
	}
	if a := s.do("GET", "/debug/pprof/", "", "Authorization", basic); a.status != 200 {
		t.Errorf("%+v", a)
	}
	if a := s.do("GET", "/v1/kv/k", "", "Authorization", basic, "Host", "flin.example.com"); a.status != 200 {
		t.Errorf("by another name: %+v", a)
	}
}

func TestForeignPagesAreRefused(t *testing.T) {
	s := start(t, func(c *Config) { c.AllowedHosts = []string{"good.example.com"} })
	for _, host := range []string{"localhost", "localhost:7380", "127.0.0.1", "[::1]:7380", "LOCALHOST", "flin.localhost", "good.example.com:80"} {
		if a := s.do("PUT", "/v1/kv/k", "v", "Host", host); a.status != 204 {
			t.Errorf("Host %s: %+v", host, a)
		}
	}
	for _, host := range []string{"evil.example.com", "localhost.example.com", "127.0.0.1.example.com:7380"} {
		s.do("GET", "/v1/kv/k", "", "Host", host).refused(t, 403, wire.Unauthorized, host)
	}
	for _, origin := range []string{"http://evil.example.com", "null", "http://localhost:1"} {
		s.do("PUT", "/v1/kv/k", "v", "Host", "localhost:7380", "Origin", origin).refused(t, 403, wire.Unauthorized, origin)
	}
	for _, origin := range []string{"http://localhost:7380", "https://good.example.com"} {
		if a := s.do("PUT", "/v1/kv/k", "v", "Host", "localhost:7380", "Origin", origin); a.status != 204 {
			t.Errorf("Origin %s: %+v", origin, a)
		}
	}
	open := start(t, func(c *Config) { c.Protected = false })
	if a := open.do("PUT", "/v1/kv/k", "v", "Host", "flin.example.com"); a.status != 204 {
		t.Errorf("-protected=false: %+v", a)
	}
	open.do("PUT", "/v1/kv/k", "v", "Host", "flin.example.com", "Origin", "http://evil.example.com").refused(t, 403, wire.Unauthorized, "evil")
}

func TestStopLetsARequestFinish(t *testing.T) {
	ready, let := make(chan struct{}), make(chan struct{})
	s := start(t, func(c *Config) {
		c.Ready = func() error {
			close(ready)
			<-let
			return nil
		}
	})
	got := make(chan answer)
	go func() { got <- s.do("GET", "/readyz", "") }()
	<-ready
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.stop()
	}()
	close(let)
	if a := <-got; a.status != 200 {
		t.Errorf("%+v", a)
	}
	<-stopped
}
