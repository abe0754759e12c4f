package stream

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/chores"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/held"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/streamd/stream/internal/fsm"
)

// Engine is the stream engine. It is an engine.Engine.
type Engine struct {
	log        *zap.Logger
	st         *store.Store
	machine    *fsm.Machine
	group      atomic.Pointer[replica.Group]
	pool       *pool.Pool // slow reads of what is no batch
	buffers    sync.Pool  // of *[]byte, for the answers of reads
	autoTopics bool

	topics    topics
	publishes sync.Pool // of *publish
	batches   sync.Pool // of *batch
	presses   *crew[*source]
	pressing  atomic.Int64 // bytes that wait to be compressed, or for the log behind others
	creations creations
	held      *held.Requests

	calls *calls
	coord *coordinator

	chores   chores.Chores
	evicted  atomic.Uint64
	retained atomic.Uint64
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
	e := &Engine{log: cfg.Log, st: st, pool: pool.New("stream", cfg.Workers, cfg.Queue), autoTopics: cfg.AutoTopics}
	e.chores = chores.Chores{Group: e.group.Load, Log: cfg.Log}
	e.buffers.New = func() any { return new([]byte) }
	e.publishes.New = func() any { return &publish{e: e} }
	e.batches.New = func() any { return new(batch) }
	e.topics.all = make(map[string]*topic)
	e.presses = newCrew(runtime.GOMAXPROCS(0), e.press)
	e.creations.all = make(map[string]*creation)
	e.held = held.New(func(wire.Op) bool { return false }, e.beginLate)
	e.coord = newCoordinator(cfg.clock)
	e.calls = newCalls(e, cfg.MaxCalls, cfg.Workers)
	e.machine, err = fsm.NewMachine(st, fsm.Options{
		MaxMessage: cfg.MaxRecord, OnAppend: e.calls.appended, OnGroup: e.calls.regrouped, OnTopic: e.retopic,
	})
	if err != nil {
		_ = st.Close() // nothing was written
		return nil, err
	}
	return e, nil
}

// Machine is the engine's part in its group.
func (e *Engine) Machine() replica.Machine { return e.machine }

// Serve tells the engine which group runs its machine. It is called once, before the first Submit.
func (e *Engine) Serve(g *replica.Group) { e.group.Store(g) }

// Run ends the waits of calls, removes members that are silent and what topics keep no longer, until ctx ends. It returns when
// its last goroutine has left; calls that still wait are answered Unavailable.
func (e *Engine) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { e.calls.run(ctx) })
	wg.Go(func() { e.runEvictions(ctx) })
	wg.Go(func() { e.runRetention(ctx) })
	wg.Go(func() { e.runCollector(ctx) })
	wg.Wait()
	e.stop()
	return nil
}

// stop answers whoever is left and waits for the workers.
func (e *Engine) stop() {
	e.calls.close()
	e.closePresses()
	e.pool.Close()
}

// Close closes the store. The group must have been stopped and Run must have returned.
func (e *Engine) Close() (err error) {
	e.closing.Do(func() {
		e.stop()
		err = e.st.Close()
	})
	return err
}

// retopic is called on the apply goroutine when a topic was made, altered or deleted.
func (e *Engine) retopic(name string) {
	e.topics.changed.Store(true)
	e.calls.retopiced(name)
}

// wallClock is the time of day in ms since 1970. It never decides what a replica does.
func wallClock() int64 { return time.Now().UnixMilli() }

var errStopping = wire.Errorf(wire.Unavailable, "the stream engine is stopping")

func canceled() wire.Response { return wire.Failf(wire.Canceled, "the request was withdrawn") }
