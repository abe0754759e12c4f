package doc

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/chores"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/held"
	"github.com/skshohagmiah/flin/pkg/engine/hub"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Engine is the document engine. It is an engine.Engine.
type Engine struct {
	log        *zap.Logger
	st         *store.Store
	machine    *fsm.Machine
	group      atomic.Pointer[replica.Group]
	memory     int // of one request
	batchBytes int
	ids        *objectIDs
	handlers   [256]handler

	pool    *pool.Pool
	buffers sync.Pool // of *[]byte, for answers and commands
	inserts sync.Pool // of *insertion
	held    *held.Requests
	turns   turns
	cursors *cursors
	txns    *txns
	builds  builds
	hub     *hub.Hub
	feed    feeder
	retain  retention

	chores  chores.Chores
	expired atomic.Uint64
	figures figures
	closing sync.Once
}

var _ engine.Engine = (*Engine)(nil)

// Open opens the engine's store. The engine serves once it has a group (Serve) and runs (Run).
func Open(cfg Config) (*Engine, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Store.Log == nil {
		cfg.Store.Log = cfg.Log
	}
	st, err := store.Open(cfg.Store)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		log: cfg.Log, st: st, memory: cfg.Memory, batchBytes: cfg.batchBytes, ids: newObjectIDs(), handlers: handlers(),
		pool: pool.New("document", cfg.Workers, cfg.Queue), cursors: newCursors(&cfg), builds: newBuilds(),
		hub: hub.New("document", cfg.MaxWatches, tellEvery), retain: retention{cfg.FeedRetention, cfg.FeedBytes},
	}
	e.chores = chores.Chores{Group: e.group.Load, Log: cfg.Log}
	e.buffers.New = func() any { return new([]byte) }
	e.inserts.New = func() any { return &insertion{e: e} }
	e.held = held.New(reads, func(l *held.Late) { e.begin(e.group.Load(), &l.Request, l.Replier) })
	e.machine, err = fsm.NewMachine(st, fsm.Options{OnCollection: e.altered, OnChanges: e.hub.Notify})
	if err != nil {
		_ = st.Close() // nothing was written
		return nil, err
	}
	e.feed.machine = e.machine
	e.txns = newTxns(&cfg, e.cursors)
	return e, nil
}

// Machine is the engine's part in its group.
func (e *Engine) Machine() replica.Machine { return e.machine }

// Serve tells the engine which group runs its machine. It is called once, before the first Submit.
func (e *Engine) Serve(g *replica.Group) { e.group.Store(g) }

// Run feeds the watches, builds indexes, removes documents whose time has come, what was dropped, recorded changes that are kept no longer,
// cursors that are idle and transactions that are open for too long, until ctx ends. It returns when its last goroutine has left.
func (e *Engine) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { e.hub.Run(ctx) })
	wg.Go(func() { e.runBuilds(ctx) })
	wg.Go(func() { e.runExpiry(ctx) })
	wg.Go(func() { e.runCollector(ctx) })
	wg.Go(func() { e.runTrim(ctx) })
	wg.Go(func() { e.runCursors(ctx) })
	wg.Wait()
	e.stop()
	return nil
}

// stop answers whoever is left and waits for the workers.
func (e *Engine) stop() {
	e.hub.Close()
	e.builds.close()
	e.pool.Close()
	e.cursors.close()
	e.txns.close()
}

// Close closes the store. The group must have been stopped and Run must have returned.
func (e *Engine) Close() (err error) {
	e.closing.Do(func() {
		e.stop()
		err = e.st.Close()
	})
	return err
}

// wallClock is the time of day in ms since 1970. It never decides what a replica does.
func wallClock() int64 { return time.Now().UnixMilli() }

// monotonic is a time in ms that never runs back.
func monotonic() int64 { return wire.Clock() / int64(time.Millisecond) }

var errStopping = wire.Errorf(wire.Unavailable, "the document engine is stopping")

// fail is the answer that says err, whose MongoDB code travels beside ours.
func fail(err error) wire.Response { return wire.Fail(fsm.WireError(err)) }
