package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skshohagmiah/flin/benchmarks/driver"
	"github.com/skshohagmiah/flin/benchmarks/load"
	"github.com/skshohagmiah/flin/benchmarks/proc"
)

// What the measurements of queues have in common.
const (
	queueBatch   = 100       // messages of a batch
	batchCallers = 32        // goroutines that work in batches: 3,200 messages at once
	singleFill   = 150_000   // messages that are there for each second of a measurement that takes them one by one
	batchFill    = 400_000   // … in batches
	mostFill     = 3_000_000 // messages that are there at most
	refillStep   = 250       // messages of a batch that keeps a queue at its level
	wornBy       = 1_000_000 // messages that have been through a worn queue
	diskBytes    = 10_000_000_000
	smallBody    = 128 // bytes of the messages of a deep queue
)

// The names of figures.
const (
	messageRate = "msg/s"
	onDisk      = "disk MB"
)

// queueSide is a server with a client of its queue.
type queueSide struct {
	name   string
	recipe proc.Recipe
	// filler is what the server is started as while messages are pushed that are there before the measurement: one that
	// fsyncs each by itself would take too long. nil: as recipe says, from the start.
	filler *proc.Recipe
	open   driver.OpenQueue
	nats   bool
}

// queueKind is a way to use a queue.
type queueKind struct {
	name    string
	callers int
	fill    float64 // messages that are to be there for each second; 0: the queue is empty at the beginning
	op      func(*driver.QueueWork) func(*load.Worker) load.Op
}

// The ways to use a queue.
var (
	push      = queueKind{"push", callers, 0, func(w *driver.QueueWork) func(*load.Worker) load.Op { return w.Push(0) }}
	pushBatch = queueKind{"push of 100", batchCallers, 0, func(w *driver.QueueWork) func(*load.Worker) load.Op { return w.PushBatch(queueBatch, 0) }}
	pop       = queueKind{"pop", callers, singleFill, func(w *driver.QueueWork) func(*load.Worker) load.Op { return w.Take() }}
	work      = queueKind{"lease + ack", callers, singleFill, func(w *driver.QueueWork) func(*load.Worker) load.Op { return w.Work(1) }}
	workBatch = queueKind{"lease + ack of 100", batchCallers, batchFill, func(w *driver.QueueWork) func(*load.Worker) load.Op { return w.Work(queueBatch) }}
)

// queueBench is one server and one client of its queue.
type queueBench struct {
	*proc.Server
	*driver.QueueWork
	side queueSide
}

// withQueue starts a server and a client for fn, and ends both whatever happens. size is the bytes of a body.
func (l *lab) withQueue(ctx context.Context, side queueSide, size int, fn func(*queueBench) error) (err error) {
	recipe := side.recipe
	if side.filler != nil {
		recipe = *side.filler
	}
	s, err := proc.Launch(ctx, l.dir, recipe)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	q, err := side.open(s.Addr)
	if err != nil {
		return errors.Join(err, s.Alive())
	}
	b := &queueBench{Server: s, QueueWork: driver.NewQueueWork(q, load.NewValues(seed, size)), side: side}
	defer func() { err = errors.Join(err, b.Queue.Close(), aliveAfter(err, s)) }()
	return fn(b)
}

// fill pushes n more messages and lets the server come to rest, as what it is measured as.
func (b *queueBench) fill(ctx context.Context, n uint64) error {
	to := b.Pushed() + n
	if _, err := load.Run(ctx, load.Config{Workers: batchCallers, Op: b.PushBatch(queueBatch, to), Abort: b.abort}); err != nil {
		return fmt.Errorf("push %d messages: %w", n, err)
	}
	if b.side.filler != nil {
		if err := errors.Join(b.Queue.Close(), b.Stop()); err != nil {
			return err
		}
		b.Recipe = b.side.recipe
		if err := b.Restart(ctx); err != nil {
			return err
		}
		q, err := b.side.open(b.Addr)
		if err != nil {
			return errors.Join(err, b.Alive())
		}
		b.Queue = q
	}
	return rest(ctx, settle)
}

// run lets workers do op for a while, or until there is nothing left to do, and returns the rate of messages.
func (b *queueBench) run(ctx context.Context, workers int, d time.Duration, op func(*load.Worker) load.Op) (figure, error) {
	return timed(ctx, load.Config{Workers: workers, Duration: d, Op: op, Abort: b.abort})
}

// abort makes calls that hang fail: the server that they wait for is gone.
func (b *queueBench) abort() { _ = b.Kill() }

// amount returns how many messages n are in this run, in whole batches.
func (l *lab) amount(n float64) uint64 {
	const step = 500 // whole batches of every size that is used
	return max(uint64(n*l.scale)/step*step, 1000)
}

// toFill returns how many messages are there before a measurement of kind k.
func (l *lab) toFill(k queueKind) uint64 { return l.amount(min(k.fill*l.seconds.Seconds(), mostFill)) }

// queueCalls measures what callers reach on a fresh server: with an empty queue for pushes, else with as many messages
// as a side of a row may take in the time.
func (l *lab) queueCalls(side queueSide, k queueKind) *probe {
	name := fmt.Sprintf("queue: %s, %s, %v", k.name, side.name, l.seconds)
	return &probe{name: name, nats: side.nats, measure: func(ctx context.Context) (out map[string]figure, err error) {
		if k.fill == 0 {
			side.filler = nil
		}
		err = l.withQueue(ctx, side, valueSize, func(b *queueBench) error {
			if k.fill > 0 {
				if err := b.fill(ctx, l.toFill(k)); err != nil {
					return err
				}
			}
			f, err := b.run(ctx, k.callers, l.seconds, k.op(b.QueueWork))
			out = map[string]figure{messageRate: f}
			return err
		})
		return out, err
	}}
}

// queueLevel measures pops out of a queue that is kept at level messages of 128 bytes by pushes of 250: the same work
// whatever the level, so that only the length of the queue differs.
func (l *lab) queueLevel(side queueSide, level float64, name string) *probe {
	return &probe{name: fmt.Sprintf("queue: pop at %s messages, %s, %v", name, side.name, l.seconds), measure: func(ctx context.Context) (out map[string]figure, err error) {
		err = l.withQueue(ctx, side, smallBody, func(b *queueBench) error {
			n := l.amount(level)
			if err := b.fill(ctx, n); err != nil {
				return err
			}
			refill, cancel := context.WithCancel(ctx)
			ended := make(chan error, 1)
			go func() {
				err := b.Refill(refill, n, refillStep)
				if err != nil {
					b.abort() // pops would wait for what does not come
				}
				ended <- err
			}()
			f, err := b.run(ctx, callers, l.seconds, b.TakeWaiting(grace))
			cancel()
			out = map[string]figure{messageRate: f}
			return errors.Join(err, <-ended)
		})
		return out, err
	}}
}

// grace is how long a pop waits for a message that is on its way.
const grace = 10 * time.Second

// queueWorn measures pops as queueCalls does, after a million messages have been pushed into the same queue and popped.
func (l *lab) queueWorn(side queueSide) *probe {
	return &probe{name: fmt.Sprintf("queue: pop after 1 million pops, %s, %v", side.name, l.seconds), measure: func(ctx context.Context) (out map[string]figure, err error) {
		err = l.withQueue(ctx, side, valueSize, func(b *queueBench) error {
			if err := b.fill(ctx, l.amount(wornBy)); err != nil {
				return err
			}
			if _, err := b.run(ctx, callers, 0, b.Take()); err != nil {
				return err
			}
			if err := b.fill(ctx, l.toFill(pop)); err != nil {
				return err
			}
			f, err := b.run(ctx, callers, l.seconds, b.Take())
			out = map[string]figure{messageRate: f}
			return err
		})
		return out, err
	}}
}

// queueDisk measures what a server's data takes on the disk after 10 GB of messages have gone through a queue: pushed
// in batches of 100, and leased and acknowledged in batches of 100 by those who pushed.
func (l *lab) queueDisk(side queueSide) *probe {
	return &probe{name: "queue: disk used after 10 GB, " + side.name, nats: side.nats, measure: func(ctx context.Context) (out map[string]figure, err error) {
		side.filler = nil
		err = l.withQueue(ctx, side, valueSize, func(b *queueBench) error {
			f, err := b.run(ctx, batchCallers, 0, b.Exchange(queueBatch, l.amount(diskBytes/valueSize)))
			if err != nil {
				return err
			}
			if err := rest(ctx, 5*settle); err != nil {
				return err
			}
			n, err := b.Disk()
			out = map[string]figure{onDisk: {value: megabytes(n)}, messageRate: f}
			return err
		})
		return out, err
	}}
}
