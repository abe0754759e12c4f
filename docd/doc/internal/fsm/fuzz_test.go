package fsm

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// FuzzCommands sees to it that no bytes are a fault, whatever is let in, and that indexes and documents agree behind them.
func FuzzCommands(f *testing.F) {
	p := newPlayer(1)
	for range 20 {
		f.Add(uint8(wire.OpDocApply&0xFF), p.apply(map[int]uint64{}).Append(nil))
		f.Add(uint8(wire.OpDocIndex&0xFF), p.index().Append(nil))
		if c := p.other(); c != nil {
			f.Add(uint8(c.Op&0xFF), c.Body)
		}
	}
	b := newBench(f, store.Options{Memory: true})
	defer b.Close()
	n := 0
	f.Fuzz(func(t *testing.T, low uint8, body []byte) {
		op := wire.Op(wire.EngineDoc)<<8 | wire.Op(low)
		b.T = t
		if err := b.m.Check(op, body); err != nil && KindOf(op) != Own {
			return
		}
		b.Index++
		b.Rev++
		var ans wire.Response
		c := replica.Command{Op: op, Body: body, Index: b.Index, Revision: b.Rev, Time: b.Now, Read: KindOf(op) == Read, Wanted: true}
		if err := b.m.Apply(&c, &ans); err != nil {
			t.Fatal(err)
		}
		b.Finish()
		if n++; n%50 == 0 && wellFormed(op) {
			b.Check()
		}
	})
}

// wellFormed reports whether a check makes sense behind an operation: documents of an OpDocApply are checked before it is made.
func wellFormed(op wire.Op) bool { return op != wire.OpDocApply }
