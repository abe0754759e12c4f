package main

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What redis-benchmark 7.0.15 printed.
const sampleCSV = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"SET","72992.70","0.352","0.120","0.335","0.535","0.711","1.735"
"GET","81300.81","0.313","0.104","0.303","0.431","0.567","1.103"
`

func TestTheLineOfATestIsReadFromRedisBenchmark(t *testing.T) {
	f, err := parseRedisBenchmark(sampleCSV, "GET")
	if err != nil {
		t.Fatal(err)
	}
	want := figure{value: 81300.81, p50: 303 * time.Microsecond, p99: 567 * time.Microsecond, max: 1103 * time.Microsecond}
	if f != want {
		t.Errorf("got %+v, want %+v", f, want)
	}
	for _, bad := range []string{"", "nonsense", "\"GET\",\"x\"\n", strings.ReplaceAll(sampleCSV, "81300.81", "fast")} {
		if f, err := parseRedisBenchmark(bad, "GET"); err == nil {
			t.Errorf("%q was read as %+v", bad, f)
		}
	}
}

func TestEveryRowHasANameOfItsOwnAndTwoSides(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range plan(&lab{}) {
		if seen[r.name] || r.flin.probe == nil || r.peer.probe == nil {
			t.Errorf("row %q is there twice, or has a side missing", r.name)
		}
		seen[r.name] = true
	}
}

func TestFlagsChooseRows(t *testing.T) {
	all := plan(&lab{})
	count := func(o options, only string) int { return len(choose(all, o, regexp.MustCompile(only))) }
	if n := count(options{short: true}, "") + count(options{sustained: true}, ""); n != len(all) {
		t.Errorf("-short and -sustained together choose %d of %d rows", n, len(all))
	}
	if n := count(options{}, "^redis-benchmark"); n != 4 {
		t.Errorf("4 rows begin with redis-benchmark, %d were chosen", n)
	}
}

// fake returns a probe that yields the figures one after the other; a negative one stands for a failure.
func fake(name string, values ...float64) *probe {
	p := &probe{name: name}
	i := -1
	p.measure = func(context.Context) (map[string]figure, error) {
		if i++; values[i] < 0 {
			return nil, errors.New("it\nbroke")
		}
		return map[string]figure{rate: {value: values[i], p50: time.Millisecond, p99: 3 * time.Millisecond, max: time.Second}}, nil
	}
	return p
}

func TestTheReportHasMediansExtremesAndRatios(t *testing.T) {
	a, b := fake("a", 300_000, 100_000, 200_000), fake("b", 100_000, -1, 80_000)
	rows := []*row{{name: "both", flin: source{a, rate}, peer: source{b, rate}, goal: goal{ratioAtLeast: 3}}}
	if err := (&lab{}).measure(t.Context(), rows, 3); err == nil || !strings.Contains(err.Error(), "round 2, b") {
		t.Errorf("the failure is reported as %v", err)
	}
	text := (&report{options: options{rounds: 3}, rows: rows}).markdown()
	for _, want := range []string{
		"| both | **200,000** (100,000–300,000) | **80,000** (80,000–100,000) | **2.50** (2.50–3.00) | ≥ 3× | **no** |",
		"| a (keys/s) | 1.0 ms | 3.0 ms | 1.0 s |",
		"* b, keys/s: 100,000 · – · 80,000",
		"* round 2, b: it / broke",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}

func TestARowWithoutFiguresSaysSo(t *testing.T) {
	a, b := fake("a", -1), fake("b", -1)
	rows := []*row{{name: "both", flin: source{a, rate}, peer: source{b, rate}, goal: goal{below: 2}}}
	_ = (&lab{}).measure(t.Context(), rows, 1)
	if text := (&report{options: options{rounds: 1}, rows: rows}).markdown(); !strings.Contains(text, "| both | failed | failed | | < 2 | |") {
		t.Errorf("the report is\n%s", text)
	}
}

func TestAnInterruptedRunKeepsWhatItHas(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a, b := fake("a", 1, 1), fake("b", 1, 1)
	inner := b.measure
	b.measure = func(ctx context.Context) (map[string]figure, error) {
		cancel()
		return inner(ctx)
	}
	rows := []*row{{name: "both", flin: source{a, rate}, peer: source{b, rate}}}
	err := (&lab{}).measure(ctx, rows, 2)
	if err == nil || len(a.rounds) != 1 || len(b.rounds) != 1 {
		t.Errorf("%d and %d rounds were measured, err %v", len(a.rounds), len(b.rounds), err)
	}
}
