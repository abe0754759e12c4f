package enginetest

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
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

// Boot runs e, whose store is open, over a group with its log below dir: of one voter, unless change says otherwise. It does
// not wait for a leader. The test's end stops it and closes e.
func Boot(t testing.TB, dir string, e Hosted, change func(*replica.Config)) *Node {
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

// BootThree runs a group of three voters in this process. boot is called for each, with its number and what Boot's change is
// to be; ready waits until the first, which leads, serves.
func BootThree(t testing.TB, boot func(i int, change func(*replica.Config)) *Node, ready func()) (all [3]*Node) {
	t.Helper()
	for i := range all {
		ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		mux := replica.NewMux(ln, replica.MuxConfig{})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); _ = mux.Run(ctx) }()
		t.Cleanup(func() { cancel(); <-done })
		n := boot(i, func(c *replica.Config) {
			c.NodeID, c.Bootstrap, c.Transport = fmt.Sprintf("n%d", i), i == 0, mux
			c.ClusterID = "test"
			// A busy machine must not cost the first its leadership unless it gives it away.
			c.Heartbeat, c.Lease = 4*time.Second, 3*time.Second
		})
		all[i] = n
		if i == 0 {
			ready()
			continue
		}
		lead := all[0].Group
		if err := lead.AddNonvoter(n.Group.ID(), ln.Addr().String()); err != nil {
			t.Fatal(err)
		}
		CaughtUp(t, lead, n.Group)
		if err := lead.AddVoter(n.Group.ID(), ln.Addr().String()); err != nil {
			t.Fatal(err)
		}
	}
	ready()
	return all
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
