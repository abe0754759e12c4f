package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/skshohagmiah/flin/benchmarks/driver"
	"github.com/skshohagmiah/flin/benchmarks/load"
	"github.com/skshohagmiah/flin/benchmarks/proc"
)

// What all measurements have in common.
const (
	callers   = 256     // goroutines that call the client
	valueSize = 1 << 10 // bytes, but where a row says otherwise
	existing  = 100_000 // keys that are written before reads are measured
	batch     = 16      // keys of an MSET and of an MGET
	seed      = 7380    // of all values
	settle    = 2 * time.Second
)

// lab is where measurements are made. One server runs at a time, each on a new directory, so that what one does in the
// background, holds in memory or leaves in its files is nobody else's handicap.
type lab struct {
	dir                                                 string
	seconds, long                                       time.Duration
	scale                                               float64 // of the amounts of the queue, stream and document rows
	flinServer, redisServer, redisBenchmark, natsServer string
	kvd, natsMap                                        string // built from this workspace where a row needs them
	postgresBin                                         string // the directory of PostgreSQL's programs
}

// figure is one thing that a probe has measured: a rate, a time or a size.
type figure struct {
	value         float64
	p50, p99, max time.Duration // of the calls, where there were calls
}

// probe measures one server in one way. It may yield several figures, by name.
type probe struct {
	name     string
	nats     bool // needs nats-server
	postgres bool // needs PostgreSQL
	kvd      bool // needs the programs of the bus rows: kvd and natsmap
	measure  func(ctx context.Context) (map[string]figure, error)

	rounds []map[string]figure // what each round has measured; nil where it failed
	errs   []error
}

// figures returns the named figure of the round, and whether there is one.
func (p *probe) figure(round int, name string) (f figure, ok bool) {
	if round < len(p.rounds) && p.rounds[round] != nil {
		f, ok = p.rounds[round][name]
	}
	return f, ok
}

// measure lets every probe of the rows measure once a round. Odd rounds go backwards: the two sides of a row stay
// neighbours, and neither is always the first. A probe that fails is reported, and the others go on.
func (l *lab) measure(ctx context.Context, rows []*row, rounds int) error {
	var probes []*probe
	for _, r := range rows {
		for _, s := range []source{r.flin, r.peer} {
			if s.probe != nil && !slices.Contains(probes, s.probe) {
				probes = append(probes, s.probe)
			}
		}
	}
	var errs []error
	for round := range rounds {
		order := slices.Clone(probes)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for i, p := range order {
			if ctx.Err() != nil {
				return errors.Join(append(errs, errors.New("interrupted: the table has what was measured until then"))...)
			}
			fmt.Fprintf(os.Stderr, "round %d/%d, %2d/%d: %s … ", round+1, rounds, i+1, len(order), p.name)
			figures, err := l.once(ctx, p)
			p.rounds = append(p.rounds, figures)
			if err != nil {
				err = fmt.Errorf("round %d, %s: %w", round+1, p.name, err)
				p.errs, errs = append(p.errs, err), append(errs, err)
				fmt.Fprintln(os.Stderr, "failed:", err)
				continue
			}
			fmt.Fprintln(os.Stderr, summary(figures))
		}
	}
	return errors.Join(errs...)
}

// once lets one probe measure, within bounds.
func (l *lab) once(ctx context.Context, p *probe) (map[string]figure, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute+3*(l.seconds+l.long))
	defer cancel()
	figures, err := p.measure(ctx)
	if err != nil {
		return nil, err
	}
	syscall.Sync() // what the removed files have left to write is done before the next one begins
	return figures, nil
}

func summary(figures map[string]figure) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(figures)) {
		parts = append(parts, name+" "+number(figures[name].value))
	}
	return strings.Join(parts, ", ")
}

// bench is one server and one client on it.
type bench struct {
	*proc.Server
	driver.Work
}

// with starts a server and a client for fn, and ends both whatever happens.
func (l *lab) with(ctx context.Context, r proc.Recipe, open driver.Open, conns, size int, fn func(*bench) error) (err error) {
	s, err := proc.Launch(ctx, l.dir, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	b := &bench{Server: s, Work: driver.Work{Values: load.NewValues(seed, size)}}
	if err := b.connect(open, conns); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.KV.Close(), aliveAfter(err, s)) }()
	return fn(b)
}

// aliveAfter says that the server has ended, when that is why a measurement failed.
func aliveAfter(err error, s *proc.Server) error {
	if err == nil {
		return nil
	}
	return s.Alive()
}

func (b *bench) connect(open driver.Open, conns int) error {
	kv, err := open(b.Addr, conns)
	if err != nil {
		return errors.Join(err, b.Alive())
	}
	b.KV = kv
	return nil
}

// fill writes keys until there are n, and lets the server come to rest.
func (b *bench) fill(ctx context.Context, n uint64) error {
	_, err := load.Run(ctx, load.Config{Workers: 64, Op: b.MSetNew(batch, n), Abort: b.abort})
	if err != nil {
		return fmt.Errorf("write %d keys: %w", n, err)
	}
	return rest(ctx, settle)
}

// run lets workers do op for a while and returns the rate of keys with how long calls took.
func (b *bench) run(ctx context.Context, workers int, d time.Duration, op func(*load.Worker) load.Op) (figure, error) {
	return timed(ctx, load.Config{Workers: workers, Duration: d, Op: op, Abort: b.abort})
}

// timed runs a load and returns the rate of keys with how long calls took.
func timed(ctx context.Context, cfg load.Config) (figure, error) {
	res, err := load.Run(ctx, cfg)
	if err != nil {
		return figure{}, err
	}
	return figureOf(res), nil
}

// figureOf returns the rate of keys of a run with how long calls took.
func figureOf(res *load.Result) figure {
	return figure{
		value: res.KeysPerSecond(),
		p50:   res.Wait.Quantile(.5), p99: res.Wait.Quantile(.99), max: res.Wait.Max(),
	}
}

// abort makes calls that hang fail: the server that they wait for is gone.
func (b *bench) abort() { _ = b.Kill() }

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
