package phase

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

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
