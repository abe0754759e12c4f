package fsm

import (
	"math/rand/v2"
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// FuzzApply gives the machine commands with any bytes for a payload: every one is answered, none is a fault, and a read
// or a scan with the same bytes is answered too.
func FuzzApply(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		op, body := randomCommand(r)
		f.Add(uint16(op), body)
	}
	for low := range 256 {
		f.Add(uint16(wire.EngineKV)<<8|uint16(low), []byte{})
		f.Add(uint16(wire.EngineKV)<<8|uint16(low), []byte("\x00\x01\x01\x01\x01\x01\x01"))
	}
	b := newBench(f, store.Options{Memory: true})
	f.Cleanup(b.Close)
	b.Now = 1000
	desk := NewDesk(b.m, func() int64 { return b.Now })
	f.Fuzz(func(t *testing.T, number uint16, body []byte) {
		op := wire.Op(number)
		b.Any(t, op, body)
		row := b.m.ops.Row(op)
		switch row.Kind {
		case Read, Write:
			_ = desk.Rehearse(row, body)
			if row.Kind == Read {
				tx, _ := desk.Read(row, body, false)
				desk.Done(tx)
			}
		case Scan:
			if ans, _ := b.m.Scan(row, body, Request{Stop: func() error { return nil }}); ans.Code == wire.Internal {
				t.Fatalf("%v was answered Internal: %s", op, ans.Body)
			}
		}
	})
}
