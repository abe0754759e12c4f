package kv

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/kvd/kv/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/chores"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/hub"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
)

// Engine is the key-value engine. It is an engine.Engine.
type Engine struct {
	log     *zap.Logger
	st      *store.Store
	machine *fsm.Machine
	desk    *fsm.Desk
	pool    *pool.Pool
	hub     *hub.Hub
	feed    feeder
	group   atomic.Pointer[replica.Group]
	cached  statsCache
	swept   atomic.Uint64 // keys removed by sweeps that this node proposed
	chores  chores.Chores
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
	e := &Engine{log: cfg.Log, st: st, pool: pool.New("key-value", cfg.Workers, cfg.Queue)}
	e.chores = chores.Chores{Group: e.group.Load, Log: cfg.Log}
	e.hub = hub.New("key-value", cfg.MaxWatches, 0)
	ring := fsm.NewRing(cfg.WatchRing, e.hub.Notify)
	if e.machine, err = fsm.NewMachine(st, ring, cfg.MaxValue); err != nil {
		_ = st.Close() // nothing was written
		return nil, err
	}
	e.feed = feeder{ring: ring, rev: e.machine.Revision, stale: cfg.WatchRing / 4}
	e.desk = fsm.NewDesk(e.machine, wallClock)
	return e, nil
}

// wallClock is the time of day in ms since 1970. It never decides what a replica does.
func wallClock() int64 { return time.Now().UnixMilli() }

// Machine is the engine's part in its group.
func (e *Engine) Machine() replica.Machine { return e.machine }

// Serve tells the engine which group runs its machine. It is called once, before the first Submit.
func (e *Engine) Serve(g *replica.Group) { e.group.Store(g) }

// Run feeds the watches, sweeps what has expired and collects what emptied databases have left, until ctx ends. It returns
// when its last goroutine has left; watches and scans that are still there are answered Unavailable.
func (e *Engine) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { e.hub.Run(ctx) })
	wg.Go(func() { e.runSweeper(ctx) })
	wg.Go(func() { e.runCollector(ctx) })
	wg.Wait()
	e.hub.Close()
	e.pool.Close()
	return nil
}

// Close closes the store. The group must have been stopped and Run must have returned.
func (e *Engine) Close() (err error) {
	e.closing.Do(func() {
		e.hub.Close()
		e.pool.Close()
		err = e.st.Close()
	})
	return err
}
