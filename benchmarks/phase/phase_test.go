package phase

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/benchmarks/load"
)

// count returns an Op for each worker that is done after n calls.
func count(n int) func() func(*load.Worker) load.Op {
	return func() func(*load.Worker) load.Op {
		return func(*load.Worker) load.Op {
			left := n
			return func() (int, error) {
				if left--; left < 0 {
					return 0, load.ErrDone
				}
				return 1, nil
			}
		}
	}
}

func TestPhasesRunInOrderEachMadeReadyFirst(t *testing.T) {
	var order []string
	note := func(text string) func(context.Context) error {
		return func(context.Context) error { order = append(order, text); return nil }
	}
	var out bytes.Buffer
	err := Run(t.Context(), &out, &Options{Clients: 3, Seconds: 60}, []Phase{
		{Name: "one", Unit: "ops/s", Goal: 1e15, Before: note("before one"), Op: count(10)},
		{Name: "two", Unit: "msg/s", Before: note("before two"), Op: count(10)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, ", "); got != "before one, before two" {
		t.Errorf("made ready: %s", got)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[1], "one") || !strings.Contains(lines[1], "1000000000000000 (0.00×)") || !strings.HasSuffix(lines[2], "–") {
		t.Errorf("it prints\n%s", out.String())
	}
}

func TestAPhaseThatCannotBeMadeReadyEndsTheRun(t *testing.T) {
	broken := errors.New("broken")
	err := Run(t.Context(), &bytes.Buffer{}, &Options{Clients: 1, Seconds: 1}, []Phase{
		{Name: "one", Before: func(context.Context) error { return broken }, Op: count(1)},
	}, nil)
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "one") {
		t.Errorf("it ends with %v", err)
	}
}

func TestAPhaseMayRunByItself(t *testing.T) {
	ended := false
	var out bytes.Buffer
	err := Run(t.Context(), &out, &Options{Clients: 3, Seconds: 2}, []Phase{
		{Name: "own", Unit: "x/s", Run: func(_ context.Context, d time.Duration) (*load.Result, error) {
			return &load.Result{Keys: 1000, Elapsed: d}, nil
		}, After: func() error { ended = true; return nil }},
		{Name: "few", Untimed: true, Workers: 2, Op: count(1)},
	}, nil)
	if err != nil || !ended {
		t.Fatal(ended, err)
	}
	lines := strings.Split(out.String(), "\n")
	if f := strings.Fields(lines[1]); f[1] != "500" {
		t.Errorf("it prints %q", lines[1])
	}
	if strings.Contains(lines[2], "ms") || strings.Contains(lines[2], "µs") {
		t.Errorf("it prints %q", lines[2])
	}
}

func TestAPhaseEndsByWhatItsEndSays(t *testing.T) {
	broken := errors.New("broken")
	err := Run(t.Context(), &bytes.Buffer{}, &Options{Clients: 1, Seconds: 1}, []Phase{{Name: "one", Op: count(1), After: func() error { return broken }}}, nil)
	if !errors.Is(err, broken) {
		t.Errorf("it ends with %v", err)
	}
}

func TestFlagsOutOfBoundsAreRefused(t *testing.T) {
	for _, o := range []Options{{Clients: 0, Seconds: 1}, {Clients: 1 << 20, Seconds: 1}, {Clients: 1, Seconds: 0}, {Clients: 1, Seconds: 1e6}} {
		if o.Validate() == nil {
			t.Errorf("%+v passes", o)
		}
	}
	if err := (&Options{Clients: 256, Seconds: 10}).Validate(); err != nil {
		t.Error(err)
	}
}
