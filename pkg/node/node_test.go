package node

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	flin "github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/conf"
	"github.com/skshohagmiah/flin/pkg/freeport"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// simple is an engine that keeps keys in a map, and has a machine so that a group can be made for it.
type simple struct {
	*memkv.Engine
	*machine
}

// machine takes part in a group and is never asked anything.
type machine struct {
	id    wire.EngineID
	store *store.Store
}

func (m *machine) Engine() wire.EngineID                        { return m.id }
func (m *machine) Store() *store.Store                          { return m.store }
func (m *machine) Apply(*replica.Command, *wire.Response) error { return nil }
func (m *machine) Applied(store.Position)                       {}
func (m *machine) Reset() error                                 { return nil }

func (s simple) Machine() replica.Machine           { return s.machine }
func (s simple) Serve(*replica.Group)               {}
func (s simple) Run(ctx context.Context) error      { <-ctx.Done(); return nil }
func (s simple) Collectors() []prometheus.Collector { return nil }
func (s simple) Close() error                       { return s.store.Close() }

// hosted is a simple engine for a Program.
func hosted(id wire.EngineID) Hosted {
	return Hosted{ID: id, Open: func(c EngineConfig) (Engine, error) {
		c.Store.CacheSize, c.Store.MinFree = 32<<20, 1
		s, err := store.Open(c.Store)
		if err != nil {
			return nil, err
		}
		return simple{memkv.New(), &machine{id, s}}, nil
	}}
}

// daemonOf is a program of one engine.
func daemonOf(id wire.EngineID) Program {
	return Program{
		Name: id.String() + "d", Group: id.String() + "-0", Engines: []Hosted{hosted(id)},
		Config: conf.Default(":1", "", "127.0.0.1:0", ""),
	}
}

// platform is a program that links two engines and has a choice of them.
func platform() Program {
	p := Program{
		Name: "flin-server", Group: "all-0", Engines: []Hosted{hosted(wire.EngineKV), hosted(wire.EngineQueue)},
		Config: conf.Default(":1", "", "127.0.0.1:0", ""),
	}
	p.Config.Engines, p.Config.Groups = conf.AllEngines(), conf.GroupsShared
	return p
}

// running is a process of its own, but in this one.
type running struct {
	t    *testing.T
	port string
	stop func() (code int, said string)
	done chan struct{} // closed when it has ended
}

// launch starts a process, and does not wait for it. The test's end stops it.
func launch(t *testing.T, p Program, args ...string) *running {
	t.Helper()
	port := address(t)
	var said bytes.Buffer
	p.Stderr = &said
	p.Exit = func(code int) { t.Errorf("the process would have ended with code %d", code) }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	var code int
	go func() {
		defer close(done)
		code = command(ctx, p, append([]string{p.Name, "-port=" + port, "-log-level=error"}, args...))
	}()
	r := &running{t: t, port: port, done: done}
	r.stop = sync.OnceValues(func() (int, string) {
		cancel()
		<-done
		return code, said.String()
	})
	t.Cleanup(func() { r.stop() })
	return r
}

// address returns a loopback address on which nobody listens.
func address(t *testing.T) string {
	t.Helper()
	port, err := freeport.Take()
	if err != nil {
		t.Fatal(err)
	}
	return freeport.Address(port)
}

// refused returns what a process says that must not start.
func refused(t *testing.T, p Program, args ...string) string {
	t.Helper()
	r := launch(t, p, args...)
	select {
	case <-r.done:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s %s goes on running", p.Name, strings.Join(args, " "))
	}
	code, said := r.stop()
	if code == 0 {
		t.Errorf("%s %s ended with code 0", p.Name, strings.Join(args, " "))
	}
	return said
}

// ready asks the process whether it should be sent requests.
func (r *running) ready() (bool, string) {
	resp, err := http.Get("http://" + r.port + "/readyz")
	if err != nil {
		return false, err.Error()
	}
	defer resp.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode == http.StatusOK, string(text)
}

// await waits until what the process says of its readiness is as wanted.
func (r *running) await(what string, ok func(ready bool, why string) bool) {
	r.t.Helper()
	var why string
	for limit := time.Now().Add(30 * time.Second); time.Now().Before(limit); {
		var is bool
		if is, why = r.ready(); ok(is, why) {
			return
		}
		select {
		case <-r.done:
			_, said := r.stop()
			r.t.Fatalf("it has ended: %s", said)
		case <-time.After(5 * time.Millisecond): // readiness gives no sign
		}
	}
	r.t.Fatalf("not in 30 s: %s; it says %s", what, why)
}

func (r *running) awaitReady() {
	r.t.Helper()
	r.await("it is ready", func(ready bool, _ string) bool { return ready })
}

// client returns a client of the process.
func (r *running) client() *flin.Client {
	r.t.Helper()
	c, err := flin.NewClient(flin.DefaultOptions(r.port))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// end stops the process, which must have nothing to complain of.
func (r *running) end() {
	r.t.Helper()
	if code, said := r.stop(); code != 0 || said != "" {
		r.t.Fatalf("it ended with code %d and said %q", code, said)
	}
}

func TestAProcessGoesOnWhereItStopped(t *testing.T) {
	data := "-data=" + filepath.Join(t.TempDir(), "data")
	for range 2 {
		r := launch(t, platform(), data, "-bus=embed://"+address(t))
		r.awaitReady()
		if err := r.client().KV.Set("a", []byte("1")); err != nil {
			t.Fatal(err)
		}
		r.end()
	}
}

func TestASharedGroupMayNotLoseAnEngine(t *testing.T) {
	data := "-data=" + filepath.Join(t.TempDir(), "data")
	start := func(args ...string) {
		t.Helper()
		r := launch(t, platform(), append(args, data, "-bus=off")...)
		r.awaitReady()
		r.end()
	}
	start("-engines=kv")
	start("-engines=all") // one more may join
	said := refused(t, platform(), data, "-bus=off", "-engines=kv")
	for _, word := range []string{"all-0", "kv, queue", "-engines"} {
		if !strings.Contains(said, word) {
			t.Errorf("it says %q, and not %q", said, word)
		}
	}
	start("-engines=kv,queue")

	data = "-data=" + filepath.Join(t.TempDir(), "data")
	start("-groups=per-engine")
	start("-groups=per-engine", "-engines=kv") // the other group's log waits
	start("-groups=per-engine")
}

func TestAnEngineThatIsNeitherHereNorExpectedIsUnsupported(t *testing.T) {
	for _, args := range [][]string{{"-engines=kv", "-bus=off"}, {"-engines=kv", "-bus=embed://" + address(t)}} {
		r := launch(t, platform(), append(args, "-memory")...)
		r.awaitReady()
		_, err := r.client().Queue.Len("jobs")
		if code := wire.CodeOf(err); code != wire.Unsupported || !strings.Contains(fmt.Sprint(err), "-engines kv") {
			t.Errorf("with %v: %v, want Unsupported that names -engines", args, err)
		}
		r.end()
	}
}
