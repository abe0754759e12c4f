package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// grace is how long a run waits, after it was told to stop, for calls that are under way.
const grace = 20 * time.Second

// stopLook is how often a worker that waits for the time of its next call looks whether the run has ended.
const stopLook = 50 * time.Millisecond

// ErrHung is what Run returns when calls did not come back within the grace period.
var ErrHung = errors.New("calls under way did not come back")

// Op does one thing and waits until it is done. It returns how many keys that concerned.
type Op func() (keys int, err error)

// Worker is what a worker's Op is made with. It belongs to that worker's goroutine.
type Worker struct {
	ID   int        // 0 … Workers-1
	Rand *rand.Rand // seeded by ID
	ops  atomic.Uint64
	keys atomic.Uint64
	hist Histogram
	_    [64]byte // the counters of two workers are not on one cache line
}

// Config says what Run does.
type Config struct {
	Workers  int           // goroutines, each with one call under way
	Duration time.Duration // how long; 0: until an Op returns ErrDone
	// Rate is how many calls all workers together begin a second, each at its set time: what a call waits is counted from
	// then, so that one that hangs is held against those behind it as well. A worker that is late goes on without pause until
	// it has caught up. 0: a worker calls again as soon as its last call came back.
	Rate     float64
	Op       func(*Worker) Op                   // makes the Op of each worker
	Abort    func()                             // makes calls that hang fail (closes the client); may be nil
	Progress func(keys uint64, t time.Duration) // called once a second; may be nil
}

// ErrDone is returned by an Op that has nothing left to do. It ends its worker, and is no failure.
var ErrDone = errors.New("nothing left to do")

// Result is what a run did.
type Result struct {
	Ops     uint64
	Keys    uint64
	Elapsed time.Duration // until the last call came back
	Wait    Histogram     // of each Op, as its caller saw it
}

// KeysPerSecond returns the rate at which keys were served.
func (r *Result) KeysPerSecond() float64 { return float64(r.Keys) / max(r.Elapsed.Seconds(), 1e-9) }

// Run lets cfg.Workers goroutines call their Ops one after the other until the time is over, ctx ends, or one fails:
// the first failure ends the run and is returned with what was done until then.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	begin := time.Now()
	r := &runner{cfg: cfg, workers: make([]*Worker, cfg.Workers), begin: begin, done: make(chan struct{})}
	var wg sync.WaitGroup
	for i := range r.workers {
		w := &Worker{ID: i, Rand: rand.New(rand.NewPCG(uint64(i), 1))}
		r.workers[i] = w
		wg.Go(func() { r.work(w) })
	}
	go func() {
		wg.Wait()
		close(r.done)
	}()
	hung := r.watch(ctx, begin)
	res := &Result{Elapsed: time.Since(begin)}
	for _, w := range r.workers {
		res.Ops += w.ops.Load()
		res.Keys += w.keys.Load()
		if !hung { // else the histograms may still be written
			res.Wait.Merge(&w.hist)
		}
	}
	return res, r.verdict(ctx, hung)
}

type runner struct {
	cfg     Config
	workers []*Worker
	begin   time.Time
	stop    atomic.Bool
	failed  atomic.Pointer[error] // the first
	done    chan struct{}         // closed when no worker is left
}

func (r *runner) work(w *Worker) {
	op := r.cfg.Op(w)
	due, beat := time.Now(), r.beat()
	if beat > 0 {
		due = r.begin.Add(beat * time.Duration(w.ID) / time.Duration(r.cfg.Workers))
	}
	for r.await(due) {
		keys, err := op()
		if err != nil {
			if !errors.Is(err, ErrDone) {
				r.failed.CompareAndSwap(nil, &err)
				r.stop.Store(true)
			}
			return
		}
		now := time.Now() // the end of one call is the beginning of the next: one reading of the clock for each
		w.hist.Add(now.Sub(due))
		w.ops.Add(1)
		w.keys.Add(uint64(keys))
		if beat > 0 {
			due = due.Add(beat)
		} else {
			due = now
		}
	}
}

// beat returns the time between the beginnings of two calls of a worker, 0 if there is none.
func (r *runner) beat() time.Duration {
	if r.cfg.Rate <= 0 {
		return 0
	}
	return time.Duration(float64(r.cfg.Workers) / r.cfg.Rate * float64(time.Second))
}

// await returns true when it is time for a call, false if the run ends before.
func (r *runner) await(due time.Time) bool {
	for !r.stop.Load() {
		if r.cfg.Rate <= 0 {
			return true
		}
		left := time.Until(due)
		if left <= 0 {
			return true
		}
		time.Sleep(min(left, stopLook)) // the moment is what is waited for
	}
	return false
}

// watch waits for the end of the run and reports whether calls had to be given up.
func (r *runner) watch(ctx context.Context, begin time.Time) (hung bool) {
	var end <-chan time.Time
	if r.cfg.Duration > 0 {
		timer := time.NewTimer(r.cfg.Duration)
		defer timer.Stop()
		end = timer.C
	}
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-r.done:
			return false
		case <-end:
			r.stop.Store(true)
			return r.drain()
		case <-ctx.Done():
			r.stop.Store(true)
			return r.drain()
		case <-second.C:
			if r.cfg.Progress != nil {
				r.cfg.Progress(r.keys(), time.Since(begin))
			}
			if r.stop.Load() {
				return r.drain()
			}
		}
	}
}

func (r *runner) drain() (hung bool) {
	select {
	case <-r.done:
		return false
	case <-time.After(grace):
	}
	if r.cfg.Abort != nil {
		r.cfg.Abort()
	}
	select {
	case <-r.done:
	case <-time.After(grace):
		return true
	}
	return false
}

func (r *runner) keys() (n uint64) {
	for _, w := range r.workers {
		n += w.keys.Load()
	}
	return n
}

func (r *runner) verdict(ctx context.Context, hung bool) error {
	if err := r.failed.Load(); err != nil {
		return *err
	}
	if hung {
		return fmt.Errorf("%w %v after the end of the run", ErrHung, 2*grace)
	}
	return ctx.Err()
}
