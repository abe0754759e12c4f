package replica

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestTheSameLogTwiceGivesTheSameStores(t *testing.T) {
	n := single(t)
	n.fill(0, 3000)
	until(t, "the last entry is applied to its end", func() bool { return n.Status().Revision == 6000 })
	want, rev, at := n.hash(), n.Status().Revision, n.Status().Time
	for range 2 {
		n.stop()
		ok(t, os.RemoveAll(filepath.Join(n.root, "store")))
		n = n.restart()
		n.lead()
		if got := n.hash(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%x after a replay, %x before", got, want)
		}
		if s := n.Status(); s.Revision != rev || s.Time < at {
			t.Fatalf("revision %d and time %d after a replay, %d and %d before", s.Revision, s.Time, rev, at)
		}
	}
}

func TestEachEngineSkipsWhatItsStoreHas(t *testing.T) {
	const queueIncr = wire.Op(0x0205)
	cfg, root := testConfig(t, "a")
	n := start(t, cfg, root, wire.EngineKV, wire.EngineQueue)
	n.lead()
	for i := range 50 {
		n.must(opIncr, []byte("n"))
		n.must(queueIncr, []byte("n"))
		if i == 30 {
			// Only one of the two is on disk when the process ends.
			ok(t, <-n.machines[0].store.Rotate())
		}
	}
	want := n.hash()
	n = n.restart()
	n.lead()
	if got := n.hash(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%x after a restart, %x before", got, want)
	}
	if r := n.must(queueIncr, []byte("n")); r.Num != 51 || r.Rev != 101 {
		t.Fatalf("the counter is %d at revision %d", r.Num, r.Rev)
	}
}

func TestTheLogIsCutByBytes(t *testing.T) {
	cfg, root := testConfig(t, "a")
	cfg.SnapshotBytes, cfg.SegmentSize = 1<<20, 256<<10
	n := start(t, cfg, root)
	n.lead()
	body := pair("k", strings.Repeat("v", 100<<10))
	for range 60 {
		n.must(opSet, body)
	}
	until(t, "the log was cut", func() bool { f, _ := n.logs.FirstIndex(); return f > 20 })
	until(t, "its files are few", func() bool { return dirSize(cfg.Dir) < 4<<20 })
	want := n.hash()
	n = n.restart()
	n.lead()
	if got := n.hash(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%x after a restart, %x before", got, want)
	}
}

func TestAFaultOfAMachineEndsTheGroup(t *testing.T) {
	n := single(t)
	n.must(opIncr, []byte("n"))
	c := newCollector()
	n.Propose(&wire.Request{Op: opIncr, Tag: 1, Body: []byte("n")}, false, c)
	n.Propose(&wire.Request{Op: opFault, Tag: 2}, false, c)
	n.Propose(&wire.Request{Op: opIncr, Tag: 3, Body: []byte("n")}, false, c)
	code(t, c, 1, wire.OK)
	code(t, c, 2, wire.OutcomeUnknown)
	if r := c.wait(t, 3); r.Code != wire.OutcomeUnknown && r.Code != wire.Unavailable {
		t.Errorf("a command behind the fault: %s", r.Code)
	}
	if err := <-n.faults; !strings.Contains(err.Error(), "the disk is gone") {
		t.Error(err)
	}
	if n.CanRead() || n.Ready() {
		t.Error("a group with a fault serves")
	}
	if r := n.do(opIncr, []byte("n")); r.Code != wire.Unavailable {
		t.Errorf("after a fault: %s", r.Code)
	}
	if err := n.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "the disk is gone") {
		t.Errorf("Run returned %v", err)
	}
}

func TestRunEndsWithItsContextAndAnswersEverybody(t *testing.T) {
	n := single(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error)
	go func() { done <- n.Run(ctx) }()
	c := newCollector()
	for i := range uint64(2000) {
		n.Propose(&wire.Request{Op: opIncr, Tag: i, Body: []byte("n")}, false, c)
		if i == 1000 {
			cancel()
		}
	}
	ok(t, <-done)
	executed := int64(0)
	for i := range uint64(2000) {
		switch r := c.wait(t, i); r.Code {
		case wire.OK:
			executed++
		case wire.Unavailable:
		default:
			t.Fatalf("%s: %s", r.Code, r.Body)
		}
	}
	n.closed = true
	n.closeStores()
	again := start(t, n.cfg, n.root)
	again.lead()
	if r := again.must(opIncr, []byte("n")); r.Num != executed+1 {
		t.Fatalf("%d commands were answered OK, the counter is at %d", executed, r.Num)
	}
}

func TestAGroupInMemoryStartsEmpty(t *testing.T) {
	cfg, root := testConfig(t, "a")
	cfg.Memory, cfg.SnapshotBytes = true, 64<<10
	n := start(t, cfg, root)
	n.lead()
	for i := range 100 {
		n.fill(10*i, 10)
	}
	until(t, "the log was cut", func() bool { f, _ := n.logs.FirstIndex(); return f > 20 })
	if r := n.must(opIncr, []byte("n")); r.Num != 1001 {
		t.Fatalf("the counter is at %d", r.Num)
	}
	if _, err := os.Stat(cfg.Dir); err == nil {
		t.Error("a folder was made")
	}
}

func TestAFolderOfAnotherIsRefused(t *testing.T) {
	n := single(t)
	if _, err := openNode(t, n.cfg, t.TempDir()); err == nil || !strings.Contains(err.Error(), "running process holds it") {
		t.Errorf("a folder in use: %v", err)
	}
	n.stop()
	cases := map[string]func(*Config){
		`belongs to node "a", this is node "b"`: func(c *Config) { c.NodeID = "b" },
		`belongs to group "all-0"`:              func(c *Config) { c.Name = "kv-0" },
		"belongs to cluster test":               func(c *Config) { c.ClusterID = "other" },
	}
	for want, change := range cases {
		cfg := n.cfg
		change(&cfg)
		if _, err := openNode(t, cfg, n.root); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	stamp := filepath.Join(n.cfg.Dir, identityName)
	good, err := os.ReadFile(stamp)
	ok(t, err)
	ok(t, os.WriteFile(stamp, bytes.Replace(good, []byte(`"format": 1`), []byte(`"format": 2`), 1), 0o644))
	if _, err := openNode(t, n.cfg, n.root); err == nil || !strings.Contains(err.Error(), "format 2") {
		t.Errorf("a newer format: %v", err)
	}
	ok(t, os.WriteFile(stamp, good, 0o644))
	n.restart().lead()
}

func TestAnEmptiedLogUnderAFullStoreIsRefused(t *testing.T) {
	n := single(t)
	n.fill(0, 10)
	ok(t, n.Snapshot())
	n.stop()
	ok(t, os.RemoveAll(n.cfg.Dir))
	if _, err := openNode(t, n.cfg, n.root); err == nil || !strings.Contains(err.Error(), "was emptied") {
		t.Errorf("%v", err)
	}
}

func TestWhatAGroupDoesNotRunIsUnsupported(t *testing.T) {
	n := single(t)
	if r := n.do(0x0301, nil); r.Code != wire.Unsupported {
		t.Errorf("%s", r.Code)
	}
}

func TestAFullStoreTakesOnlyWhatGivesSpaceBack(t *testing.T) {
	cfg, root := testConfig(t, "a")
	st, err := store.Open(store.Options{Dir: filepath.Join(root, "store"), CacheSize: 32 << 20, MinFree: 1 << 60, OnFault: func(error) {}})
	ok(t, err)
	defer st.Close()
	cfg.OnFault = func(error) {}
	g, err := Open(cfg, &testMachine{id: wire.EngineKV, store: st})
	ok(t, err)
	defer g.Close()
	c := newCollector()
	g.Propose(&wire.Request{Op: opIncr, Tag: 1, Body: []byte("n")}, false, c)
	g.Propose(&wire.Request{Op: opGet, Tag: 2, Body: []byte("n")}, true, c)
	g.Propose(&wire.Request{Op: opFault, Tag: 3}, false, c)
	code(t, c, 1, wire.Full)
	code(t, c, 2, wire.NotFound)
	code(t, c, 3, wire.OutcomeUnknown)
}

func TestAReadWaitsForTheFirstEntryOfTheTerm(t *testing.T) {
	cfg, root := testConfig(t, "a")
	n := start(t, cfg, root)
	done := make(chan error, 1)
	n.AwaitRead(0, func(err error) { done <- err })
	ok(t, <-done)
	if !n.CanRead() {
		t.Error("it was not waited for")
	}
}

func TestRaftCanBeReopenedUnderLoad(t *testing.T) {
	n := single(t)
	executed := int64(0)
	for round := range 3 {
		in := n.raft.Load()
		c := newCollector()
		for i := range uint64(500) {
			n.Propose(&wire.Request{Op: opIncr, Tag: i, Body: []byte("n")}, false, c)
			if i == 250 {
				n.relapse()
			}
		}
		for i := range uint64(500) {
			if r := c.wait(t, i); r.Code != wire.OK {
				t.Fatalf("%s: %s", r.Code, r.Body)
			}
			executed++
		}
		until(t, "Raft was reopened", func() bool { now := n.raft.Load(); return now != nil && now != in })
		n.lead()
		if r := n.must(opIncr, []byte("n")); r.Num != executed+1 {
			t.Fatalf("round %d: %d commands were executed, the counter is at %d", round, executed, r.Num)
		}
		executed++
	}
}

func TestAnEngineJoinsAGroupWhoseLogHasBeenCut(t *testing.T) {
	const queueIncr = wire.Op(0x0205)
	cfg, root := testConfig(t, "a")
	cfg.SnapshotBytes, cfg.SegmentSize = 1<<20, 256<<10
	n := start(t, cfg, root)
	n.lead()
	body := pair("k", strings.Repeat("v", 100<<10))
	for range 40 {
		n.must(opSet, body)
	}
	until(t, "the log was cut", func() bool { f, _ := n.logs.FirstIndex(); return f > 1 })
	rev := n.must(opIncr, []byte("n")).Rev
	n.stop()
	// Folders from before engines were noted name none.
	stamp := filepath.Join(cfg.Dir, identityName)
	text, err := os.ReadFile(stamp)
	ok(t, err)
	old := bytes.Replace(text, []byte(",\n  \"engines\": [\n    \"kv\"\n  ]"), nil, 1)
	if bytes.Equal(text, old) {
		t.Fatalf("the stamp names no engine: %s", text)
	}
	ok(t, os.WriteFile(stamp, old, 0o600))

	n = start(t, n.cfg, root, wire.EngineKV, wire.EngineQueue)
	n.lead()
	if r := n.must(queueIncr, []byte("n")); r.Num != 1 || r.Rev <= rev {
		t.Fatalf("the new engine counts %d at revision %d, the old one was at %d", r.Num, r.Rev, rev)
	}
	want := n.hash()
	n = n.restart()
	n.lead()
	if got := n.hash(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%x after a restart, %x before", got, want)
	}
	n.stop()

	if _, err := openNode(t, n.cfg, root, wire.EngineKV); err == nil || !strings.Contains(err.Error(), "kv, queue") {
		t.Errorf("without an engine that the group has it opens: %v", err)
	}
	ok(t, os.RemoveAll(filepath.Join(root, "store", "queue")))
	if _, err := openNode(t, n.cfg, root, wire.EngineKV, wire.EngineQueue); err == nil || !strings.Contains(err.Error(), "was emptied") {
		t.Errorf("an emptied store is taken for a new engine: %v", err)
	}
}
