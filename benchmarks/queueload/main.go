// Queueload puts a queue server under load through Flin's client: pushes, pops, leases with acknowledgements, and both
// kinds in batches. It is what queue-throughput.sh runs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/skshohagmiah/flin/benchmarks/driver"
	"github.com/skshohagmiah/flin/benchmarks/load"
	"github.com/skshohagmiah/flin/benchmarks/phase"
)

const (
	batchSize = 100     // messages of a batch
	perSecond = 150_000 // messages that are pushed beforehand for each second of a phase that takes them one by one
	mostReady = 4 << 30 // bytes of bodies that are pushed beforehand at most
)

func main() {
	var o phase.Options
	o.Flags("body", "message's body")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, &o); err != nil {
		fmt.Fprintln(os.Stderr, "queueload:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for the deferred stop to do
	}
}

func run(ctx context.Context, out io.Writer, o *phase.Options) (err error) {
	if err := o.Validate(); err != nil {
		return err
	}
	if o.Size < driver.MinBody || o.Size > 8<<20/batchSize {
		return fmt.Errorf("-body %d: choose from %d to %d, of which a batch of %d fits an answer", o.Size, driver.MinBody, 8<<20/batchSize, batchSize)
	}
	q, err := driver.FlinQueue(o.Addr)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", o.Addr, err)
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	abort := func() { _ = q.Close() }
	w := driver.NewQueueWork(q, load.NewValues(uint64(time.Now().UnixNano()), o.Size))
	ready := func(ctx context.Context) error {
		want := uint64(min(o.Seconds*perSecond, float64(mostReady/o.Size)))
		if w.Left() >= want {
			return nil
		}
		_, err := load.Run(ctx, load.Config{Workers: 16, Op: w.PushBatch(batchSize, w.Pushed()+want-w.Left()), Abort: abort})
		return err
	}
	fmt.Fprintf(out, "%d callers, bodies of %d B, %v s a phase, batches of %d\n\n", o.Clients, o.Size, o.Seconds, batchSize)
	const rate = "msg/s"
	return phase.Run(ctx, out, o, []phase.Phase{
		{Name: "push", Unit: rate, Goal: 104_000, Op: func() func(*load.Worker) load.Op { return w.Push(0) }},
		{Name: "pop", Unit: rate, Goal: 100_000, Before: ready, Op: w.Take},
		{Name: "lease+ack", Unit: rate, Before: ready, Op: func() func(*load.Worker) load.Op { return w.Work(1) }},
		{Name: "batch push", Unit: rate, Op: func() func(*load.Worker) load.Op { return w.PushBatch(batchSize, 0) }},
		{Name: "batch work", Unit: rate, Before: ready, Op: func() func(*load.Worker) load.Op { return w.Work(batchSize) }},
	}, abort)
}
