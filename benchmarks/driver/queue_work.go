package driver

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/skshohagmiah/flin/benchmarks/load"
)

// QueueWork is what workers do to one queue, whichever client they do it with. Its messages are numbers from 0 up. A
// message that comes twice, or that is not as it was pushed, is a failure.
type QueueWork struct {
	Queue Queue
	numbered

	claimed atomic.Uint64 // how many deliveries have been asked for by Take and Work
}

// NewQueueWork returns the work on q with bodies out of values.
func NewQueueWork(q Queue, values *load.Values) *QueueWork {
	w := &QueueWork{Queue: q}
	w.init(values)
	return w
}

// Pushed returns how many messages have been pushed, when no run is under way and none failed.
func (w *QueueWork) Pushed() uint64 { return w.next.Load() }

// Push pushes one message a call. Limit is the number of messages at which to stop; 0: none.
func (w *QueueWork) Push(limit uint64) func(*load.Worker) load.Op {
	return func(*load.Worker) load.Op {
		var buf []byte
		return func() (int, error) {
			n, ok := claim(&w.next, 1, limit)
			if !ok {
				return 0, load.ErrDone
			}
			buf = w.body(buf, n)
			return 1, w.Queue.Push(buf)
		}
	}
}

// PushBatch pushes size messages a call. Limit is the number of messages at which to stop; 0: none.
func (w *QueueWork) PushBatch(size int, limit uint64) func(*load.Worker) load.Op {
	return func(*load.Worker) load.Op {
		bodies := make([][]byte, size)
		return func() (int, error) {
			from, ok := claim(&w.next, uint64(size), limit)
			if !ok {
				return 0, load.ErrDone
			}
			for i := range bodies {
				bodies[i] = w.body(bodies[i], from+uint64(i))
			}
			return size, w.Queue.PushBatch(bodies)
		}
	}
}

// Take takes one message a call for good, until all that had been pushed when the run began have come.
func (w *QueueWork) Take() func(*load.Worker) load.Op {
	all := w.Pushed()
	return func(*load.Worker) load.Op {
		t, ok := w.Queue.(Taker)
		c := bodyChecker{work: &w.numbered}
		return func() (int, error) {
			if !ok {
				return 0, fmt.Errorf("%T cannot take a message: %w", w.Queue, errors.ErrUnsupported)
			}
			if _, ok := claim(&w.claimed, 1, all); !ok {
				return 0, load.ErrDone
			}
			body, err := t.Pop(0)
			if err != nil {
				return 0, err
			}
			return 1, c.check(body)
		}
	}
}

// TakeWaiting takes one message a call for good and waits for it, as long as the run lasts.
func (w *QueueWork) TakeWaiting(wait time.Duration) func(*load.Worker) load.Op {
	return func(*load.Worker) load.Op {
		t, ok := w.Queue.(Taker)
		c := bodyChecker{work: &w.numbered}
		return func() (int, error) {
			if !ok {
				return 0, fmt.Errorf("%T cannot take a message: %w", w.Queue, errors.ErrUnsupported)
			}
			w.claimed.Add(1)
			body, err := t.Pop(wait)
			if err != nil {
				return 0, err
			}
			return 1, c.check(body)
		}
	}
}

// Work leases and acknowledges size messages a call, until all that had been pushed when the run began have come.
func (w *QueueWork) Work(size int) func(*load.Worker) load.Op {
	all := w.Pushed()
	return func(*load.Worker) load.Op {
		l, ok := w.Queue.(Leaser)
		c := bodyChecker{work: &w.numbered}
		return func() (int, error) {
			if !ok {
				return 0, fmt.Errorf("%T cannot lease a message: %w", w.Queue, errors.ErrUnsupported)
			}
			if _, ok := claim(&w.claimed, uint64(size), all); !ok {
				return 0, load.ErrDone
			}
			n, err := l.Work(size, c.check)
			if n < size { // the others are for whoever asks next
				w.claimed.Add(-uint64(size - n))
			}
			return n, err
		}
	}
}

// Exchange pushes size messages and leases and acknowledges as many in the same call. Limit is the number of messages
// at which to stop.
func (w *QueueWork) Exchange(size int, limit uint64) func(*load.Worker) load.Op {
	push := w.PushBatch(size, limit)
	return func(worker *load.Worker) load.Op {
		push := push(worker)
		l, ok := w.Queue.(Leaser)
		c := bodyChecker{work: &w.numbered}
		return func() (int, error) {
			if !ok {
				return 0, fmt.Errorf("%T cannot lease a message: %w", w.Queue, errors.ErrUnsupported)
			}
			if n, err := push(); err != nil {
				return n, err
			}
			done := 0
			for done < size {
				n, err := l.Work(size-done, c.check)
				if err != nil {
					return done, err
				}
				done += n
			}
			w.claimed.Add(uint64(done))
			return done, nil
		}
	}
}

// Refill keeps the queue at about level messages until ctx ends, by pushing batches of step as soon as that many have
// gone. It is for one goroutine beside a run of TakeWaiting.
func (w *QueueWork) Refill(ctx context.Context, level uint64, step int) error {
	op := w.PushBatch(step, 0)(nil)
	for ctx.Err() == nil {
		if w.Left()+uint64(step) > level {
			time.Sleep(100 * time.Microsecond) // a counter gives no sign
			continue
		}
		if _, err := op(); err != nil {
			return err
		}
	}
	return nil
}
