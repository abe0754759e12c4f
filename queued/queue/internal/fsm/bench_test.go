package fsm

import (
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// perEntry is how many commands of one message an entry of the benchmarks has.
const perEntry = 256

// measured is a bench that keeps the time that the machine takes, without that of the store's flushes.
type measured struct {
	*bench
	cmd   replica.Command
	ans   wire.Response
	spent time.Duration
}

// run executes commands as one entry. The last answer is in ans.
func (b *measured) run(op wire.Op, bodies ...[]byte) {
	b.index++
	start := time.Now()
	for _, body := range bodies {
		b.rev++
		b.cmd = replica.Command{Op: op, Body: body, Index: b.index, Revision: b.rev, Time: b.now, Wanted: true}
		b.ans = wire.Response{}
		if err := b.m.Apply(&b.cmd, &b.ans); err != nil {
			b.t.Fatal(err)
		}
		if b.ans.Code != wire.OK {
			b.t.Fatalf("%v: %v %s", op, b.ans.Code, b.ans.Body)
		}
	}
	if err := b.m.Seal(); err != nil {
		b.t.Fatal(err)
	}
	b.spent += time.Since(start)
	b.finish(false)
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
		w := &measured{bench: newBench(b, store.Options{Dir: b.TempDir()})}
		w.now = 1_000_000
		b.ReportAllocs()
		return w
	}
	end := func(b *testing.B, w *measured) {
		b.ReportMetric(float64(w.spent)/float64(b.N), "apply-ns/op")
		w.close()
	}
	b.Run("op=push/size=1k", func(b *testing.B) {
		w := start(b)
		defer end(b, w)
		for n := 0; b.Loop(); n++ {
			if n%perEntry == 0 {
				w.now++
				w.run(wire.OpQueuePush, pushes...)
				if n%(perEntry*256) == 0 {
					b.StopTimer()
					w.run(wire.OpQueueClear, []byte("jobs"))
					b.StartTimer()
				}
			}
		}
	})
	for _, c := range []struct {
		name string
		take func(w *measured)
	}{
		{"op=pop/size=1k", func(w *measured) { w.run(wire.OpQueuePop, pops...) }},
		{"op=lease+ack/size=1k/batch=256", func(w *measured) {
			w.run(wire.OpQueueLease, leases...)
			m := &acks
			m.Queue, m.Receipts = []byte("jobs"), m.Receipts[:0]
			r := wire.NewReader(w.ans.Body)
			var d wire.QueueDelivery
			for r.Len() > 0 {
				wire.TakeDelivery(&r, &d)
				m.Receipts = append(m.Receipts, d.Receipt)
			}
			w.run(wire.OpQueueAck, m.Append(nil))
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := start(b)
			defer end(b, w)
			const ahead = 64
			for n := 0; b.Loop(); n++ {
				if n%(perEntry*ahead) == 0 {
					b.StopTimer()
					spent := w.spent
					for range ahead {
						w.run(wire.OpQueuePush, pushes...)
					}
					w.spent = spent
					b.StartTimer()
				}
				if n%perEntry == 0 {
					w.now++
					c.take(w)
				}
			}
		})
	}
}
