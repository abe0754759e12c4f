// Streamload puts a stream server under load through Flin's client: publishes that wait for their answers, a producer that does
// not, a group that consumes, and records that are consumed as they are published. It is what stream-throughput.sh runs.
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
	partitions = 8   // of the topic, and members of its group
	batchSize  = 256 // records that a member takes at once
	senders    = 16  // goroutines that use the producer
	sendWindow = 256 // records that each of them has under way
	paceRate   = 2000
	pacers     = 32      // goroutines that publish at that rate
	perSecond  = 600_000 // records that are published beforehand for each second in which they are consumed
	mostReady  = 4 << 30 // bytes of bodies that are published beforehand at most
	largest    = 64 << 10
)

func main() {
	var o phase.Options
	o.Flags("body", "record's value")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, &o); err != nil {
		fmt.Fprintln(os.Stderr, "streamload:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for the deferred stop to do
	}
}

func run(ctx context.Context, out io.Writer, o *phase.Options) (err error) {
	if err := o.Validate(); err != nil {
		return err
	}
	if o.Size < driver.MinTimedBody || o.Size > largest {
		return fmt.Errorf("-body %d: choose from %d to %d", o.Size, driver.MinTimedBody, largest)
	}
	s, err := driver.FlinStream(partitions, true)(o.Addr)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", o.Addr, err)
	}
	w := driver.NewStreamWork(s, load.NewValues(uint64(time.Now().UnixNano()), o.Size))
	defer func() { err = errors.Join(err, w.Close()) }()
	abort := func() { _ = s.Close() }
	fmt.Fprintf(out, "%d callers, records of %d B, %v s a phase, %d partitions, %d members that take %d at once\n\n",
		o.Clients, o.Size, o.Seconds, partitions, partitions, batchSize)
	const rate = "rec/s"
	var send func(*load.Worker) load.Op
	return phase.Run(ctx, out, o, []phase.Phase{
		{Name: "publish", Unit: rate, Op: w.Publish, After: w.CheckStored},
		{
			Name: "produce", Unit: rate, Workers: senders, Untimed: true, Op: func() func(*load.Worker) load.Op { return send },
			Before: func(context.Context) (err error) {
				send, err = w.Send(senders, sendWindow)
				return err
			},
			After: func() error { return errors.Join(w.Flush(), w.CheckStored()) },
		},
		{
			Name: "consume", Unit: rate, Workers: partitions, Op: func() func(*load.Worker) load.Op { return w.Consume(batchSize) },
			Before: func(ctx context.Context) error {
				want := uint64(min(o.Seconds*perSecond, float64(mostReady/o.Size)))
				if more := max(want, w.Left()) - w.Left(); more > 0 {
					if _, err := load.Run(ctx, load.Config{Workers: senders, Op: w.Fill(100, w.Published()+more), Abort: abort}); err != nil {
						return err
					}
				}
				return w.Join(partitions)
			},
			After: func() error { return catchUp(ctx, w, abort) },
		},
		{Name: "deliver", Unit: rate, Run: func(ctx context.Context, d time.Duration) (*load.Result, error) {
			return w.Deliver(ctx, driver.Delivery{Publishers: pacers, Rate: paceRate, Duration: d, Abort: abort})
		}},
		{Name: "saturated", Unit: rate, Run: func(ctx context.Context, d time.Duration) (*load.Result, error) {
			return w.Deliver(ctx, driver.Delivery{Publishers: o.Clients, Duration: d, Abort: abort})
		}},
	}, abort)
}

// catchUp consumes what is left.
func catchUp(ctx context.Context, w *driver.StreamWork, abort func()) error {
	if _, err := load.Run(ctx, load.Config{Workers: partitions, Op: w.Consume(batchSize), Abort: abort}); err != nil {
		return err
	}
	if w.Left() > 0 {
		return fmt.Errorf("%d records did not come", w.Left())
	}
	return nil
}
