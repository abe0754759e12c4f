package enginetest

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Payload is any message of pkg/wire.
type Payload interface{ Append(b []byte) []byte }

// World is an engine over a real group, for the tests of its package. The package's own world embeds it beside its *Engine,
// whose fields and methods its tests use.
type World struct {
	*Node
	T testing.TB

	e engine.Engine
}

// Base returns w itself, so that what embeds it can be asked for it.
func (w *World) Base() *World { return w }

// Do asks for one operation and waits.
func (w *World) Do(op wire.Op, m Payload, flags wire.Flags) wire.Response {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	resp, _ := engine.Do(ctx, w.e, wire.Request{Op: op, Flags: flags, Body: m.Append(nil)})
	return resp
}

// Must is Do for an operation that has to succeed.
func (w *World) Must(op wire.Op, m Payload) wire.Response {
	w.T.Helper()
	resp := w.Do(op, m, 0)
	if err := resp.Err(); err != nil {
		w.T.Fatalf("%v: %v", op, err)
	}
	return resp
}

// Booted is a package's own world: it embeds its *Engine and a *World.
type Booted interface {
	engine.Engine
	Base() *World
}

// Worlds makes the worlds of a package: engines E with configurations C, as its own type W.
type Worlds[C any, E Hosted, W Booted] struct {
	Default func() C
	Store   func(cfg *C) *store.Options // the store's part of a configuration
	Open    func(cfg C) (E, error)
	Wrap    func(e E, w *World) W
	// Ready is a read that a new engine answers OK or NotFound once its group serves.
	Ready wire.Request
}

// New starts an engine in a temporary folder over a group of one voter, waits until it serves, and stops it when the test ends.
// change, which may be nil, changes its configuration.
func (k *Worlds[C, E, W]) New(t testing.TB, change func(*C)) W {
	t.Helper()
	return k.Start(t, t.TempDir(), change)
}

// Start is New in a folder that may have a store already.
func (k *Worlds[C, E, W]) Start(t testing.TB, dir string, change func(*C)) W {
	t.Helper()
	w := k.boot(t, dir, change, nil)
	k.ready(w.Base())
	return w
}

// open opens an engine in dir that runs over no group yet.
func (k *Worlds[C, E, W]) open(t testing.TB, dir string, change func(*C)) (E, *store.Options) {
	t.Helper()
	cfg := k.Default()
	o := k.Store(&cfg)
	o.Dir, o.MinFree, o.CacheSize = filepath.Join(dir, "store"), 1, 32<<20
	if change != nil {
		change(&cfg)
	}
	e, err := k.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e, o
}

// boot starts an engine in dir, perhaps as one node of several, and does not wait for a leader.
func (k *Worlds[C, E, W]) boot(t testing.TB, dir string, change func(*C), changeGroup func(*replica.Config)) W {
	t.Helper()
	e, o := k.open(t, dir, change)
	n := boot(t, dir, e, func(c *replica.Config) {
		c.Memory = o.Memory
		if changeGroup != nil {
			changeGroup(c)
		}
	})
	return k.Wrap(e, &World{Node: n, T: t, e: e})
}

// ready waits until the group serves: when an ordered read comes back.
func (k *Worlds[C, E, W]) ready(w *World) {
	w.T.Helper()
	req := k.Ready
	req.Flags |= wire.FlagOrdered
	if resp := ask(w.T, w.e, req); resp.Code != wire.OK && resp.Code != wire.NotFound {
		w.T.Fatalf("the group does not answer: %v %s", resp.Code, resp.Body)
	}
}

// Three starts three engines over a group of three voters in this process. The first leads, and serves.
func (k *Worlds[C, E, W]) Three(t testing.TB) (all [3]W) {
	t.Helper()
	for i := range all {
		mux, addr := listen(t)
		all[i] = k.boot(t, t.TempDir(), nil, func(c *replica.Config) {
			c.NodeID, c.Bootstrap, c.Transport = fmt.Sprintf("n%d", i), i == 0, mux
			c.ClusterID = "test"
			// A busy machine must not cost the first its leadership unless it gives it away.
			c.Heartbeat, c.Lease = 4*time.Second, 3*time.Second
		})
		lead, here := all[0].Base(), all[i].Base()
		if i == 0 {
			k.ready(lead)
			continue
		}
		if err := lead.Group.AddNonvoter(here.Group.ID(), addr); err != nil {
			t.Fatal(err)
		}
		CaughtUp(t, lead.Group, here.Group)
		if err := lead.Group.AddVoter(here.Group.ID(), addr); err != nil {
			t.Fatal(err)
		}
	}
	k.ready(all[0].Base())
	return all
}

// Contract holds the engines of k to their contract: without a group, with one voter and as the leader of three.
func (k *Worlds[C, E, W]) Contract(t *testing.T, spec Spec) {
	t.Run("without a group nothing is served", func(t *testing.T) { k.alone(t, &spec) })
	Run(t, spec, func(t *testing.T) engine.Engine { return k.New(t, nil) })
	t.Run("voters=3", func(t *testing.T) {
		if testing.Short() {
			t.Skip("a group of three takes its time")
		}
		Run(t, spec, func(t *testing.T) engine.Engine { return k.Three(t)[0] })
	})
}

// alone asks an engine that runs over no group.
func (k *Worlds[C, E, W]) alone(t *testing.T, spec *Spec) {
	e, _ := k.open(t, t.TempDir(), nil)
	all := []wire.Request{spec.Write(1), spec.Read()}
	if spec.Stream != nil {
		all = append(all, spec.Stream())
	}
	if spec.Wait != nil {
		all = append(all, spec.Wait(0), spec.Feed())
	}
	c := NewClient(t)
	for i, req := range all {
		req.Tag = uint64(i)
		e.Submit(req, c)
		if resp := c.last(req.Tag); resp.Code != wire.Unavailable {
			t.Errorf("%v was answered %v: %s", req.Op, resp.Code, resp.Body)
		}
		e.Cancel(c, req.Tag)
		e.Credit(c, req.Tag, 1)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// listen opens a port for Raft until the test ends.
func listen(t testing.TB) (*replica.Mux, string) {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := replica.NewMux(ln, replica.MuxConfig{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = mux.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return mux, ln.Addr().String()
}
