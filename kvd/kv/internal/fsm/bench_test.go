package fsm

import (
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func BenchmarkApply(b *testing.B) {
	for _, c := range []struct {
		name string
		op   wire.Op
		make func(key []byte) []byte
	}{
		{"set/size=1k", wire.OpKVSet, func(k []byte) []byte { return (&wire.KVSet{Key: k, Value: make([]byte, 1024)}).Append(nil) }},
		{"set/size=16", wire.OpKVSet, func(k []byte) []byte { return (&wire.KVSet{Key: k, Value: make([]byte, 16)}).Append(nil) }},
		{"incr", wire.OpKVIncr, func(k []byte) []byte { return (&wire.KVIncr{Key: k, By: 1}).Append(nil) }},
	} {
		b.Run("op="+c.name, func(b *testing.B) {
			w := newBench(b, store.Options{Memory: true, MaxMemory: 4 << 30})
			defer w.Close()
			w.Now = 1000
			bodies := make([][]byte, 4096)
			for i := range bodies {
				bodies[i] = c.make(fmt.Appendf(nil, "key:%012d", i))
			}
			desk := NewDesk(w.m, func() int64 { return 1000 })
			row := w.m.ops.Row(c.op)
			for _, path := range []string{"apply", "rehearse"} {
				b.Run("path="+path, func(b *testing.B) {
					b.ReportAllocs()
					for i := 0; b.Loop(); i++ {
						body := bodies[i%len(bodies)]
						if path == "rehearse" {
							if err := desk.Rehearse(row, body); err != nil {
								b.Fatal(err)
							}
							continue
						}
						w.Rev++
						var ans wire.Response
						cmd := replica.Command{Op: c.op, Body: body, Index: w.Rev, Revision: w.Rev, Time: 1000}
						if err := w.m.Apply(&cmd, &ans); err != nil || ans.Code != wire.OK {
							b.Fatal(err, ans)
						}
						if i%100 == 0 {
							p := store.Position{Index: w.Rev, Term: 1, Revision: w.Rev, Time: 1000}
							w.Store.Advance(p)
							w.m.Applied(p)
						}
					}
				})
			}
		})
	}
}
