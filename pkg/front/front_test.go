package front

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo stands for the RESP server: it answers each line with "+" and the line.
type echo struct{}

func (echo) ServeConn(c *link.Conn) {
	for {
		for {
			line, _, ok := strings.Cut(string(c.Buffered()), "\n")
			if !ok {
				break
			}
			c.Discard(len(line) + 1)
			c.End(append(c.Begin(), "+"+strings.TrimSpace(line)+"\r\n"...))
			if err := c.Drain(); err != nil {
				c.Close(err)
				return
			}
		}
		if err := c.Fill(); err != nil {
			c.Close(err)
			return
		}
	}
}

// running is a Front that serves an engine of its own until the test ends.
type running struct {
	*Front
	engine *memkv.Engine
	stop   func() // ends Run and waits for it
}

func start(t testing.TB, change func(*Config), hooks ...func(*Front)) *running {
	t.Helper()
	e := memkv.New()
	return startOver(t, e, e, change, hooks...)
}

// startOver starts a Front that knows the engine e as seam.
func startOver(t testing.TB, e *memkv.Engine, seam engine.Engine, change func(*Config), hooks ...func(*Front)) *running {
	t.Helper()
	cfg := Default()
	cfg.Listen, cfg.HTTP, cfg.RESP = "127.0.0.1:0", "127.0.0.1:0", echo{}
	if change != nil {
		change(&cfg)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	f := New(cfg, seam, nil)
	for _, h := range hooks {
		h(f)
	}
	if err := f.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	stopped := false
	r := &running{Front: f, engine: e}
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(r.stop)
	return r
}

// foreign makes every peer look like one of another machine.
func foreign(f *Front) { f.loopback = func(net.Addr) bool { return false } }

func dial(t testing.TB, f *running) *client {
	t.Helper()
	return dialTo(t, f.Addr())
}

func dialTo(t testing.TB, a net.Addr) *client {
	t.Helper()
	nc, err := net.Dial("tcp", a.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(30 * time.Second)) // a hang fails instead
	return &client{Conn: nc, r: bufio.NewReaderSize(nc, 64<<10), t: t}
}

// client is the other end of a connection.
type client struct {
	net.Conn
	r *bufio.Reader
	t testing.TB
}

func (c *client) say(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, s); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) line() string {
	c.t.Helper()
	s, err := c.r.ReadString('\n')
	if err != nil {
		c.t.Fatalf("after %q: %v", s, err)
	}
	return s
}

// rest returns what the server says until it closes the connection in an orderly way.
func (c *client) rest() string {
	c.t.Helper()
	b, err := io.ReadAll(c.r)
	if err != nil {
		c.t.Fatalf("after %q: %v", b, err)
	}
	return string(b)
}

// frame appends a request frame to s.
func frame(op wire.Op, tag uint64, body []byte) string {
	return string(wire.AppendRequest(nil, &wire.Request{Op: op, Tag: tag, Body: body}, 0))
}

func helloFrame(user, password string) string {
	return wire.Magic + frame(wire.OpHello, 1, (&wire.Hello{Version: 1, User: user, Password: password}).Append(nil))
}

// answer reads the next answer frame.
func (c *client) answer() (uint64, wire.Response) {
	c.t.Helper()
	var head [wire.LenSize]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		c.t.Fatal(err)
	}
	n, _ := wire.FrameLen(head[:])
	p := make([]byte, n)
	if _, err := io.ReadFull(c.r, p); err != nil {
		c.t.Fatal(err)
	}
	var resp wire.Response
	tag, err := wire.DecodeResponse(p, &resp)
	if err != nil {
		c.t.Fatal(err)
	}
	return tag, resp
}

func TestOnePortSpeaksEveryProtocol(t *testing.T) {
	f := start(t, nil)
	c := dial(t, f)
	c.say("PING\r\n")
	if got := c.line(); got != "+PING\r\n" {
		t.Errorf("RESP: %q", got)
	}
	c = dial(t, f)
	c.say(helloFrame("", "") + frame(wire.OpPing, 2, []byte("x")))
	if tag, resp := c.answer(); tag != 1 || resp.Code != wire.OK {
		t.Errorf("hello: %d %+v", tag, resp)
	}
	if tag, resp := c.answer(); tag != 2 || string(resp.Body) != "x" {
		t.Errorf("ping: %d %+v", tag, resp)
	}
	for _, addr := range []net.Addr{f.Addr(), f.HTTPAddr()} {
		for _, two := range []bool{false, true} {
			hc := httpClient(two)
			resp, err := hc.Get("http://" + addr.String() + "/livez")
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if string(body) != "ok\n" || (resp.ProtoMajor == 2) != two {
				t.Errorf("%v: %s %s %q", addr, resp.Proto, resp.Status, body)
			}
			hc.CloseIdleConnections()
		}
	}
}

// httpClient returns a client of HTTP/1.1, or of HTTP/2 with prior knowledge.
func httpClient(two bool) *http.Client {
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetHTTP1(!two)
	tr.Protocols.SetUnencryptedHTTP2(two)
	return &http.Client{Transport: tr}
}

func TestBytesMayArriveOneByOne(t *testing.T) {
	f := start(t, nil)
	c := dial(t, f)
	for _, b := range []byte(helloFrame("", "")) {
		c.say(string([]byte{b}))
	}
	if tag, resp := c.answer(); tag != 1 || resp.Code != wire.OK {
		t.Errorf("hello: %d %+v", tag, resp)
	}
	c = dial(t, f)
	for _, b := range []byte("GET /livez HTTP/1.0\r\n\r\n") {
		c.say(string([]byte{b}))
	}
	if got := c.rest(); !strings.HasSuffix(got, "ok\n") {
		t.Errorf("HTTP: %q", got)
	}
}

func TestUnknownBytesGetOneLineAndAreCounted(t *testing.T) {
	f := start(t, nil)
	c := dial(t, f)
	c.say("\xff\xfe\xfd\xfc\xfb")
	if got := c.rest(); got != "-ERR protocol not recognised\r\n" {
		t.Errorf("got %q", got)
	}
	if n := value(t, f.metrics.rejected.WithLabelValues("ff")); n != 1 {
		t.Errorf("flin_detect_rejected_total is %v", n)
	}
}

func TestProtocolsToComeAreClosedCleanlyAndCounted(t *testing.T) {
	f := start(t, nil)
	for _, p := range firstPackets {
		if p.want != Kafka && p.want != Mongo && p.want != TLS && p.want != Proxy {
			continue
		}
		before := value(t, f.metrics.total.WithLabelValues(p.want.String()))
		c := dial(t, f)
		c.say(p.bytes)
		if got := c.rest(); got != "" {
			t.Errorf("%s: %q", p.name, got)
		}
		if after := value(t, f.metrics.total.WithLabelValues(p.want.String())); after != before+1 {
			t.Errorf("%s: not counted", p.name)
		}
	}
}

func TestASlowFirstLineIsCutOffAndASilentClientIsNot(t *testing.T) {
	f := start(t, func(c *Config) { c.DetectTimeout = 50 * time.Millisecond })
	silent, slow := dial(t, f), dial(t, f)
	slow.say("GET /")
	if got := slow.rest(); got != "-ERR protocol not recognised\r\n" {
		t.Errorf("slow: %q", got)
	}
	silent.say("PING\r\n")
	if got := silent.line(); got != "+PING\r\n" {
		t.Errorf("silent: %q", got)
	}
}

func TestConnectionsOverTheLimitAreTold(t *testing.T) {
	f := start(t, func(c *Config) { c.MaxConnections = 1 })
	first := dial(t, f)
	first.say("PING\r\n")
	first.line()
	if got := dial(t, f).rest(); !strings.HasPrefix(got, "-ERR max number of clients reached") || !strings.Contains(got, "-max-connections") {
		t.Errorf("got %q", got)
	}
	if got := dialTo(t, f.HTTPAddr()).rest(); !strings.HasPrefix(got, "HTTP/1.1 503 ") || !strings.Contains(got, "-max-connections") {
		t.Errorf("got %q", got)
	}
	if n := value(t, f.metrics.refused.WithLabelValues("limit")); n != 2 {
		t.Errorf("counted %v", n)
	}
	first.say("PING\r\n")
	if got := first.line(); got != "+PING\r\n" {
		t.Errorf("the first one: %q", got)
	}
}

func TestForeignPeersAreRefusedWithoutAPassword(t *testing.T) {
	f := start(t, nil, foreign)
	c := dial(t, f)
	c.say(helloFrame("", ""))
	tag, resp := c.answer()
	if tag != wire.ConnTag || resp.Code != wire.Unauthorized || !saysHow(string(resp.Body)) {
		t.Errorf("native: %d %v %s", tag, resp.Code, resp.Body)
	}
	if got := c.rest(); got != "" {
		t.Errorf("native goes on: %q", got)
	}
	c = dial(t, f)
	c.say("SET k v\r\n")
	if got := c.rest(); !strings.HasPrefix(got, "-DENIED ") || !saysHow(got) || strings.Count(got, "\n") != 1 {
		t.Errorf("RESP: %q", got)
	}
	for _, two := range []bool{false, true} {
		hc := httpClient(two)
		resp, err := hc.Get("http://" + f.Addr().String() + "/v1/kv/k")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden || !saysHow(string(body)) {
			t.Errorf("HTTP: %s %s", resp.Status, body)
		}
		hc.CloseIdleConnections()
	}
}

func saysHow(s string) bool {
	return strings.Contains(s, "-password-file") && strings.Contains(s, "-protected=false")
}

func TestForeignPeersAreServedWithAPasswordOrWithoutProtection(t *testing.T) {
	f := start(t, func(c *Config) { c.Protected = false }, foreign)
	c := dial(t, f)
	c.say(helloFrame("", ""))
	if _, resp := c.answer(); resp.Code != wire.OK {
		t.Errorf("-protected=false: %v %s", resp.Code, resp.Body)
	}
	f = start(t, func(c *Config) { c.Password = func(_, p string) bool { return p == "secret" } }, foreign)
	c = dial(t, f)
	c.say(helloFrame("", "secret"))
	if _, resp := c.answer(); resp.Code != wire.OK {
		t.Errorf("-password-file: %v %s", resp.Code, resp.Body)
	}
	c = dial(t, f)
	c.say(helloFrame("", "wrong"))
	if _, resp := c.answer(); resp.Code != wire.Unauthenticated {
		t.Errorf("a wrong password: %v %s", resp.Code, resp.Body)
	}
	c.rest()
}

func TestABusyPortIsNamedWithItsFlag(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	for flag, change := range map[string]func(*Config){
		"-port": func(c *Config) { c.Listen, c.HTTP = ln.Addr().String(), "127.0.0.1:0" },
		"-http": func(c *Config) { c.Listen, c.HTTP = "127.0.0.1:0", ln.Addr().String() },
	} {
		cfg := Default()
		cfg.Program = "kvd"
		change(&cfg)
		err := New(cfg, memkv.New(), nil).Open()
		if err == nil || !strings.Contains(err.Error(), flag) || !strings.Contains(err.Error(), "kvd wants "+ln.Addr().String()) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

func TestABadConfigIsToldAtOnce(t *testing.T) {
	cfg := Default()
	cfg.Listen, cfg.MaxConnections, cfg.Grace = "nowhere", 0, -1
	err := cfg.Validate()
	for _, want := range []string{"nowhere", "-max-connections", "Grace"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}
