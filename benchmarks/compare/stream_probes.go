package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/skshohagmiah/flin/benchmarks/driver"
	"github.com/skshohagmiah/flin/benchmarks/load"
	"github.com/skshohagmiah/flin/benchmarks/proc"
)

// What the measurements of streams have in common.
const (
	fewPartitions  = 4    // of a topic that is published to
	manyPartitions = 1000 // of the one that it is compared with
	members        = 8    // of a group that consumes: as many partitions and streams
	consumeBatch   = 256  // records that a member takes at once
	consumeFill    = 600_000
	senders        = 16  // goroutines that send without waiting
	sendWindow     = 256 // records that each of them has under way
)

// recordRate is the name of a figure.
const recordRate = "records/s"

// streamSide is a server with a client of its stream.
type streamSide struct {
	name   string
	recipe proc.Recipe
	open   driver.OpenStream
	nats   bool
}

// streamBench is one server and one client of its stream.
type streamBench struct {
	*proc.Server
	*driver.StreamWork
	side streamSide
}

// withStream starts a server and a client for fn, and ends both whatever happens.
func (l *lab) withStream(ctx context.Context, side streamSide, fn func(*streamBench) error) (err error) {
	s, err := proc.Launch(ctx, l.dir, side.recipe)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	c, err := side.open(s.Addr)
	if err != nil {
		return errors.Join(err, s.Alive())
	}
	b := &streamBench{Server: s, StreamWork: driver.NewStreamWork(c, load.NewValues(seed, valueSize)), side: side}
	defer func() { err = errors.Join(err, b.Close(), aliveAfter(err, s)) }()
	return fn(b)
}

// Close ends the client; the server is ended by who has started it.
func (b *streamBench) Close() error { return b.StreamWork.Close() }

// abort makes calls that hang fail: the server that they wait for is gone.
func (b *streamBench) abort() { _ = b.Kill() }

// fill publishes n records in batches and lets the server come to rest.
func (b *streamBench) fill(ctx context.Context, n uint64) error {
	_, err := load.Run(ctx, load.Config{Workers: batchCallers, Op: b.Fill(queueBatch, n), Abort: b.abort})
	if err == nil {
		err = b.CheckStored()
	}
	if err != nil {
		return fmt.Errorf("publish %d records: %w", n, err)
	}
	return rest(ctx, settle)
}

// streamCalls measures what callers reach who publish to an empty stream, each waiting for its answer.
func (l *lab) streamCalls(side streamSide, keys bool) *probe {
	what := "publish"
	if keys {
		what = "publish with keys"
	}
	return l.streamProbe(what, side, func(ctx context.Context, b *streamBench) (figure, error) {
		op := b.Publish()
		if keys {
			op = b.PublishKeys()
		}
		f, err := timed(ctx, load.Config{Workers: callers, Duration: l.seconds, Op: op, Abort: b.abort})
		if err != nil {
			return f, err
		}
		return f, b.CheckStored()
	})
}

// streamSend measures what goroutines reach that publish without waiting for each answer. Only the rate is told: how long
// Send takes says nothing.
func (l *lab) streamSend(side streamSide) *probe {
	return l.streamProbe("asynchronous publish", side, func(ctx context.Context, b *streamBench) (figure, error) {
		op, err := b.Send(senders, sendWindow)
		if err != nil {
			return figure{}, err
		}
		f, err := timed(ctx, load.Config{Workers: senders, Duration: l.seconds, Op: op, Abort: b.abort})
		if err == nil {
			err = b.Flush()
		}
		if err == nil {
			err = b.CheckStored()
		}
		return figure{value: f.value}, err
	})
}

// streamConsume measures how fast the members of a group take what was published before. One that uses it up ends early.
func (l *lab) streamConsume(side streamSide) *probe {
	return l.streamProbe("consume", side, func(ctx context.Context, b *streamBench) (figure, error) {
		err := b.fill(ctx, l.amount(min(consumeFill*l.seconds.Seconds(), mostFill)))
		if err == nil {
			err = b.Join(members)
		}
		if err != nil {
			return figure{}, err
		}
		res, err := load.Run(ctx, load.Config{Workers: members, Duration: l.seconds, Op: b.Consume(consumeBatch), Abort: b.abort})
		if err == nil && res.Elapsed < l.seconds && b.Left() > 0 {
			err = fmt.Errorf("no member finds a record, and %d did not come: %w", b.Left(), driver.ErrDrained)
		}
		if err != nil {
			return figure{}, err
		}
		return figureOf(res), nil
	})
}

// streamProbe is a probe that yields a rate of records on a fresh server.
func (l *lab) streamProbe(what string, side streamSide, measure func(context.Context, *streamBench) (figure, error)) *probe {
	return &probe{name: fmt.Sprintf("stream: %s, %s, %v", what, side.name, l.seconds), nats: side.nats, measure: func(ctx context.Context) (out map[string]figure, err error) {
		err = l.withStream(ctx, side, func(b *streamBench) error {
			f, err := measure(ctx, b)
			out = map[string]figure{recordRate: f}
			return err
		})
		return out, err
	}}
}
