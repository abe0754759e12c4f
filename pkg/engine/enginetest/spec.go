package enginetest

import (
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Spec is what the suite must know of an engine to test it.
type Spec struct {
	// Ops are the engine's operations that clients may ask for, each with the codes that it may answer besides those that
	// any operation may (see anyCode).
	Ops map[wire.Op][]wire.Code
	// Own are operations that exist and that clients must be refused.
	Own []wire.Op
	// Before are requests that make what the others need, once for each engine.
	Before []wire.Request
	// Samples are valid requests, at least one of every operation that does not stream.
	Samples []wire.Request
	// Write returns the request that leaves the number n behind, and Read the one that finds it again. Found returns the
	// number in Read's answer, 0 before the first Write.
	Write func(n int) wire.Request
	Read  func() wire.Request
	Found func(resp *wire.Response) (int, error)
	// Stream returns a request that streams: its answers tell of every later Write. Told returns how many Writes an answer
	// with More tells of. nil: the engine has none.
	Stream func() wire.Request
	Told   func(resp *wire.Response) (int, error)
	// Wait returns a request that waits for longer than the suite does, until there have been more than n Feeds; if it hands
	// something out it takes what one of them has made. nil: the engine has none.
	Wait func(n int) wire.Request
	Feed func() wire.Request
	// Large returns a request that writes b, at a place that is only for number i, at most 9, and one that is answered with
	// what is there. nil: the engine has nothing that can be large.
	Large func(i int, b []byte) (write, read wire.Request)
}

// patience is how long the suite waits for an answer before it gives up.
const patience = 30 * time.Second

// anyCode are the codes that may answer whatever was asked.
var anyCode = []wire.Code{
	wire.OK, wire.Invalid, wire.TooLarge, wire.NotLeader, wire.Unavailable, wire.Busy, wire.Timeout, wire.Canceled,
	wire.OutcomeUnknown, wire.Full, wire.Unsupported,
}

// Run holds an engine to its contract, called directly and through frames. open returns a new, empty engine that is ready
// to serve and is closed by t.Cleanup.
func Run(t *testing.T, spec Spec, open func(t *testing.T) engine.Engine) {
	t.Run("world=near", func(t *testing.T) { run(t, &spec, open) })
	t.Run("world=far", func(t *testing.T) {
		run(t, &spec, func(t *testing.T) engine.Engine {
			f := NewFar(open(t))
			t.Cleanup(f.Close)
			return f
		})
	})
}

// RunIn holds an engine to its contract behind what carries requests to it, which open brings along.
func RunIn(t *testing.T, world string, spec Spec, open func(t *testing.T) engine.Engine) {
	t.Run("world="+world, func(t *testing.T) { run(t, &spec, open) })
}

func run(t *testing.T, spec *Spec, open func(t *testing.T) engine.Engine) {
	e := open(t)
	s := &suite{spec: spec, e: e}
	s.prepare(t)
	t.Run("every request gets one last answer", s.samples)
	t.Run("what is no request is refused", s.garbage)
	t.Run("operations that are not for clients are refused", s.refusals)
	t.Run("a body is on loan until Submit returns", s.loan)
	t.Run("a read sees the write that was answered before it", s.readYourWrite)
	t.Run("a read that may be stale is answered with what was there", s.stale)
	t.Run("an ordered read sees the writes sent before it", s.ordered)
	t.Run("a deadline that has passed is a Timeout", s.deadline)
	t.Run("a request that is withdrawn is answered once", s.cancel)
	t.Run("cancel and credit of nothing do nothing", s.stray)
	t.Run("concurrent writes are all answered", s.concurrent)
	if spec.Large != nil {
		t.Run("what is large stays whole", s.large)
	}
	if spec.Wait != nil {
		t.Run("a request that waits is answered when there is something", s.wait)
		t.Run("a request that waits in vain is answered at its deadline", s.waitInVain)
		t.Run("a request that waits and is withdrawn takes nothing", s.endWait)
	}
	if spec.Stream != nil {
		t.Run("a stream stands at once and keeps to its credits", s.credits)
		t.Run("a stream that is withdrawn ends once", s.endStream)
	}
}
