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

// The names of figures.
const (
	rate        = "keys/s"
	startTime   = "start s"
	restartTime = "restart s"
	killedTime  = "restart after kill s"
	resident    = "resident MB"
	idleWait    = "p99 idle ms"
	scanWait    = "p99 with scan ms"
)

// kind is a way to use a client.
type kind struct {
	name  string
	reads bool
	op    func(*bench) func(*load.Worker) load.Op
}

// The ways to use a client.
var (
	set  = kind{"SET", false, func(b *bench) func(*load.Worker) load.Op { return b.SetNew(0) }}
	get  = kind{"GET", true, func(b *bench) func(*load.Worker) load.Op { return b.Get() }}
	mset = kind{"MSET", false, func(b *bench) func(*load.Worker) load.Op { return b.MSetNew(batch, 0) }}
	mget = kind{"MGET", true, func(b *bench) func(*load.Worker) load.Op { return b.MGet(batch) }}
)

// client is a library with the name that the table calls it by.
type client struct {
	name  string
	open  driver.Open
	conns int // 0: as the library has it
}

// calls measures what callers reach with a client on a fresh server: new keys for writes, existing ones for reads.
func (l *lab) calls(r proc.Recipe, c client, k kind, d time.Duration) *probe {
	return &probe{name: fmt.Sprintf("%s, %s on %s, %v", k.name, c.name, r.Name, d), measure: func(ctx context.Context) (out map[string]figure, err error) {
		err = l.with(ctx, r, c.open, c.conns, valueSize, func(b *bench) error {
			if k.reads {
				if err := b.fill(ctx, existing); err != nil {
					return err
				}
			}
			f, err := b.run(ctx, callers, d, k.op(b))
			out = map[string]figure{rate: f}
			return err
		})
		return out, err
	}}
}

// idle measures an empty server: how soon it answers, and what it holds when it has come to rest.
func (l *lab) idle(r proc.Recipe) *probe {
	return &probe{name: r.Name + ", empty", measure: func(ctx context.Context) (out map[string]figure, err error) {
		s, err := proc.Launch(ctx, l.dir, r)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		if err := rest(ctx, 2*settle); err != nil {
			return nil, err
		}
		mem, err := s.Memory()
		return map[string]figure{startTime: {value: s.FirstIn.Seconds()}, resident: {value: megabytes(mem.Resident)}}, err
	}}
}

// million measures a server with a million keys of 128 bytes: how soon it answers when it starts on them, and the most
// memory that it holds while all are read at random.
func (l *lab) million(r proc.Recipe, c client) *probe {
	return &probe{name: "1 million keys of 128 B, " + r.Name, measure: func(ctx context.Context) (out map[string]figure, err error) {
		out = map[string]figure{}
		err = l.with(ctx, r, c.open, c.conns, 128, func(b *bench) error {
			if err := b.fill(ctx, 1_000_000); err != nil {
				return err
			}
			for _, name := range []string{killedTime, restartTime} {
				if err := b.startAgain(ctx, c, name == killedTime); err != nil {
					return err
				}
				out[name] = figure{value: b.FirstIn.Seconds()}
			}
			peak := watchMemory(b.Process)
			f, err := b.run(ctx, callers, l.seconds, b.Get())
			most, memErr := peak()
			out[rate], out[resident] = f, figure{value: megabytes(most)}
			return errors.Join(err, memErr)
		})
		return out, err
	}}
}

// startAgain ends the server, by kill -9 or as an operator would, and starts it on the same data, with a new client.
func (b *bench) startAgain(ctx context.Context, c client, kill bool) error {
	end := b.Stop
	if kill {
		end = b.Kill
	}
	if err := errors.Join(b.KV.Close(), end()); err != nil {
		return err
	}
	if err := b.Restart(ctx); err != nil {
		return err
	}
	return b.connect(c.open, c.conns)
}

// scanning measures what a GET waits, with and without a scan of a million keys on the same connection. The server has
// one worker, the client one connection.
func (l *lab) scanning(r proc.Recipe, c client, workers int) *probe {
	name := fmt.Sprintf("GET beside a scan, %d callers, %s", workers, r.Name)
	return &probe{name: name, measure: func(ctx context.Context) (out map[string]figure, err error) {
		err = l.with(ctx, r, c.open, 1, 128, func(b *bench) error {
			if err := b.fill(ctx, 1_000_000); err != nil {
				return err
			}
			calm, err := b.run(ctx, workers, l.seconds, b.Get())
			if err != nil {
				return err
			}
			stop, err := scanOverAndOver(ctx, b)
			if err != nil {
				return err
			}
			busy, err := b.run(ctx, workers, l.seconds, b.Get())
			out = map[string]figure{
				idleWait: {milliseconds(calm.p99), calm.p50, calm.p99, calm.max},
				scanWait: {milliseconds(busy.p99), busy.p50, busy.p99, busy.max},
			}
			return errors.Join(err, stop())
		})
		return out, err
	}}
}

// scanOverAndOver begins to scan everything, again and again, until the returned function is called. That one fails
// when the scans did, or when not one key was read: then nothing was measured.
func scanOverAndOver(ctx context.Context, b *bench) (stop func() error, err error) {
	s, ok := b.KV.(driver.Scanner)
	if !ok {
		return nil, fmt.Errorf("the client of %s cannot scan", b.Recipe.Name)
	}
	scanCtx, cancel := context.WithCancel(ctx)
	result := make(chan error, 1)
	go func() {
		total := 0
		for scanCtx.Err() == nil {
			n, err := s.Scan(scanCtx, load.KeyPrefix)
			total += n
			if err != nil && scanCtx.Err() == nil {
				result <- fmt.Errorf("scan after %d keys: %w", total, err)
				return
			}
		}
		if total == 0 {
			result <- errors.New("the scan read no key while gets were measured")
			return
		}
		result <- nil
	}()
	return func() error {
		cancel()
		return <-result
	}, nil
}

// watchMemory looks at the memory of a process four times a second until the returned function is called, which
// returns the most that was seen, in bytes.
func watchMemory(p *proc.Process) func() (int64, error) {
	type seen struct {
		most int64
		err  error
	}
	end, result := make(chan struct{}), make(chan seen, 1)
	go func() {
		var s seen
		for tick := time.NewTicker(time.Second / 4); s.err == nil; {
			var m proc.Memory
			m, s.err = p.Memory()
			s.most = max(s.most, m.Resident)
			select {
			case <-tick.C:
				continue
			case <-end:
			}
			tick.Stop()
			break
		}
		result <- s
	}()
	return func() (int64, error) {
		close(end)
		s := <-result
		return s.most, s.err
	}
}

func megabytes(n int64) float64            { return float64(n) / 1e6 }
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
