// Package pool runs the requests of an engine that may take long on a bounded number of goroutines.
package pool

import (
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Pool runs tasks on goroutines that are there only while there is work. It also knows every task that has not been
// answered, so that it can be withdrawn.
type Pool struct {
	engine         string
	workers, limit int

	mu      sync.Mutex
	queue   []*Task // those that wait, oldest first
	tasks   map[Origin]*Task
	running int
	closed  bool
	wg      sync.WaitGroup
}

// Origin names a request: who asked, and the tag it gave.
type Origin struct {
	Replier engine.Replier
	Tag     uint64
}

// Task is one request on its way through the pool. It is answered once, by whoever comes first.
type Task struct {
	p        *Pool
	origin   Origin
	deadline int64
	run      func(t *Task) // on a worker
	after    func()        // nil, or called once when the task has been answered
	done     atomic.Bool
	bound    atomic.Bool // it cannot be withdrawn any more
}

// New returns a pool of so many workers, for which at most limit tasks wait. engine is what its answers call its owner.
func New(engine string, workers, limit int) *Pool {
	return &Pool{engine: engine, workers: workers, limit: limit, tasks: make(map[Origin]*Task)}
}

// Open makes a request known: it can be withdrawn from now on. It is not queued yet. run must answer the task.
func (p *Pool) Open(r engine.Replier, req *wire.Request, run func(t *Task)) *Task {
	return p.OpenThen(r, req, run, nil)
}

// OpenThen is Open with a function that is called once, when the request has been answered by whomever.
func (p *Pool) OpenThen(r engine.Replier, req *wire.Request, run func(t *Task), after func()) *Task {
	t := &Task{p: p, origin: Origin{r, req.Tag}, deadline: req.Deadline, run: run, after: after}
	p.mu.Lock()
	p.tasks[t.origin] = t
	p.mu.Unlock()
	return t
}

// Bind takes a task out of what can be withdrawn: from now on it is answered by its owner alone, who must do so even when the pool
// is closed. It is false if the task has been answered already.
func (t *Task) Bind() bool {
	if t.bound.Load() {
		return true
	}
	t.p.mu.Lock()
	defer t.p.mu.Unlock()
	if t.p.tasks[t.origin] != t || t.done.Load() {
		return false
	}
	delete(t.p.tasks, t.origin)
	t.bound.Store(true)
	return true
}

// Continue sets what a task does when it runs next. Only who runs it, or has bound it, may call it.
func (t *Task) Continue(run func(t *Task)) { t.run = run }

// Again queues a task once more that has run already and waited for something since: it is not refused for the number of others.
// It is false if the pool is closed.
func (p *Pool) Again(t *Task) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.push(t)
	return true
}

// push queues a task. Under mu.
func (p *Pool) push(t *Task) {
	p.queue = append(p.queue, t)
	if p.running < p.workers {
		p.running++
		p.wg.Go(p.work)
	}
}

// Add queues a task. With too many before it, it is answered Busy.
func (p *Pool) Add(t *Task) {
	p.mu.Lock()
	var err error
	switch {
	case p.closed:
		err = p.stopping()
	case len(p.queue) >= p.limit:
		err = wire.Errorf(wire.Busy, "%d requests wait for the %d workers already (-workers)", len(p.queue), p.workers)
	default:
		p.push(t)
	}
	p.mu.Unlock()
	if err != nil {
		t.Answer(wire.Fail(err))
	}
}

// Ready queues a task that has waited for something, or answers it why that will not be.
func (t *Task) Ready(err error) {
	if err != nil {
		t.Answer(wire.Fail(err))
		return
	}
	t.p.Add(t)
}

// work runs tasks until there are none.
func (p *Pool) work() {
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
		if !t.bound.Load() {
			if err := t.Stop(); err != nil {
				t.Answer(wire.Fail(err))
				continue
			}
		}
		t.run(t)
	}
}

// Stop returns why the task should not go on, nil if it should.
func (t *Task) Stop() error {
	if t.done.Load() {
		return canceled()
	}
	if t.deadline != 0 && wire.Clock() > t.deadline {
		return wire.Errorf(wire.Timeout, "the deadline passed before the request was through")
	}
	return nil
}

// Deadline is that of the request.
func (t *Task) Deadline() int64 { return t.deadline }

// Answer ends the task. Only the first answer is sent.
func (t *Task) Answer(resp wire.Response) {
	if !t.done.CompareAndSwap(false, true) {
		return
	}
	t.p.mu.Lock()
	if t.p.tasks[t.origin] == t {
		delete(t.p.tasks, t.origin)
	}
	t.p.mu.Unlock()
	t.origin.Replier.Reply(t.origin.Tag, resp)
	if t.after != nil {
		t.after()
	}
}

// Cancel withdraws a request, if it is one of the pool's.
func (p *Pool) Cancel(r engine.Replier, tag uint64) bool {
	p.mu.Lock()
	t := p.tasks[Origin{r, tag}]
	p.mu.Unlock()
	if t == nil {
		return false
	}
	t.Answer(wire.Fail(canceled()))
	return true
}

// Close answers whoever is left and waits for the workers.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	var left []*Task
	for _, t := range p.tasks {
		left = append(left, t)
	}
	p.mu.Unlock()
	for _, t := range left {
		t.Answer(wire.Fail(p.stopping()))
	}
	p.wg.Wait()
}

// Waiting returns how many tasks wait for a worker and how many run.
func (p *Pool) Waiting() (queued, running int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.queue), p.running
}

func (p *Pool) stopping() error {
	return wire.Errorf(wire.Unavailable, "the %s engine is stopping", p.engine)
}

func canceled() error { return wire.Errorf(wire.Canceled, "the request was withdrawn") }
