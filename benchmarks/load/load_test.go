package load

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

func TestQuantilesAreWithinThreePercentOfTheTruth(t *testing.T) {
	var h Histogram
	src := rand.New(rand.NewPCG(1, 2))
	all := make([]time.Duration, 100_000)
	for i := range all {
		all[i] = time.Duration(1) << src.Uint64N(36) // from a nanosecond to over a minute
		all[i] += time.Duration(src.Int64N(int64(all[i])))
		h.Add(all[i])
	}
	slices.Sort(all)
	for _, q := range []float64{0, .1, .5, .9, .99, .999, 1} {
		want := all[min(int(q*float64(len(all))), len(all)-1)]
		got := h.Quantile(q)
		if diff := (got - want).Abs(); diff > want*3/100+128 {
			t.Errorf("quantile %v is %v, the truth is %v", q, got, want)
		}
	}
	if h.Max() != all[len(all)-1] || h.Total() != uint64(len(all)) {
		t.Errorf("max %v of %d durations, want %v of %d", h.Max(), h.Total(), all[len(all)-1], len(all))
	}
}

func TestMergedHistogramsCountAsOne(t *testing.T) {
	var a, b, both Histogram
	for i := range 1000 {
		d := time.Duration(i*i) * time.Microsecond
		both.Add(d)
		if i%3 == 0 {
			a.Add(d)
		} else {
			b.Add(d)
		}
	}
	a.Merge(&b)
	if a != both {
		t.Error("two histograms merged differ from one that counted everything")
	}
}

func TestDurationsOutOfRangeFallIntoTheOuterBuckets(t *testing.T) {
	var h Histogram
	h.Add(-time.Second)
	h.Add(0)
	h.Add(24 * time.Hour)
	if got := h.Quantile(0); got > 128 {
		t.Errorf("the least is %v", got)
	}
	if got := h.Quantile(1); got < 4*time.Minute {
		t.Errorf("the most is %v", got)
	}
	if (&Histogram{}).Quantile(.5) != 0 {
		t.Error("an empty histogram has a median")
	}
}

func TestValuesAndKeysAreNeverAlike(t *testing.T) {
	const n = 200_000
	v := NewValues(1, 64)
	values, keys := map[string]bool{}, map[string]bool{}
	var buf []byte
	for i := range uint64(n) {
		buf = v.Fill(buf, i)
		values[string(buf)] = true
		keys[Key(i)] = true
	}
	if len(values) != n || len(keys) != n {
		t.Errorf("%d values and %d keys of %d differ", len(values), len(keys), n)
	}
}

func TestValuesAreTheSameForOneSeed(t *testing.T) {
	for _, size := range []int{0, 1, 7, 8, 100, 1024, 8 << 10} {
		a, b, other := NewValues(5, size), NewValues(5, size), NewValues(6, size)
		x, y, z := a.Fill(nil, 77), b.Fill(make([]byte, 3), 77), other.Fill(nil, 77)
		if len(x) != size || !bytes.Equal(x, y) {
			t.Errorf("size %d: two values of one number differ, or have %d bytes", size, len(x))
		}
		if size >= 8 && bytes.Equal(x, z) {
			t.Errorf("size %d: another seed gives the same value", size)
		}
	}
}

func TestACompressorGainsNothing(t *testing.T) {
	v := NewValues(1, 1024)
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	const n = 2000
	var buf []byte
	for i := range uint64(n) {
		buf = v.Fill(buf, i)
		if _, err := w.Write(buf); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if out.Len() < n*1024 {
		t.Errorf("%d bytes of values were compressed to %d", n*1024, out.Len())
	}
}

func TestARunCountsWhatItsWorkersDo(t *testing.T) {
	var left atomic.Int64
	left.Store(1000)
	res, err := Run(t.Context(), Config{Workers: 8, Op: func(*Worker) Op {
		return func() (int, error) {
			if left.Add(-1) < 0 {
				return 0, ErrDone
			}
			return 3, nil
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if res.Ops != 1000 || res.Keys != 3000 || res.Wait.Total() != 1000 {
		t.Errorf("%d calls with %d keys, %d of them timed; want 1000, 3000, 1000", res.Ops, res.Keys, res.Wait.Total())
	}
}

func TestTheFirstFailureEndsARun(t *testing.T) {
	broken := errors.New("broken")
	_, err := Run(t.Context(), Config{Workers: 4, Duration: time.Hour, Op: func(w *Worker) Op {
		return func() (int, error) {
			if w.ID == 2 {
				return 0, broken
			}
			return 1, nil
		}
	}})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the failure of the worker", err)
	}
}

func TestARunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var calls atomic.Int64
	_, err := Run(ctx, Config{Workers: 2, Duration: time.Hour, Op: func(*Worker) Op {
		return func() (int, error) {
			if calls.Add(1) == 100 {
				cancel()
			}
			return 1, nil
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAPacedRunHoldsAStallAgainstTheCallsBehindIt(t *testing.T) {
	calls := 0
	res, err := Run(t.Context(), Config{Workers: 1, Rate: 1000, Op: func(*Worker) Op {
		return func() (int, error) {
			calls++
			if calls == 1 {
				time.Sleep(100 * time.Millisecond) // the stall
			}
			if calls > 100 {
				return 0, ErrDone
			}
			return 1, nil
		}
	}})
	if err != nil || res.Ops != 100 {
		t.Fatalf("%d calls, %v", res.Ops, err)
	}
	// All 100 were due while the first had not come back: half of them waited for at least half of it.
	if got := res.Wait.Quantile(.45); got < 40*time.Millisecond {
		t.Errorf("behind a stall of 100 ms the median is %v", got)
	}
}

func TestAPacedRunBeginsNoCallBeforeItsTime(t *testing.T) {
	begin := time.Now()
	res, err := Run(t.Context(), Config{Workers: 4, Rate: 1000, Op: func(w *Worker) Op {
		calls := 0
		return func() (int, error) {
			if calls++; calls > 25 {
				return 0, ErrDone
			}
			if due := time.Duration(calls-1) * 4 * time.Millisecond; time.Since(begin) < due {
				return 0, fmt.Errorf("call %d of worker %d begins %v after the beginning", calls, w.ID, time.Since(begin))
			}
			return 1, nil
		}
	}})
	if err != nil || res.Keys != 100 {
		t.Errorf("%d calls, %v", res.Keys, err)
	}
}

func TestAPacedRunEndsBeforeItsNextCallIsDue(t *testing.T) {
	res, err := Run(t.Context(), Config{Workers: 2, Rate: .001, Duration: time.Millisecond, Op: func(*Worker) Op {
		return func() (int, error) { return 1, nil }
	}})
	if err != nil || res.Ops > 1 {
		t.Errorf("%d calls, %v", res.Ops, err)
	}
}

func BenchmarkFill(b *testing.B) {
	for _, size := range []int{128, 1024} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			v := NewValues(1, size)
			buf := make([]byte, size)
			b.SetBytes(int64(size))
			for n := uint64(0); b.Loop(); n++ {
				buf = v.Fill(buf, n)
			}
		})
	}
}

func BenchmarkHistogramAdd(b *testing.B) {
	var h Histogram
	for d := time.Duration(0); b.Loop(); d += 997 {
		h.Add(d % time.Second)
	}
}
