package replica

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The operations of the test machine: set key=value, add one to a counter, read a key, and a fault.
const (
	opSet   = wire.OpKVSet
	opIncr  = wire.OpKVIncr
	opGet   = wire.OpKVGet
	opFault = wire.OpKVFlush
)

// testMachine keeps keys in a real store. An incr is not idempotent: applying an entry twice, or not at all, shows.
type testMachine struct {
	id     wire.EngineID
	store  *store.Store
	gate   chan struct{} // if not nil, each command waits for a token
	resets atomic.Int64
	seen   atomic.Uint64
}

func (m *testMachine) Engine() wire.EngineID    { return m.id }
func (m *testMachine) Store() *store.Store      { return m.store }
func (m *testMachine) Applied(p store.Position) { m.seen.Store(p.Index) }
func (m *testMachine) Reset() error             { m.resets.Add(1); return nil }

// Frees says that opFault gives space back.
func (m *testMachine) Frees(op wire.Op, _ []byte) bool { return op == opFault }

func (m *testMachine) Apply(c *Command, ans *wire.Response) error {
	if m.gate != nil {
		<-m.gate
	}
	ans.Rev = c.Revision
	b := m.store.Begin()
	switch c.Op & 0xff {
	case opSet & 0xff:
		key, value := splitPair(c.Body)
		b.Set(key, nil, value)
	case opIncr & 0xff:
		v, _, err := b.Get(c.Body, nil)
		if err != nil {
			return err
		}
		n := uint64(1)
		if len(v.Body) == 8 {
			n += binary.BigEndian.Uint64(v.Body)
		}
		ans.Num = int64(n)
		b.Set(c.Body, nil, binary.BigEndian.AppendUint64(nil, n))
	case opGet & 0xff:
		v, ok, err := b.Get(c.Body, nil)
		b.Discard()
		if err != nil {
			return err
		}
		if ans.Body = v.Body; !ok {
			ans.Code = wire.NotFound
		}
		return nil
	case opFault & 0xff:
		b.Discard()
		return errors.New("the disk is gone")
	}
	b.Commit()
	return nil
}

// pair is the body of a set.
func pair(key, value string) []byte {
	return append(wire.AppendString(nil, key), value...)
}

func splitPair(b []byte) (key, value []byte) {
	r := wire.NewReader(b)
	return r.Bytes(), r.Rest()
}

// collector is a Replier that hands out each answer once.
type collector struct {
	mu      sync.Mutex
	answers map[uint64]wire.Response
	twice   []uint64
	news    chan struct{}
}

func newCollector() *collector {
	return &collector{answers: map[uint64]wire.Response{}, news: make(chan struct{}, 1)}
}

func (c *collector) Reply(tag uint64, r wire.Response) {
	r.Body = append([]byte(nil), r.Body...)
	c.mu.Lock()
	if _, ok := c.answers[tag]; ok {
		c.twice = append(c.twice, tag)
	}
	c.answers[tag] = r
	c.mu.Unlock()
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// wait returns the answer to tag.
func (c *collector) wait(t testing.TB, tag uint64) wire.Response {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		c.mu.Lock()
		r, ok := c.answers[tag]
		twice := len(c.twice) > 0
		c.mu.Unlock()
		if twice {
			t.Fatalf("answered more than once: %v", c.twice)
		}
		if ok {
			return r
		}
		select {
		case <-c.news:
		case <-limit:
			t.Fatalf("no answer to %d", tag)
		}
	}
}

func (c *collector) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.answers)
}

// node is one member of a group under test.
type node struct {
	*Group
	t        testing.TB
	cfg      Config
	root     string
	machines []*testMachine
	stopMux  context.CancelFunc
	faults   chan error
	closed   bool
}

// testConfig returns a Config with short timings, and a folder that the test removes.
func testConfig(t testing.TB, name string) (Config, string) {
	cfg := Default()
	root := t.TempDir()
	cfg.Dir = filepath.Join(root, "raft")
	cfg.Name, cfg.NodeID, cfg.ClusterID = "all-0", name, "test"
	cfg.SegmentSize = 1 << 20
	cfg.Heartbeat, cfg.Lease = 300*time.Millisecond, 200*time.Millisecond
	cfg.Log = zap.NewNop()
	if os.Getenv("FLIN_TEST_LOG") != "" {
		cfg.Log = zaptest.NewLogger(t).Named(name)
	}
	return cfg, root
}

// engines are those that a test group has by default.
var engines = []wire.EngineID{wire.EngineKV}

// openNode opens stores and group.
func openNode(t testing.TB, cfg Config, root string, ids ...wire.EngineID) (*node, error) {
	n := &node{t: t, cfg: cfg, root: root, faults: make(chan error, 4)}
	if len(ids) == 0 {
		ids = engines
	}
	var list []Machine
	for _, id := range ids {
		st, err := store.Open(store.Options{
			Dir: filepath.Join(root, "store", id.String()), Memory: cfg.Memory, CacheSize: 32 << 20, MinFree: 1,
			OnFault: func(err error) { n.faults <- err },
		})
		if err != nil {
			t.Fatal(err)
		}
		m := &testMachine{id: id, store: st}
		n.machines = append(n.machines, m)
		list = append(list, m)
	}
	n.cfg.OnFault = func(err error) { n.faults <- err }
	g, err := Open(n.cfg, list...)
	if err != nil {
		n.closeStores()
		return nil, err
	}
	n.Group = g
	t.Cleanup(n.stop)
	return n, nil
}

// start opens a node that must open.
func start(t testing.TB, cfg Config, root string, ids ...wire.EngineID) *node {
	t.Helper()
	n, err := openNode(t, cfg, root, ids...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// single starts a group of one.
func single(t testing.TB) *node {
	t.Helper()
	cfg, root := testConfig(t, "a")
	n := start(t, cfg, root)
	n.lead()
	return n
}

// restart stops the node and opens it again over the same folder.
func (n *node) restart(change ...func(*Config)) *node {
	n.t.Helper()
	n.stop()
	cfg := n.cfg
	for _, f := range change {
		f(&cfg)
	}
	ids := make([]wire.EngineID, len(n.machines))
	for i, m := range n.machines {
		ids[i] = m.id
	}
	return start(n.t, cfg, n.root, ids...)
}

func (n *node) stop() {
	if n.closed {
		return
	}
	n.closed = true
	if err := n.Group.Close(); err != nil {
		n.t.Errorf("close: %v", err)
	}
	n.closeStores()
}

func (n *node) closeStores() {
	for _, m := range n.machines {
		if err := m.store.Close(); err != nil {
			n.t.Errorf("close a store: %v", err)
		}
	}
}

// until waits for a condition that has no event of its own.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("it did not come to this: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// lead waits until the node leads and is ready.
func (n *node) lead() { n.t.Helper(); until(n.t, "the node leads", n.stand.ready.Load) }

// do proposes one command and waits for its answer.
func (n *node) do(op wire.Op, body []byte) wire.Response {
	n.t.Helper()
	c := newCollector()
	n.Propose(&wire.Request{Op: op, Tag: 1, Body: body}, false, c)
	return c.wait(n.t, 1)
}

// must is do for a command that has to succeed.
func (n *node) must(op wire.Op, body []byte) wire.Response {
	n.t.Helper()
	r := n.do(op, body)
	if r.Code != wire.OK {
		n.t.Fatalf("%s: %s %s", op, r.Code, r.Body)
	}
	return r
}

// get reads a key of the first store.
func (n *node) get(key string) string {
	n.t.Helper()
	v, _, err := n.machines[0].store.Get([]byte(key), nil)
	if err != nil {
		n.t.Fatal(err)
	}
	return string(v.Body)
}

// order is a Replier that insists on ascending tags.
type order struct {
	t    *testing.T
	next atomic.Uint64
}

func (o *order) Reply(tag uint64, r wire.Response) {
	if want := o.next.Load(); tag != want || r.Code != wire.OK {
		o.t.Errorf("answer %s to %d came when %d was due", r.Code, tag, want)
	}
	o.next.Add(1)
}
