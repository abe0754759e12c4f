package queue

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

func BenchmarkQueue(b *testing.B) {
	for _, clients := range []int{1, 256} {
		w := worlds.New(b, func(c *Config) { c.Store.Memory = true; c.Store.MaxMemory = 8 << 30 })
		push := (&wire.QueuePush{Queue: []byte("q"), Messages: []wire.QueueMessage{{Body: make([]byte, 1024)}}}).Append(nil)
		pop := (&wire.QueuePop{Queue: []byte("q"), Count: 1}).Append(nil)
		lease := (&wire.QueuePop{Queue: []byte("q"), Count: 1, Lease: 3600_000}).Append(nil)
		run := func(name string, op wire.Op, body []byte) {
			b.Run(fmt.Sprintf("op=%s/clients=%d", name, clients), func(b *testing.B) {
				b.ReportAllocs()
				r := &rounds{answers: make(chan wire.Code, clients)}
				sent := 0
				for ; sent < clients; sent++ {
					w.Submit(wire.Request{Op: op, Tag: uint64(sent), Body: body}, r)
				}
				for b.Loop() {
					if code := <-r.answers; code != wire.OK && code != wire.Empty {
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
		run("push", wire.OpQueuePush, push)
		run("pop", wire.OpQueuePop, pop)
		run("push again", wire.OpQueuePush, push)
		run("lease", wire.OpQueueLease, lease)
	}
}
