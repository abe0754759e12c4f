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
)

// batchSize is how many keys an MSET of the batch phase writes.
const batchSize = 16

// phase is one kind of load with the rate that the project has set itself as its headline goal.
type phase struct {
	name string
	unit string
	goal float64 // keys a second
	op   func(*driver.Work) func(*load.Worker) load.Op
}

var phases = []phase{
	{"write", "ops/s", 151_000, func(w *driver.Work) func(*load.Worker) load.Op { return w.SetNew(0) }},
	{"read", "ops/s", 319_000, func(w *driver.Work) func(*load.Worker) load.Op { return w.Get() }},
	{"batch", "keys/s", 792_000, func(w *driver.Work) func(*load.Worker) load.Op { return w.MSetNew(batchSize, 0) }},
}

type options struct {
	addr      string
	clients   int
	seconds   float64
	valueSize int
}

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "localhost:7380", "`address` of the server")
	flag.IntVar(&o.clients, "clients", 256, "callers at once; all share the client's few connections")
	flag.Float64Var(&o.seconds, "seconds", 10, "seconds of each phase")
	flag.IntVar(&o.valueSize, "value", 1024, "`bytes` of each value")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "kvload:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for the deferred stop to do
	}
}

func run(ctx context.Context, out io.Writer, o options) (err error) {
	switch {
	case o.clients < 1 || o.clients > 100_000:
		return fmt.Errorf("-clients %d: choose from 1 to 100000", o.clients)
	case o.seconds < 0.1 || o.seconds > 3600:
		return fmt.Errorf("-seconds %v: choose from 0.1 to 3600", o.seconds)
	case o.valueSize < 0 || o.valueSize > 8<<20/batchSize:
		return fmt.Errorf("-value %d: choose from 0 to %d, of which a batch of %d fits a request", o.valueSize, 8<<20/batchSize, batchSize)
	}
	kv, err := driver.Flin(o.addr, 0)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", o.addr, err)
	}
	defer func() { err = errors.Join(err, kv.Close()) }()
	w := &driver.Work{KV: kv, Values: load.NewValues(uint64(time.Now().UnixNano()), o.valueSize)}
	fmt.Fprintf(out, "%d callers, values of %d B, %v s a phase\n\n", o.clients, o.valueSize, o.seconds)
	fmt.Fprintf(out, "%-6s %10s %-6s %9s %9s %9s %9s   %s\n", "phase", "rate", "", "p50", "p99", "p99.9", "longest", "headline goal")
	for _, p := range phases {
		res, err := load.Run(ctx, load.Config{
			Workers: o.clients, Duration: time.Duration(o.seconds * float64(time.Second)), Op: p.op(w),
			Abort: func() { _ = kv.Close() }, Progress: progress(p),
		})
		fmt.Fprint(os.Stderr, "\r\x1b[K")
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		rate := res.KeysPerSecond()
		fmt.Fprintf(out, "%-6s %10.0f %-6s %9s %9s %9s %9s   %.0f (%.2f×)\n", p.name, rate, p.unit,
			wait(res.Wait.Quantile(.5)), wait(res.Wait.Quantile(.99)), wait(res.Wait.Quantile(.999)), wait(res.Wait.Max()), p.goal, rate/p.goal)
	}
	return nil
}

// progress shows once a second how far a phase is, on a line of its own that it takes away again.
func progress(p phase) func(uint64, time.Duration) {
	var before uint64
	return func(keys uint64, t time.Duration) {
		fmt.Fprintf(os.Stderr, "\r\x1b[K%s: %2.0f s, %d keys, %d in the last second", p.name, t.Seconds(), keys, keys-before)
		before = keys
	}
}

func wait(d time.Duration) string {
	if d < time.Millisecond {
		return fmt.Sprintf("%d µs", d.Microseconds())
	}
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}
