// Kvload puts a key-value server under load through Flin's client: a phase of writes, one of reads, one of batches. It
// is what kv-throughput.sh runs.
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

// batchSize is how many keys an MSET of the batch phase writes.
const batchSize = 16

func main() {
	var o phase.Options
	o.Flags("value", "value")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, &o); err != nil {
		fmt.Fprintln(os.Stderr, "kvload:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for the deferred stop to do
	}
}

func run(ctx context.Context, out io.Writer, o *phase.Options) (err error) {
	if err := o.Validate(); err != nil {
		return err
	}
	if o.Size < 0 || o.Size > 8<<20/batchSize {
		return fmt.Errorf("-value %d: choose from 0 to %d, of which a batch of %d fits a request", o.Size, 8<<20/batchSize, batchSize)
	}
	kv, err := driver.Flin(o.Addr, 0)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", o.Addr, err)
	}
	defer func() { err = errors.Join(err, kv.Close()) }()
	w := &driver.Work{KV: kv, Values: load.NewValues(uint64(time.Now().UnixNano()), o.Size)}
	fmt.Fprintf(out, "%d callers, values of %d B, %v s a phase\n\n", o.Clients, o.Size, o.Seconds)
	return phase.Run(ctx, out, o, []phase.Phase{
		{Name: "write", Unit: "ops/s", Goal: 151_000, Op: func() func(*load.Worker) load.Op { return w.SetNew(0) }},
		{Name: "read", Unit: "ops/s", Goal: 319_000, Op: w.Get},
		{Name: "batch", Unit: "keys/s", Goal: 792_000, Op: func() func(*load.Worker) load.Op { return w.MSetNew(batchSize, 0) }},
	}, func() { _ = kv.Close() })
}
