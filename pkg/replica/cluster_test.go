package replica

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// listen gives cfg a Raft listener on a free port.
func listen(t testing.TB, cfg *Config, address string) (stop func()) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	m := NewMux(ln, MuxConfig{Log: cfg.Log})
	cfg.Transport = m
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = m.Run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

// cluster is a group of three nodes in this process.
type cluster struct {
	t     *testing.T
	nodes []*node
}

// add opens one more node; the first begins the group.
func (c *cluster) add(change ...func(*Config)) *node {
	c.t.Helper()
	cfg, root := testConfig(c.t, string(rune('a'+len(c.nodes))))
	cfg.Bootstrap = len(c.nodes) == 0
	for _, f := range change {
		f(&cfg)
	}
	stop := listen(c.t, &cfg, "127.0.0.1:0")
	n := start(c.t, cfg, root)
	n.stopMux = stop
	c.nodes = append(c.nodes, n)
	return n
}

// three makes a group of three voters and returns its leader, the first node.
func three(t *testing.T, change ...func(*Config)) (*cluster, *node) {
	t.Helper()
	c := &cluster{t: t}
	a := c.add(change...)
	a.lead()
	for range 2 {
		n := c.add(change...)
		ok(t, a.AddNonvoter(n.ID(), n.address()))
		n.catchUp(a)
		ok(t, a.AddVoter(n.ID(), n.address()))
	}
	a.lead()
	return c, a
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// catchUp waits until n has applied what leader has.
func (n *node) catchUp(leader *node) {
	n.t.Helper()
	want := leader.Status().Applied
	until(n.t, fmt.Sprintf("%s has applied entry %d", n.cfg.NodeID, want), func() bool { return n.fsm.index.Load() >= want })
}

// leader waits for a node that leads and is ready, other than not.
func (c *cluster) leader(not ...*node) (found *node) {
	c.t.Helper()
	until(c.t, "somebody leads", func() bool {
		for _, n := range c.nodes {
			if !n.closed && n.stand.ready.Load() && (len(not) == 0 || n != not[0]) {
				found = n
				return true
			}
		}
		return false
	})
	return found
}

// same checks that all open nodes have equal stores at the leader's index.
func (c *cluster) same() {
	c.t.Helper()
	l := c.leader()
	until(c.t, "the leader has applied all", func() bool { return l.fsm.index.Load() == l.logs.last.Load() })
	want := l.hash()
	for _, n := range c.nodes {
		if n.closed {
			continue
		}
		n.catchUp(l)
		if got := n.hash(); fmt.Sprint(got) != fmt.Sprint(want) {
			c.t.Errorf("%s at %d and %s at %d differ: %x, %x", n.cfg.NodeID, n.fsm.index.Load(), l.cfg.NodeID, l.fsm.index.Load(), got, want)
		}
		if a, b := n.Status(), l.Status(); a.Revision != b.Revision || a.Time != b.Time {
			c.t.Errorf("%s is at revision %d and time %d, %s at %d and %d", n.cfg.NodeID, a.Revision, a.Time, l.cfg.NodeID, b.Revision, b.Time)
		}
	}
}

// hash returns the hashes of the node's stores.
func (n *node) hash() (all []uint64) {
	n.t.Helper()
	for _, m := range n.machines {
		h, err := m.store.Hash()
		ok(n.t, err)
		all = append(all, h)
	}
	return all
}

// fill makes count increments and sets through n and fails the test if one is not answered OK.
func (n *node) fill(from, count int) {
	n.t.Helper()
	c := newCollector()
	for i := from; i < from+count; i++ {
		n.Propose(&wire.Request{Op: opIncr, Tag: uint64(2 * i), Body: []byte("n")}, false, c)
		n.Propose(&wire.Request{Op: opSet, Tag: uint64(2*i + 1), Body: pair(fmt.Sprintf("key-%d", i%500), fmt.Sprintf("%01000d", i))}, false, c)
	}
	for i := from; i < from+count; i++ {
		for _, tag := range []uint64{uint64(2 * i), uint64(2*i + 1)} {
			if r := c.wait(n.t, tag); r.Code != wire.OK {
				n.t.Fatalf("%s: %s", r.Code, r.Body)
			}
		}
	}
}

func TestThreeVotersHoldTheSame(t *testing.T) {
	c, a := three(t)
	a.fill(0, 2000)
	c.same()
	if s := a.Status(); s.Voters() != 3 || s.Role != "leader" || s.Leader != a.ID() {
		t.Fatalf("status: %+v", s)
	}
	if a.CanRead() {
		t.Fatal("a leader of three may not read without asking")
	}
	for _, n := range c.nodes[1:] {
		r := n.do(opIncr, []byte("n"))
		if r.Code != wire.NotLeader {
			t.Errorf("a follower answered %s: %s", r.Code, r.Body)
		}
		until(t, "the follower is ready", n.Ready)
	}
}

func TestANewLeaderGoesOnWhereTheOldOneStopped(t *testing.T) {
	c, a := three(t)
	a.fill(0, 200)
	ok(t, a.TransferLeadership(c.nodes[1].ID()))
	b := c.leader(a)
	if r := b.must(opIncr, []byte("n")); r.Num != 201 || r.Rev != 401 {
		t.Fatalf("the new leader counts %d at revision %d", r.Num, r.Rev)
	}
	c.same()
}

func TestTheGroupSurvivesTheLossOfItsLeader(t *testing.T) {
	c, a := three(t)
	a.fill(0, 100)
	a.stopMux() // as if its cable was cut: the others do not hear it any more
	b := c.leader(a)
	before := b.Status().Time
	b.fill(100, 100)
	if b.Status().Time < before {
		t.Fatal("time ran back")
	}
	a.stop()
	if r := b.must(opIncr, []byte("n")); r.Num != 201 {
		t.Fatalf("the counter is at %d", r.Num)
	}
	c.same()
}

func TestACutOffLeaderNeverSaysThatItsWritesAreDone(t *testing.T) {
	c, a := three(t)
	a.fill(0, 10)
	for _, n := range c.nodes[1:] {
		n.stopMux()
	}
	cl := newCollector()
	for i := range uint64(50) {
		a.Propose(&wire.Request{Op: opIncr, Tag: i, Body: []byte("n")}, false, cl)
	}
	late := newCollector()
	for i := range uint64(50) {
		if r := cl.wait(t, i); r.Code != wire.OutcomeUnknown && r.Code != wire.Unavailable {
			t.Fatalf("%s: %s", r.Code, r.Body)
		}
	}
	a.Propose(&wire.Request{Op: opIncr, Tag: 1, Body: []byte("n"), Deadline: wire.DeadlineAfter(50e6)}, false, late)
	if r := late.wait(t, 1); r.Code != wire.Unavailable {
		t.Fatalf("without a leader: %s: %s", r.Code, r.Body)
	}
	var wg sync.WaitGroup
	wg.Add(1)
	a.AwaitRead(wire.DeadlineAfter(50e6), func(err error) {
		if wire.CodeOf(err) != wire.Unavailable {
			t.Errorf("a read was answered %v", err)
		}
		wg.Done()
	})
	wg.Wait()
}

func TestReadsOfALeaderShareRoundsAndSeeEveryWrite(t *testing.T) {
	_, a := three(t)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			key := fmt.Sprintf("k%d", w)
			c := newCollector()
			for i := range uint64(50) {
				a.Propose(&wire.Request{Op: opSet, Tag: i, Body: pair(key, fmt.Sprint(i))}, false, c)
				if r := c.wait(t, i); r.Code != wire.OK {
					t.Errorf("%s: %s", r.Code, r.Body)
				}
				done := make(chan error, 1)
				a.AwaitRead(0, func(err error) { done <- err })
				if err := <-done; err != nil {
					t.Error(err)
				} else if got := a.get(key); got != fmt.Sprint(i) {
					t.Errorf("read %q after %d was written", got, i)
				}
			}
		})
	}
	wg.Wait()
}

func TestAFollowerThatLagsGetsASnapshot(t *testing.T) {
	small := func(c *Config) { c.SnapshotBytes, c.TrailingBytes, c.CacheBytes, c.SegmentSize = 1<<20, 0, 0, 256<<10 }
	c, a := three(t, small)
	a.fill(0, 100)
	lag := c.nodes[2]
	lag.catchUp(a)
	lag.stop()
	for i := range 100 {
		a.fill(100+30*i, 30)
	}
	ok(t, a.Snapshot())
	first, err := a.logs.FirstIndex()
	ok(t, err)
	if first <= lag.fsm.index.Load() {
		t.Fatalf("the log still begins at %d, the follower has %d: no snapshot is needed", first, lag.fsm.index.Load())
	}
	c.nodes[2] = lag.rejoin()
	c.nodes[2].catchUp(a)
	if n := c.nodes[2].machines[0].resets.Load(); n == 0 {
		t.Fatal("no snapshot was installed")
	}
	a.fill(3100, 200)
	c.same()
	// What was installed is durable, and the log fits it.
	c.nodes[2] = c.nodes[2].rejoin()
	a.fill(3300, 100)
	c.same()
}

// rejoin stops a node and starts it again at the same address.
func (n *node) rejoin() *node {
	n.t.Helper()
	address := n.address()
	n.stop()
	n.stopMux()
	var stop func()
	again := n.restart(func(c *Config) { stop = listen(n.t, c, address) })
	again.stopMux = stop
	return again
}

func TestAllNodesCanBeRestarted(t *testing.T) {
	c, a := three(t)
	a.fill(0, 300)
	for i := range c.nodes {
		c.nodes[i] = c.nodes[i].rejoin()
	}
	l := c.leader()
	l.fill(300, 100)
	if r := l.must(opIncr, []byte("n")); r.Num != 401 {
		t.Fatalf("the counter is at %d", r.Num)
	}
	c.same()
}

func TestANodeThatLostItsDiskHasNoVote(t *testing.T) {
	c, a := three(t)
	a.fill(0, 50)
	lost := c.nodes[2]
	address := lost.address()
	lost.stop()
	lost.stopMux()
	cfg, root := testConfig(t, "c")
	cfg.Bootstrap = false
	stop := listen(t, &cfg, address)
	fresh := start(t, cfg, root)
	fresh.stopMux = stop
	c.nodes[2] = fresh
	if fresh.ID() == lost.ID() {
		t.Fatal("a new folder has the old identity")
	}
	// With the other follower gone as well there is no majority: the empty node must not lend its voice.
	c.nodes[1].stop()
	c.nodes[1].stopMux()
	until(t, "the leader steps down", func() bool { return !a.stand.ready.Load() })
	if r := a.do(opIncr, []byte("n")); r.Code != wire.Unavailable && r.Code != wire.OutcomeUnknown {
		t.Fatalf("%s: %s", r.Code, r.Body)
	}
	c.nodes[1] = c.nodes[1].rejoin()
	l := c.leader()
	ok(t, l.RemoveServer(lost.ID()))
	ok(t, l.AddNonvoter(fresh.ID(), address))
	fresh.catchUp(l)
	ok(t, l.AddVoter(fresh.ID(), address))
	l.must(opIncr, []byte("n"))
	c.same()
}

func TestAGroupInMemoryCopiesItselfToNewNodes(t *testing.T) {
	memory := func(c *Config) { c.Memory, c.SnapshotBytes, c.TrailingBytes = true, 256<<10, 0 }
	c, a := three(t, memory)
	for i := range 50 {
		a.fill(20*i, 20)
	}
	ok(t, a.Snapshot())
	d := c.add(memory)
	ok(t, a.AddNonvoter(d.ID(), d.address()))
	d.catchUp(a)
	a.fill(1000, 200)
	c.same()
	if d.machines[0].resets.Load() == 0 {
		t.Fatal("no snapshot was installed")
	}
}
