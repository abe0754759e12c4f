package kv

import (
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// pool runs scans on a bounded number of goroutines, which are there only while there is work. It also knows every scan
// that has not been answered, so that it can be withdrawn.
type pool struct {
	workers, limit int

	mu      sync.Mutex
	queue   []*task // those that wait, oldest first
	tasks   map[origin]*task
	running int
	closed  bool
	wg      sync.WaitGroup
}

// task is one request on its way through the pool. It is answered once, by whoever comes first.
type task struct {
	p        *pool
	origin   origin
	deadline int64
	run      func(t *task) // on a worker
	done     atomic.Bool
}

func newPool(workers, limit int) *pool {
	return &pool{workers: workers, limit: limit, tasks: make(map[origin]*task)}
}

// open makes a request known. It is not queued yet.
func (p *pool) open(r engine.Replier, req *wire.Request, run func(t *task)) *task {
	t := &task{p: p, origin: origin{r, req.Tag}, deadline: req.Deadline, run: run}
	p.mu.Lock()
	p.tasks[t.origin] = t
	p.mu.Unlock()
	return t
}

// add queues a task. With too many before it, it is answered Busy.
func (p *pool) add(t *task) {
	p.mu.Lock()
	var err error
	switch {
	case p.closed:
		err = errStopping
	case len(p.queue) >= p.limit:
		err = wire.Errorf(wire.Busy, "%d scans wait for the %d workers already (-workers)", len(p.queue), p.workers)
	default:
		p.queue = append(p.queue, t)
		if p.running < p.workers {
			p.running++
			p.wg.Go(p.work)
		}
	}
	p.mu.Unlock()
	if err != nil {
		t.answer(wire.Fail(err))
	}
}

// work runs tasks until there are none.
func (p *pool) work() {
	for {
		p.mu.Lock()
		if len(p.queue) == 0 {
			p.running--
			p.mu.Unlock()
			return
		}
		t := p.queue[0]
		p.queue[0] = nil
		p.queue = p.queue[1:]
		p.mu.Unlock()
		if err := t.stop(); err != nil {
			t.answer(wire.Fail(err))
			continue
		}
		t.run(t)
	}
}

// stop returns why the task should not go on, nil if it should.
func (t *task) stop() error {
	if t.done.Load() {
		return errCanceled
	}
	if t.deadline != 0 && wire.Clock() > t.deadline {
		return wire.Errorf(wire.Timeout, "the deadline passed before the scan was through")
	}
	return nil
}

// answer ends the task. Only the first answer is sent.
func (t *task) answer(resp wire.Response) {
	if !t.done.CompareAndSwap(false, true) {
		return
	}
	t.p.mu.Lock()
	if t.p.tasks[t.origin] == t {
		delete(t.p.tasks, t.origin)
	}
	t.p.mu.Unlock()
	t.origin.r.Reply(t.origin.tag, resp)
}

// cancel withdraws a request, if it is one of the pool's.
func (p *pool) cancel(r engine.Replier, tag uint64) bool {
	p.mu.Lock()
	t := p.tasks[origin{r, tag}]
	p.mu.Unlock()
	if t == nil {
		return false
	}
	t.answer(wire.Fail(errCanceled))
	return true
}

// close answers whoever is left and waits for the workers.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	var left []*task
	for _, t := range p.tasks {
		left = append(left, t)
	}
	p.mu.Unlock()
	for _, t := range left {
		t.answer(wire.Fail(errStopping))
	}
	p.wg.Wait()
}

// waiting returns how many tasks wait for a worker and how many run.
func (p *pool) waiting() (queued, running int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.queue), p.running
}
