package fsm

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// perEntry is how many commands of one message an entry of the benchmarks has.
const perEntry = 256

// measured is a bench that keeps the time that the machine takes.
type measured struct {
	*bench
	*machinetest.Meter
}

// BenchmarkApply measures entries of 256 commands of one message each; the figures are for a message.
func BenchmarkApply(b *testing.B) {
	body := make([]byte, 1024)
	pushes, pops := make([][]byte, perEntry), make([][]byte, perEntry)
	for i := range pushes {
		pushes[i] = (&wire.QueuePush{Queue: []byte("jobs"), Messages: []wire.QueueMessage{{Body: body}}}).Append(nil)
		pops[i] = (&wire.QueuePop{Queue: []byte("jobs"), Count: 1}).Append(nil)
	}
	var acks wire.QueueAck
	leases := [][]byte{(&wire.QueuePop{Queue: []byte("jobs"), Count: perEntry, Nonce: 1}).Append(nil)}
	start := func(b *testing.B) *measured {
		in := newBench(b, store.Options{Dir: b.TempDir()})
		w := &measured{in, machinetest.NewMeter(in.Bench)}
		w.Now = 1_000_000
		b.ReportAllocs()
		return w
	}
	end := func(b *testing.B, w *measured) {
		b.ReportMetric(float64(w.Spent)/float64(b.N), "apply-ns/op")
		w.Close()
	}
	b.Run("op=push/size=1k", func(b *testing.B) {
		w := start(b)
		defer end(b, w)
		for n := 0; b.Loop(); n++ {
			if n%perEntry == 0 {
				w.Now++
				w.Run(wire.OpQueuePush, pushes...)
				if n%(perEntry*256) == 0 {
					b.StopTimer()
					w.Run(wire.OpQueueClear, []byte("jobs"))
					b.StartTimer()
				}
			}
		}
	})
	for _, c := range []struct {
		name string
		take func(w *measured)
	}{
		{"op=pop/size=1k", func(w *measured) { w.Run(wire.OpQueuePop, pops...) }},
		{"op=lease+ack/size=1k/batch=256", func(w *measured) {
			w.Run(wire.OpQueueLease, leases...)
			m := &acks
			m.Queue, m.Receipts = []byte("jobs"), m.Receipts[:0]
			r := wire.NewReader(w.Ans.Body)
			var d wire.QueueDelivery
			for r.Len() > 0 {
				wire.TakeDelivery(&r, &d)
				m.Receipts = append(m.Receipts, d.Receipt)
			}
			w.Run(wire.OpQueueAck, m.Append(nil))
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := start(b)
			defer end(b, w)
			const ahead = 64
			for n := 0; b.Loop(); n++ {
				if n%(perEntry*ahead) == 0 {
					b.StopTimer()
					spent := w.Spent
					for range ahead {
						w.Run(wire.OpQueuePush, pushes...)
					}
					w.Spent = spent
					b.StartTimer()
				}
				if n%perEntry == 0 {
					w.Now++
					c.take(w)
				}
			}
		})
	}
}
