package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/skshohagmiah/flin/benchmarks/load"
	"github.com/skshohagmiah/flin/benchmarks/proc"
)

// The bounds of how many requests redis-benchmark is told to send: it takes a number, not a time.
const (
	pilotRequests = 50_000
	mostRequests  = 50_000_000
)

// redisBench measures with redis-benchmark: 50 connections, commands on each sent pipeline at a time, 100,000 keys that
// are all there. The figures are called after its tests, SET and GET.
func (l *lab) redisBench(r proc.Recipe, c client, pipeline int) *probe {
	name := fmt.Sprintf("redis-benchmark -P %d on %s", pipeline, r.Name)
	return &probe{name: name, measure: func(ctx context.Context) (out map[string]figure, err error) {
		out = map[string]figure{}
		err = l.with(ctx, r, c.open, c.conns, valueSize, func(b *bench) error {
			if err := writeBenchmarkKeys(ctx, b); err != nil {
				return err
			}
			for _, test := range []string{"SET", "GET"} {
				pilot, err := l.runRedisBenchmark(ctx, b.Addr, test, pipeline, pilotRequests)
				if err != nil {
					return err
				}
				n := min(max(int(pilot.value*l.seconds.Seconds()), pilotRequests), mostRequests)
				if out[test], err = l.runRedisBenchmark(ctx, b.Addr, test, pipeline, n); err != nil {
					return err
				}
			}
			return nil
		})
		return out, err
	}}
}

// writeBenchmarkKeys writes the keys that redis-benchmark uses, so that each of its GETs finds one.
func writeBenchmarkKeys(ctx context.Context, b *bench) error {
	const size = 100
	_, err := load.Run(ctx, load.Config{Workers: 1, Abort: b.abort, Op: func(*load.Worker) load.Op {
		n := uint64(0)
		keys, values := make([]string, size), make([][]byte, size)
		return func() (int, error) {
			if n >= existing {
				return 0, load.ErrDone
			}
			for i := range keys {
				keys[i], values[i] = fmt.Sprintf("key:%012d", n), b.Values.Fill(values[i], n)
				n++
			}
			return size, b.KV.MSet(keys, values)
		}
	}})
	if err != nil {
		return fmt.Errorf("write the keys of redis-benchmark: %w", err)
	}
	return rest(ctx, settle)
}

func (l *lab) runRedisBenchmark(ctx context.Context, addr, test string, pipeline, requests int) (figure, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return figure{}, fmt.Errorf("redis-benchmark: %w", err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, l.redisBenchmark, "-h", host, "-p", port, "-t", strings.ToLower(test), "-c", "50", //nolint:gosec // found in PATH
		"-d", strconv.Itoa(valueSize), "-r", strconv.Itoa(existing), "-P", strconv.Itoa(pipeline), "-n", strconv.Itoa(requests), "--csv")
	cmd.Stderr = &stderr
	cmd.SysProcAttr, cmd.WaitDelay = proc.DiesWithParent(), 5*time.Second
	out, err := cmd.Output()
	if err != nil {
		return figure{}, fmt.Errorf("redis-benchmark -t %s: %w: %s", strings.ToLower(test), err, lastLine(stderr.String()+string(out)))
	}
	f, err := parseRedisBenchmark(string(out), test)
	if err != nil {
		return figure{}, fmt.Errorf("redis-benchmark -t %s: %w: %s", strings.ToLower(test), err, lastLine(stderr.String()+string(out)))
	}
	return f, nil
}

// parseRedisBenchmark reads the line of a test from what redis-benchmark --csv prints: a line of column names, then a
// line for each test.
func parseRedisBenchmark(text, test string) (figure, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if err != nil {
		return figure{}, fmt.Errorf("read its CSV: %w", err)
	}
	column := map[string]int{}
	for _, line := range lines {
		if len(line) > 0 && line[0] == "test" {
			for i, name := range line {
				column[name] = i
			}
		}
		if len(line) == 0 || line[0] != test || len(line) < len(column) {
			continue
		}
		var f figure
		for name, to := range map[string]*time.Duration{"p50_latency_ms": &f.p50, "p99_latency_ms": &f.p99, "max_latency_ms": &f.max} {
			ms, err := strconv.ParseFloat(line[column[name]], 64)
			if err != nil {
				return figure{}, fmt.Errorf("%s of its CSV: %w", name, err)
			}
			*to = time.Duration(ms * float64(time.Millisecond))
		}
		if f.value, err = strconv.ParseFloat(line[column["rps"]], 64); err != nil {
			return figure{}, fmt.Errorf("rps of its CSV: %w", err)
		}
		return f, nil
	}
	return figure{}, fmt.Errorf("its CSV has no line for %s", test)
}

func lastLine(text string) string {
	lines := strings.FieldsFunc(strings.TrimSpace(text), func(r rune) bool { return r == '\n' || r == '\r' })
	if len(lines) == 0 {
		return "it printed nothing"
	}
	return lines[len(lines)-1]
}
