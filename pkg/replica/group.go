package replica

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/disk"
	"github.com/skshohagmiah/flin/pkg/wire"
)

var (
	errFaulted  = errors.New("the group has stopped after a fault")
	errStopping = errors.New("the group is stopping")
	errHung     = errors.New("its disk hangs")
)

// drainLimit is how long a stopping group waits for what is on its way.
const drainLimit = 2 * time.Second

// Group is this node's member of a Raft group, with the machines of one or more engines.
type Group struct {
	cfg    Config
	log    *zap.Logger
	ident  identity
	server string   // Raft server id: node/incarnation
	lock   *os.File // of the folder
	met    *metrics
	logs   *logStore
	fsm    *fsm
	snaps  *snapshotStore
	prop   *proposer
	reads  *readRounds
	stand  standing

	life     sync.Mutex // held while Raft is opened, reopened or stopped, and during membership changes
	turn     sync.Mutex // held while a change of leadership is passed on
	raft     atomic.Pointer[instance]
	relapsed chan struct{} // one slot: Raft must be reopened
	stopping chan struct{} // closed when the group stops
	faulted  chan struct{} // closed after a fault
	once     sync.Once     // the fault
	err      error         // it; read after faulted is closed
	close    sync.Once
	closeErr error
	wg       sync.WaitGroup
}

// Open starts the group: it locks and stamps the folder, opens the log, compares it with the machines' stores and starts
// Raft. The machines' stores must be open and stay open until Run has returned. What fails gives everything back.
func Open(cfg Config, machines ...Machine) (*Group, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if len(machines) == 0 {
		return nil, fmt.Errorf("replica: group %s has no machine", cfg.Name)
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.OnFault == nil {
		cfg.OnFault = func(err error) { panic(fmt.Sprintf("replica: fault: %v", err)) }
	}
	g := &Group{
		cfg: cfg, log: cfg.Log.With(zap.String("group", cfg.Name)), met: newMetrics(cfg.Name),
		relapsed: make(chan struct{}, 1), stopping: make(chan struct{}), faulted: make(chan struct{}),
	}
	if err := g.setUp(machines); err != nil {
		return nil, errors.Join(err, g.tearDown())
	}
	g.wg.Go(g.prop.run)
	g.wg.Go(g.prop.reap)
	g.wg.Go(g.reads.run)
	if err := g.start(); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	g.wg.Go(g.supervise)
	return g, nil
}

// setUp opens everything below Raft.
func (g *Group) setUp(machines []Machine) (err error) {
	if !g.cfg.Memory {
		if err := os.MkdirAll(g.cfg.Dir, 0o750); err != nil {
			return fmt.Errorf("create the folder of group %s: %w", g.cfg.Name, err)
		}
		// Before the log is opened: raft-wal would wait for ever.
		if g.lock, err = disk.Lock(filepath.Join(g.cfg.Dir, "LOCK")); err != nil {
			return fmt.Errorf("lock %s: %w; stop it, or choose another data folder (-data)", g.cfg.Dir, err)
		}
	}
	fresh := g.cfg.Memory || !exists(filepath.Join(g.cfg.Dir, identityName))
	if g.ident, err = identify(&g.cfg); err != nil {
		return err
	}
	g.server = g.ident.server()
	if g.fsm, err = newFSM(g, machines); err != nil {
		return err
	}
	for _, h := range g.fsm.hosts {
		if fresh && h.at > 0 {
			return fmt.Errorf("the folder %s of group %s is new or was emptied, but the store of engine %s holds its log up to entry %d: restore the whole data folder from a backup, or empty all of it and join the group anew",
				g.cfg.Dir, g.cfg.Name, h.machine.Engine(), h.at)
		}
	}
	if err := g.adopt(); err != nil {
		return err
	}
	g.snaps = &snapshotStore{f: g.fsm}
	if !g.cfg.Memory {
		g.snaps.dir = g.cfg.Dir
		if err := os.Remove(filepath.Join(g.cfg.Dir, incomingName)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if g.logs, err = openLog(&g.cfg, g.met); err != nil {
		return err
	}
	g.logs.floor, g.logs.fault, g.logs.relapse = g.snaps.floor, g.fault, g.relapse
	g.logs.full = make(chan struct{}, 1)
	g.logs.limit = g.cfg.SnapshotBytes
	at := g.fsm.pos
	if err := g.logs.check(at.Index, at.Term, g.log); err != nil {
		return err
	}
	random, _ := hex.DecodeString(newID(8))
	g.prop = newProposer(&g.cfg, binary.BigEndian.Uint64(random), g.submit, g.fsm.time.Load)
	g.reads = newReadRounds(g)
	g.stand.woken = g.reads.rouse
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// tearDown closes what setUp opened.
func (g *Group) tearDown() error {
	var errs []error
	if g.logs != nil {
		errs = append(errs, g.logs.close())
	}
	if g.lock != nil {
		errs = append(errs, g.lock.Close())
	}
	return errors.Join(errs...)
}

// Run waits until ctx ends, stops the group and returns when its last goroutine has left. After a fault it returns at once
// with the reason.
func (g *Group) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return g.Close()
	case <-g.stopping:
		return g.Close()
	case <-g.faulted:
		return errors.Join(g.err, g.Close())
	}
}

// Close stops the group as Run does at its end; it may be called more than once. Commands that wait are answered
// Unavailable; those on their way are waited for. A leader gives its leadership away first.
func (g *Group) Close() error {
	g.close.Do(func() { g.closeErr = g.shutDown() })
	return g.closeErr
}

func (g *Group) shutDown() error {
	var errs []error
	g.prop.close()
	in := g.raft.Load()
	if in != nil && g.stand.leads() != 0 && !in.alone(g.server) {
		if err := g.transfer(in, ""); err != nil {
			g.log.Info("the leadership could not be given away", zap.Error(err))
		}
	}
	g.drain()
	close(g.stopping)
	g.life.Lock()
	defer g.life.Unlock()
	g.logs.stopping.Store(true)
	if in := g.raft.Swap(nil); in != nil {
		errs = append(errs, in.stop())
	}
	g.stand.update(func() { g.stand.term, g.stand.leader = 0, "" })
	g.prop.failAll(raft.ErrRaftShutdown)
	if err := errors.Join(errs...); errors.Is(err, errHung) {
		// What holds Raft up holds the log as well: the process can only end.
		return fmt.Errorf("stop group %s: %w", g.cfg.Name, err)
	}
	left := make(chan struct{})
	go func() { g.wg.Wait(); close(left) }()
	select {
	case <-left:
	case <-time.After(stopLimit):
		errs = append(errs, fmt.Errorf("group %s: goroutines are left that wait for Raft", g.cfg.Name))
	}
	return errors.Join(append(errs, g.tearDown())...)
}

// drain waits until nothing is on its way. A Raft that is stopped never answers what it has only queued.
func (g *Group) drain() {
	for end := time.Now().Add(drainLimit); !g.prop.idle() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

// reopen replaces Raft by a new one over the same log and stores. life is held.
func (g *Group) reopen(single bool) error {
	in := g.raft.Load()
	if in == nil {
		return g.stopped()
	}
	g.stand.update(func() { g.stand.yielding = true })
	g.prop.lead(false, "")
	g.drain()
	g.turn.Lock()
	g.raft.Store(nil)
	g.turn.Unlock()
	err := in.stop()
	g.prop.failAll(raft.ErrRaftShutdown)
	g.stand.update(func() { g.stand.yielding, g.stand.term, g.stand.leader = false, 0, "" })
	if err == nil {
		if in, err = g.open(single); err == nil {
			g.run(in)
			return nil
		}
	}
	err = fmt.Errorf("reopen Raft of group %s: %w", g.cfg.Name, err)
	g.fault(err)
	return err
}

// submit hands an entry to Raft.
func (g *Group) submit(data []byte) raft.ApplyFuture {
	in := g.raft.Load()
	if in == nil {
		return refused{}
	}
	return in.ApplyLog(raft.Log{Data: data}, 0)
}

// refused is the future of an entry that there was no Raft for.
type refused struct{}

func (refused) Error() error  { return raft.ErrNotLeader }
func (refused) Response() any { return nil }
func (refused) Index() uint64 { return 0 }

// relapse asks for Raft to be reopened.
func (g *Group) relapse() {
	select {
	case g.relapsed <- struct{}{}:
	default:
	}
}

// fault ends the group: nothing is applied or acknowledged any more, and the process is asked to end.
func (g *Group) fault(err error) {
	g.once.Do(func() {
		g.err = err
		g.logs.abandon()
		g.log.Error("fault: the process must end", zap.Error(err))
		g.stand.update(func() { g.stand.yielding = true })
		g.prop.close()
		g.prop.failAll(errFaulted)
		close(g.faulted)
		g.cfg.OnFault(err)
	})
}

// stopped is what a stopped group answers.
func (g *Group) stopped() *wire.Error {
	return wire.Errorf(wire.Unavailable, "group %s is stopping", g.cfg.Name)
}

// Propose takes one command for the log, copying req.Body. read makes it an ordered read: it takes effect after everything
// proposed before it by the same Replier (see Laned), and writes nothing. r gets exactly one answer: the machine's, or Timeout,
// Unavailable, NotLeader, OutcomeUnknown, Full, TooLarge, Busy, Unsupported or Canceled. Any goroutine may call it; it never
// blocks for the disk. Replier must be comparable, as a pointer is.
func (g *Group) Propose(req *wire.Request, read bool, r wire.Replier) {
	h := g.fsm.byID[req.Op.Engine()]
	if h == nil {
		r.Reply(req.Tag, wire.Failf(wire.Unsupported, "group %s does not run engine %s", g.cfg.Name, req.Op.Engine()))
		return
	}
	if !read {
		if err := h.store.Full(); err != nil && !frees(h.machine, req) {
			r.Reply(req.Tag, wire.Fail(err))
			return
		}
	}
	g.prop.propose(req, read, r)
}

// frees reports whether a command gives space back.
func frees(m Machine, req *wire.Request) bool {
	f, ok := m.(Freer)
	return ok && f.Frees(req.Op, req.Body)
}

// Cancel withdraws the command that r proposed with tag, if it is not in an entry yet: it is answered Canceled. Otherwise
// its answer is on its way.
func (g *Group) Cancel(r wire.Replier, tag uint64) { g.prop.cancel(r, tag) }

// CanRead reports whether a read of the machines' stores is linearizable at this moment without asking anybody: this node
// is the only voter, leads, and has applied an entry of its own term. It costs one atomic load.
func (g *Group) CanRead() bool { return g.stand.local.Load() }

// Leads reports whether this node leads the group and has applied an entry of its own term. It costs one atomic load.
func (g *Group) Leads() bool { return g.stand.ready.Load() }

// AwaitRead calls fn once, perhaps before it returns, perhaps on another goroutine: with nil when a read of the machines'
// stores is linearizable, or with an *wire.Error (NotLeader, Unavailable). deadline is by wire.Clock; 0 is the group's
// patience. fn delays other reads while it runs.
func (g *Group) AwaitRead(deadline int64, fn func(error)) {
	if g.CanRead() {
		fn(nil)
		return
	}
	g.reads.add(deadline, fn)
}

// Snapshot flushes all stores and cuts the log. It returns when that is done.
func (g *Group) Snapshot() error {
	in := g.raft.Load()
	if in == nil {
		return g.stopped()
	}
	return g.cut(in)
}

// Name returns what the group is called, as all-0 or kv-0.
func (g *Group) Name() string { return g.cfg.Name }

// ID returns this node's Raft server id, node/incarnation.
func (g *Group) ID() string { return g.server }

// ClusterID returns the id of the cluster that the group belongs to.
func (g *Group) ClusterID() string { return g.ident.Cluster }
