package stream

import (
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// rounds lets so many requests be under way at once, and submits the next when one is answered.
type rounds struct {
	answers chan wire.Code
}

// Reply notes the code.
func (r *rounds) Reply(_ uint64, resp wire.Response) { r.answers <- resp.Code }

func BenchmarkStream(b *testing.B) {
	for _, clients := range []int{1, 256} {
		w := worlds.New(b, func(c *Config) { c.Store.Memory = true; c.Store.MaxMemory = 8 << 30 })
		w.create("t", 4)
		w.subscribe("t", "g", "c")
		run := func(name string, op wire.Op, m payload) {
			body := m.Append(nil)
			b.Run(fmt.Sprintf("op=%s/clients=%d", name, clients), func(b *testing.B) {
				b.ReportAllocs()
				r := &rounds{answers: make(chan wire.Code, clients)}
				sent := 0
				for ; sent < clients; sent++ {
					w.Submit(wire.Request{Op: op, Tag: uint64(sent), Body: body}, r)
				}
				for b.Loop() {
					if code := <-r.answers; code != wire.OK {
						b.Fatal(code)
					}
					w.Submit(wire.Request{Op: op, Tag: uint64(sent), Body: body}, r)
					sent++
				}
				for range clients {
					<-r.answers
				}
			})
		}
		value := make([]byte, 1024)
		run("publish", wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("t"), Partition: wire.AnyPartition, Records: []wire.StreamRecord{{Value: value}}})
		run("publish by key", wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("t"), Partition: wire.AnyPartition, Records: []wire.StreamRecord{{Flags: wire.RecordKey, Key: []byte("k"), Value: value}}})
		run("fetch", wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), Offset: wire.OffsetEarliest, Count: 10, MaxBytes: 16 << 10})
		run("consume", wire.OpStreamConsume, consumption("t", "g", "c", 16))
	}
}
