// Package phase puts a server under one kind of load after the other and prints what it reached: what the throughput
// scripts run.
package phase

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/skshohagmiah/flin/benchmarks/load"
)

// Phase is one kind of load.
type Phase struct {
	Name   string
	Unit   string                          // of its rate
	Goal   float64                         // the rate that the project has set itself as its headline goal; 0: none
	Before func(ctx context.Context) error // makes ready what the phase needs, unmeasured; may be nil
	Op     func() func(*load.Worker) load.Op
	// Workers is how many there are, if not as many as Options.Clients.
	Workers int
	// Untimed leaves out how long calls took, where that says nothing.
	Untimed bool
	// Run is what the phase does in place of Op, if it is no load of like workers.
	Run func(ctx context.Context, d time.Duration) (*load.Result, error)
	// After ends what the phase has begun, unmeasured; may be nil.
	After func() error
}

// Options are the flags that all programs of this kind have.
type Options struct {
	Addr    string
	Clients int
	Seconds float64
	Size    int // bytes of a value or body
}

// Flags defines the flags; the one for Size is called name and is about what.
func (o *Options) Flags(name, what string) {
	flag.StringVar(&o.Addr, "addr", "localhost:7380", "`address` of the server")
	flag.IntVar(&o.Clients, "clients", 256, "callers at once; all share the client's few connections")
	flag.Float64Var(&o.Seconds, "seconds", 10, "seconds of each phase")
	flag.IntVar(&o.Size, name, 1024, "`bytes` of each "+what)
}

// Validate says what is wrong with the flags but Size, whose bounds are the caller's.
func (o *Options) Validate() error {
	switch {
	case o.Clients < 1 || o.Clients > 100_000:
		return fmt.Errorf("-clients %d: choose from 1 to 100000", o.Clients)
	case o.Seconds < 0.1 || o.Seconds > 3600:
		return fmt.Errorf("-seconds %v: choose from 0.1 to 3600", o.Seconds)
	}
	return nil
}

// Duration returns how long a phase takes.
func (o *Options) Duration() time.Duration { return time.Duration(o.Seconds * float64(time.Second)) }

// Run runs the phases in order and writes a line of out for each. Abort makes calls that hang fail.
func Run(ctx context.Context, out io.Writer, o *Options, phases []Phase, abort func()) error {
	fmt.Fprintf(out, "%-10s %10s %-6s %9s %9s %9s %9s   %s\n", "phase", "rate", "", "p50", "p99", "p99.9", "longest", "headline goal")
	for _, p := range phases {
		if p.Before != nil {
			fmt.Fprintf(os.Stderr, "\r\x1b[K%s: making ready", p.Name)
			if err := p.Before(ctx); err != nil {
				return fmt.Errorf("make ready for %s: %w", p.Name, err)
			}
		}
		res, err := p.run(ctx, o, abort)
		fmt.Fprint(os.Stderr, "\r\x1b[K")
		if err == nil && p.After != nil {
			err = p.After()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		rate := res.KeysPerSecond()
		goal := "–"
		if p.Goal > 0 {
			goal = fmt.Sprintf("%.0f (%.2f×)", p.Goal, rate/p.Goal)
		}
		fmt.Fprintf(out, "%-10s %10.0f %-6s", p.Name, rate, p.Unit)
		for _, d := range []time.Duration{res.Wait.Quantile(.5), res.Wait.Quantile(.99), res.Wait.Quantile(.999), res.Wait.Max()} {
			text := "–"
			if !p.Untimed {
				text = wait(d)
			}
			fmt.Fprintf(out, " %9s", text)
		}
		fmt.Fprintf(out, "   %s\n", goal)
	}
	return nil
}

func (p *Phase) run(ctx context.Context, o *Options, abort func()) (*load.Result, error) {
	if p.Run != nil {
		return p.Run(ctx, o.Duration())
	}
	workers := o.Clients
	if p.Workers > 0 {
		workers = p.Workers
	}
	return load.Run(ctx, load.Config{
		Workers: workers, Duration: o.Duration(), Op: p.Op(), Abort: abort, Progress: p.progress(),
	})
}

// progress shows once a second how far a phase is, on a line of its own that Run takes away again.
func (p *Phase) progress() func(uint64, time.Duration) {
	var before uint64
	return func(keys uint64, t time.Duration) {
		fmt.Fprintf(os.Stderr, "\r\x1b[K%s: %2.0f s, %d in all, %d in the last second", p.Name, t.Seconds(), keys, keys-before)
		before = keys
	}
}

func wait(d time.Duration) string {
	if d < time.Millisecond {
		return fmt.Sprintf("%d µs", d.Microseconds())
	}
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}
