package enginetest

import (
	"context"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
)

// Hosted is an engine that lives in this process, as a node starts and stops it.
type Hosted interface {
	engine.Engine
	Machine() replica.Machine
	Serve(g *replica.Group)
	Run(ctx context.Context) error
	Close() error
}

// Node is an engine that runs over a real group.
type Node struct {
	Group *replica.Group
	Stop  func() // may be called again; the test's end does
}

// boot runs e, whose store is open, over a group with its log below dir: of one voter, unless change says otherwise. It does
// not wait for a leader. The test's end stops it and closes e.
func boot(t testing.TB, dir string, e Hosted, change func(*replica.Config)) *Node {
	t.Helper()
	cfg := replica.Default()
	cfg.Dir, cfg.Name, cfg.NodeID = filepath.Join(dir, "raft"), e.Machine().Engine().String()+"-0", "n1"
	if change != nil {
		change(&cfg)
	}
	g, err := replica.Open(cfg, e.Machine())
	if err != nil {
		_ = e.Close() // the test has failed
		t.Fatal(err)
	}
	e.Serve(g)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := e.Run(ctx); err != nil {
			t.Errorf("the engine ended with %v", err)
		}
	})
	n := &Node{Group: g, Stop: sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		if err := g.Close(); err != nil {
			t.Errorf("the group ended with %v", err)
		}
		if err := e.Close(); err != nil {
			t.Errorf("the store ended with %v", err)
		}
	})}
	t.Cleanup(n.Stop)
	return n
}

// CaughtUp waits until the group at one node has applied what it has at another.
func CaughtUp(t testing.TB, there, here *replica.Group) {
	t.Helper()
	want := there.Status().Last // what has been answered is in its log, but perhaps not yet counted as applied
	for deadline := time.Now().Add(30 * time.Second); here.Status().Applied < want; {
		if time.Now().After(deadline) {
			t.Fatal("a node has not caught up in 30 s")
		}
		time.Sleep(2 * time.Millisecond) // a group tells nobody how far it is
	}
}

// NextLeader waits until one of some nodes leads and serves, and returns it.
func NextLeader[W Booted](t testing.TB, among ...W) W {
	t.Helper()
	changed := make([]reflect.SelectCase, len(among), len(among)+1)
	for i, w := range among {
		c, stop := w.Base().Group.Follow()
		defer stop()
		changed[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)}
	}
	late := len(among)
	changed = append(changed, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(time.After(patience))})
	for {
		for _, w := range among {
			if w.Base().Group.Leads() {
				return w
			}
		}
		if i, _, _ := reflect.Select(changed); i == late {
			t.Fatalf("nobody leads after %v", patience)
		}
	}
}

// OneStore checks that all have the same store, by its hash, once they have applied what the first has.
func OneStore[W Booted](t testing.TB, all [3]W, hash func(W) (uint64, error)) {
	t.Helper()
	want, err := hash(all[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range all[1:] {
		CaughtUp(t, all[0].Base().Group, w.Base().Group)
		if got, err := hash(w); err != nil || got != want {
			t.Errorf("a follower's store is %x, the leader's %x: %v", got, want, err)
		}
	}
}
