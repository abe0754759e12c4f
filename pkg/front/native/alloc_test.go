package native

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// instant answers everything from one value.
type instant struct{ value []byte }

func (e instant) Submit(req wire.Request, r engine.Replier) {
	r.Reply(req.Tag, wire.Response{Rev: 1, Body: e.value})
}
func (instant) Cancel(engine.Replier, uint64)      {}
func (instant) Credit(engine.Replier, uint64, int) {}

func TestARequestCostsNoAllocation(t *testing.T) {
	cfg := Default()
	cfg.Engine = instant{make([]byte, 64)}
	lc := link.New(nil, 1, link.Limits{MaxInput: 1 << 20, MaxOutput: 1 << 30, MaxInFlight: 10})
	c := &conn{server: New(cfg), link: lc, engine: cfg.Engine}
	frame := wire.AppendRequest(nil, &wire.Request{Op: wire.OpKVGet, Tag: 7, Deadline: 1e9, Body: []byte("\x00key")}, 0)[wire.LenSize:]
	lc.End(append(lc.Begin(), make([]byte, 1<<20)...)) // room, so that the buffer does not grow
	lc.End(lc.Begin()[:0])
	if n := testing.AllocsPerRun(1000, func() {
		var req wire.Request
		if err := wire.DecodeRequest(frame, &req, 0); err != nil {
			t.Fatal(err)
		}
		c.submit(&req)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAnAnswerTooManyIsDropped(t *testing.T) {
	var p pending
	first := p.add(10, false)
	if client, _, ok := p.answer(first, true); !ok || client != 10 {
		t.Error("the first answer")
	}
	if _, _, ok := p.answer(first, true); ok {
		t.Error("a second answer was taken")
	}
	second := p.add(11, false) // has the same place
	if _, _, ok := p.answer(first, true); ok {
		t.Error("a late answer was taken for another request's")
	}
	if tag, ok := p.find(11); !ok || tag != second {
		t.Error("find")
	}
	if _, _, ok := p.answer(1<<40|77, true); ok {
		t.Error("a tag that never was")
	}
}
