package driver

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/benchmarks/load"
)

// memoryQueue is a queue in memory that can be told to do wrong.
type memoryQueue struct {
	mu     sync.Mutex
	bodies [][]byte
	twice  bool // a message stays when it is handed out
	mangle bool // bodies are changed
}

func (q *memoryQueue) Push(body []byte) error { return q.PushBatch([][]byte{body}) }

func (q *memoryQueue) PushBatch(bodies [][]byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, body := range bodies {
		q.bodies = append(q.bodies, append([]byte(nil), body...))
	}
	return nil
}

func (q *memoryQueue) Pop(wait time.Duration) ([]byte, error) {
	for end := time.Now().Add(wait); ; {
		q.mu.Lock()
		if len(q.bodies) > 0 {
			body := q.bodies[0]
			if !q.twice {
				q.bodies = q.bodies[1:]
			}
			if q.mangle {
				body[len(body)-1]++
			}
			q.mu.Unlock()
			return body, nil
		}
		q.mu.Unlock()
		if time.Now().After(end) {
			return nil, ErrDrained
		}
	}
}

func (q *memoryQueue) Work(n int, see func([]byte) error) (int, error) {
	for done := range n {
		body, err := q.Pop(0)
		if errors.Is(err, ErrDrained) && done > 0 {
			return done, nil
		}
		if err == nil {
			err = see(body)
		}
		if err != nil {
			return done, err
		}
	}
	return n, nil
}

func (q *memoryQueue) Close() error { return nil }

// onlyPushes is a queue that can do nothing else.
type onlyPushes struct{ Queue }

func queueRun(t *testing.T, workers int, op func(*load.Worker) load.Op) (*load.Result, error) {
	t.Helper()
	return load.Run(t.Context(), load.Config{Workers: workers, Op: op})
}

func TestWhatIsPushedComesOnce(t *testing.T) {
	w := NewQueueWork(&memoryQueue{}, load.NewValues(1, 100))
	for _, op := range []func(*load.Worker) load.Op{w.Push(500), w.PushBatch(10, 1000)} {
		if _, err := queueRun(t, 8, op); err != nil {
			t.Fatal(err)
		}
	}
	if w.Pushed() != 1000 || w.Left() != 1000 {
		t.Fatalf("%d pushed, %d left, not 1000", w.Pushed(), w.Left())
	}
	worked, err := queueRun(t, 1, func(worker *load.Worker) load.Op {
		op, n := w.Work(10)(worker), 0
		return func() (int, error) {
			if n++; n > 50 {
				return 0, load.ErrDone
			}
			return op()
		}
	})
	if err != nil || worked.Keys != 500 {
		t.Fatalf("500 were to be leased, %d were: %v", worked.Keys, err)
	}
	taken, err := queueRun(t, 8, w.Take())
	if err != nil || taken.Keys != 500 || w.Left() != 0 {
		t.Errorf("500 were to be taken, %d were, %d are left: %v", taken.Keys, w.Left(), err)
	}
}

func TestAnExchangeLeavesNothing(t *testing.T) {
	q := &memoryQueue{}
	w := NewQueueWork(q, load.NewValues(1, 64))
	if res, err := queueRun(t, 4, w.Exchange(10, 400)); err != nil || res.Keys != 400 || len(q.bodies) != 0 {
		t.Errorf("%d of 400 came, %d are left: %v", res.Keys, len(q.bodies), err)
	}
}

func TestARefillKeepsTheLevel(t *testing.T) {
	q := &memoryQueue{}
	w := NewQueueWork(q, load.NewValues(1, 64))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Refill(ctx, 100, 10) }()
	left := 3000
	res, err := queueRun(t, 1, func(worker *load.Worker) load.Op {
		op := w.TakeWaiting(time.Minute)(worker)
		return func() (int, error) {
			if left--; left < 0 {
				return 0, load.ErrDone
			}
			return op()
		}
	})
	cancel()
	if err := errors.Join(err, <-ended); err != nil || res.Keys != 3000 {
		t.Errorf("%d of 3000 came: %v", res.Keys, err)
	}
	if len(q.bodies) > 100 {
		t.Errorf("the level is 100 and %d are there", len(q.bodies))
	}
}

func TestAQueueThatDoesWrongFailsTheRun(t *testing.T) {
	for _, c := range []struct {
		name string
		q    Queue
		op   func(*QueueWork) func(*load.Worker) load.Op
		says string
	}{
		{"a message comes twice", &memoryQueue{twice: true}, func(w *QueueWork) func(*load.Worker) load.Op { return w.Take() }, "came twice"},
		{"a body is changed", &memoryQueue{mangle: true}, func(w *QueueWork) func(*load.Worker) load.Op { return w.Work(1) }, "not as it was sent"},
		{"it cannot take", onlyPushes{&memoryQueue{}}, func(w *QueueWork) func(*load.Worker) load.Op { return w.Take() }, "cannot take"},
		{"it cannot lease", onlyPushes{&memoryQueue{}}, func(w *QueueWork) func(*load.Worker) load.Op { return w.Work(1) }, "cannot lease"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := NewQueueWork(c.q, load.NewValues(1, 64))
			if _, err := queueRun(t, 1, w.PushBatch(10, 200)); err != nil {
				t.Fatal(err)
			}
			if _, err := queueRun(t, 1, c.op(w)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the run ends with %v", err)
			}
		})
	}
	t.Run("a message is lost", func(t *testing.T) {
		q := &memoryQueue{}
		w := NewQueueWork(q, load.NewValues(1, 64))
		if _, err := queueRun(t, 1, w.Push(10)); err != nil {
			t.Fatal(err)
		}
		q.bodies = q.bodies[1:]
		if _, err := queueRun(t, 1, w.Take()); !errors.Is(err, ErrDrained) {
			t.Errorf("the run ends with %v", err)
		}
	})
}
