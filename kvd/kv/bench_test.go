package kv

import (
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// sink takes answers and does nothing with them.
type sink struct{ code wire.Code }

// Reply notes the code.
func (s *sink) Reply(_ uint64, resp wire.Response) { s.code = resp.Code }

func BenchmarkInlineGet(b *testing.B) {
	w := worlds.New(b, func(c *Config) { c.Store.Memory = true })
	for _, size := range []int{16, 1024} {
		keys := make([][]byte, 1000)
		for i := range keys {
			m := wire.KVSet{Key: fmt.Appendf(nil, "key:%06d", i), Value: make([]byte, size)}
			w.Must(wire.OpKVSet, &m)
			keys[i] = (&wire.KVKey{Key: m.Key}).Append(nil)
		}
		b.Run(fmt.Sprintf("size=%d/path=engine", size), func(b *testing.B) {
			b.ReportAllocs()
			var s sink
			for i := 0; b.Loop(); i++ {
				w.Submit(wire.Request{Op: wire.OpKVGet, Tag: 1, Body: keys[i%len(keys)]}, &s)
			}
			if s.code != wire.OK {
				b.Fatal(s.code)
			}
		})
		b.Run(fmt.Sprintf("size=%d/path=store", size), func(b *testing.B) {
			b.ReportAllocs()
			full := make([][]byte, len(keys))
			for i, k := range keys {
				full[i] = append([]byte("k\x01\x01"), k[1:]...)
			}
			buf := make([]byte, 4<<10)
			for i := 0; b.Loop(); i++ {
				if _, ok, err := w.st.Get(full[i%len(full)], buf); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
