package doc

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// benchDoc is a document of about 1 KiB with ten fields.
func benchDoc(id int) []byte {
	d, err := bson.Marshal(bson.D{
		{Key: "_id", Value: id},
		{Key: "user", Value: id},
		{Key: "group", Value: id % 1000},
		{Key: "name", Value: fmt.Sprintf("name %d", id)},
		{Key: "age", Value: id % 90},
		{Key: "score", Value: float64(id) / 3},
		{Key: "tags", Value: bson.A{"a", "b"}},
		{Key: "address", Value: bson.D{{Key: "city", Value: "x"}, {Key: "zip", Value: id % 777}}},
		{Key: "on", Value: true},
		{Key: "text", Value: strings.Repeat("t", 780)},
	})
	if err != nil {
		panic(err)
	}
	return d
}

// ender is a Replier that tells when its answers have come.
type ender struct {
	wg     sync.WaitGroup
	failed atomic.Pointer[string]
}

func (r *ender) Reply(_ uint64, resp wire.Response) {
	if resp.Code != wire.OK {
		s := string(resp.Body)
		r.failed.Store(&s)
	}
	r.wg.Done()
}

// crowd has 256 clients send requests, one after the other each, until there were b.N.
func crowd(b *testing.B, w *world, op wire.Op, body func(i int) []byte) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range 256 {
		wg.Go(func() {
			r := &ender{}
			for {
				i := int(next.Add(1)) - 1
				if i >= b.N {
					return
				}
				r.wg.Add(1)
				w.Submit(wire.Request{Op: op, Tag: 1, Body: body(i)}, r)
				r.wg.Wait()
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

func BenchmarkInsert(b *testing.B) {
	for _, indexes := range []int{0, 3} {
		b.Run(fmt.Sprintf("indexes=%d", indexes), func(b *testing.B) {
			w := worlds.New(b, nil)
			for _, f := range []string{"user", "group", "address.zip"}[:indexes] {
				w.index("c", spec(0, f))
			}
			crowd(b, w, wire.OpDocInsert, func(i int) []byte {
				m := wire.DocInsert{Name: name("c"), Docs: [][]byte{benchDoc(i)}}
				return m.Append(nil)
			})
		})
	}
}

func benchWorld(b *testing.B) *world {
	w := worlds.New(b, nil)
	w.index("c", spec(0, "user"))
	const n = 10_000
	for i := 0; i < n; i += 1000 {
		m := wire.DocInsert{Name: name("c")}
		for k := range 1000 {
			m.Docs = append(m.Docs, benchDoc(i+k))
		}
		w.Must(wire.OpDocInsert, &m)
	}
	return w
}

func BenchmarkFind(b *testing.B) {
	for by, filter := range map[string]string{"_id": "_id", "index": "user"} {
		b.Run("by="+by, func(b *testing.B) {
			w := benchWorld(b)
			bodies := make([][]byte, 10_000)
			for i := range bodies {
				f, _ := bson.Marshal(bson.D{{Key: filter, Value: i}})
				bodies[i] = (&wire.DocFind{Name: name("c"), Filter: f}).Append(nil)
			}
			crowd(b, w, wire.OpDocFind, func(i int) []byte { return bodies[i%len(bodies)] })
		})
	}
}

func BenchmarkUpdate(b *testing.B) {
	for by, filter := range map[string]string{"_id": "_id", "index": "user"} {
		b.Run("by="+by, func(b *testing.B) {
			w := benchWorld(b)
			update, _ := bson.Marshal(bson.D{{Key: "$inc", Value: bson.D{{Key: "age", Value: 1}}}})
			crowd(b, w, wire.OpDocUpdate, func(i int) []byte {
				f, _ := bson.Marshal(bson.D{{Key: filter, Value: i * 7919 % 10_000}})
				return (&wire.DocUpdate{Name: name("c"), Filter: f, Update: update}).Append(nil)
			})
		})
	}
}
