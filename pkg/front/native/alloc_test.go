package native

import (
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/front/slow"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// instant answers everything from one value.
type instant struct{ value []byte }

func (e instant) Submit(req wire.Request, r engine.Replier) {
	r.Reply(req.Tag, wire.Response{Rev: 1, Body: e.value})
}
func (instant) Cancel(engine.Replier, uint64)      {}
func (instant) Credit(engine.Replier, uint64, int) {}

// submitter returns a function that decodes, submits and answers a request.
func submitter(tb testing.TB, watch *slow.Watch) func() {
	cfg := Default()
	cfg.Engine, cfg.Slow = instant{make([]byte, 64)}, watch
	lc := link.New(nil, 1, link.Limits{MaxInput: 1 << 20, MaxOutput: 1 << 30, MaxInFlight: 10})
	c := &conn{server: New(cfg), link: lc, engine: cfg.Engine}
	frame := wire.AppendRequest(nil, &wire.Request{Op: wire.OpKVGet, Tag: 7, Deadline: 1e9, Body: []byte("\x00key")}, 0)[wire.LenSize:]
	lc.End(append(lc.Begin(), make([]byte, 1<<20)...)) // room, so that the buffer does not grow
	lc.End(lc.Begin()[:0])
	c.since = slow.At(wire.Clock())
	return func() {
		var req wire.Request
		if err := wire.DecodeRequest(frame, &req, 0); err != nil {
			tb.Fatal(err)
		}
		c.submit(&req)
		lc.End(lc.Begin()[:0])
	}
}

func TestARequestCostsNoAllocation(t *testing.T) {
	if n := testing.AllocsPerRun(1000, submitter(t, slow.New(slow.Config{Over: time.Hour}))); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSubmit(b *testing.B) {
	for name, over := range map[string]time.Duration{"slow=never": 0, "slow=hour": time.Hour} {
		b.Run(name, func(b *testing.B) {
			submit := submitter(b, slow.New(slow.Config{Over: over}))
			for b.Loop() {
				submit()
			}
		})
	}
}

func TestAnAnswerTooManyIsDropped(t *testing.T) {
	var p pending
	first := p.add(10, false, slow.Mark{})
	if at, ok := p.answer(first, true); !ok || at.client != 10 {
		t.Error("the first answer")
	}
	if _, ok := p.answer(first, true); ok {
		t.Error("a second answer was taken")
	}
	second := p.add(11, false, slow.Mark{}) // has the same place
	if _, ok := p.answer(first, true); ok {
		t.Error("a late answer was taken for another request's")
	}
	if tag, ok := p.find(11); !ok || tag != second {
		t.Error("find")
	}
	if _, ok := p.answer(1<<40|77, true); ok {
		t.Error("a tag that never was")
	}
}
