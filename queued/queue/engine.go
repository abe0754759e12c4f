package queue

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/chores"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/queued/queue/internal/fsm"
)

// Engine is the message queue engine. It is an engine.Engine.
type Engine struct {
	log      *zap.Logger
	st       *store.Store
	machine  *fsm.Machine
	pool     *pool.Pool
	pops     *pops
	redrives redrives
	group    atomic.Pointer[replica.Group]
	buffers  sync.Pool // of *[]byte, for the answers of reads
	ticked   atomic.Uint64
	chores   chores.Chores
	closing  sync.Once
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
	e := &Engine{log: cfg.Log, st: st, pool: pool.New("queue", cfg.Workers, cfg.Queue)}
	e.chores = chores.Chores{Group: e.group.Load, Log: cfg.Log}
	e.buffers.New = func() any { return new([]byte) }
	e.redrives.all = make(map[pool.Origin]*redrive)
	e.pops = newPops(cfg.MaxWaiters, cfg.Log, &e.group)
	if e.machine, err = fsm.NewMachine(st, fsm.Options{MaxMessage: cfg.MaxMessage, OnReady: e.pops.ready}); err != nil {
		_ = st.Close() // nothing was written
		return nil, err
	}
	return e, nil
}

// settleTime is how long an engine that stops waits for what is to be put back.
const settleTime = 10 * time.Second

// wallClock is the time of day in ms since 1970. It never decides what a replica does.
func wallClock() int64 { return time.Now().UnixMilli() }

// Machine is the engine's part in its group.
func (e *Engine) Machine() replica.Machine { return e.machine }

// Serve tells the engine which group runs its machine. It is called once, before the first Submit.
func (e *Engine) Serve(g *replica.Group) { e.group.Store(g) }

// Run lets time pass, ends the waits of pops and collects what removed queues have left, until ctx ends. It returns when its
// last goroutine has left; pops that still wait are answered Unavailable, and what is to be put back has been.
func (e *Engine) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { e.runTicker(ctx) })
	wg.Go(func() { e.runCollector(ctx) })
	wg.Go(func() { e.pops.run(ctx) })
	wg.Wait()
	e.pops.close()
	e.pops.settle(settleTime)
	e.pool.Close()
	return nil
}

// Close closes the store. The group must have been stopped and Run must have returned.
func (e *Engine) Close() (err error) {
	e.closing.Do(func() {
		e.pops.close()
		e.pool.Close()
		err = e.st.Close()
	})
	return err
}
