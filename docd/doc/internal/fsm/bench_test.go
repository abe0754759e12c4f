package fsm

import (
	"fmt"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// measured is a bench that keeps the time that the machine takes.
type measured struct {
	*bench
	*machinetest.Meter
}

// tenFields makes a document of ten fields and about 1 KiB.
func tenFields(id int) []byte {
	d := bson.D{{Key: "_id", Value: objectID(id)}, {Key: "n", Value: int32(id)}, {Key: "group", Value: int32(id % 100)}, {Key: "name", Value: fmt.Sprint("name", id)}}
	for i := range 6 {
		d = append(d, bson.E{Key: fmt.Sprint("text", i), Value: string(make([]byte, 140))})
	}
	return marshal(d)
}

func objectID(n int) (id bson.ObjectID) {
	for i := range 4 {
		id[8+i] = byte(n >> (24 - 8*i))
	}
	return id
}

func newMeasured(b *testing.B, indexes int) *measured {
	in := newBench(b, store.Options{Dir: b.TempDir()})
	w := &measured{in, machinetest.NewMeter(in.Bench)}
	w.Now = 1_000_000
	for _, f := range []string{"n", "group", "name"}[:indexes] {
		w.createIndex("c", spec(0, f))
	}
	return w
}

const perEntry = 16

// BenchmarkInsert measures commands of one document each, 16 an entry.
func BenchmarkInsert(b *testing.B) {
	for _, indexes := range []int{0, 1, 3} {
		b.Run(fmt.Sprintf("indexes=%d", indexes), func(b *testing.B) {
			w := newMeasured(b, indexes)
			defer w.Close()
			b.ReportAllocs()
			var list [perEntry][]byte
			id := 0
			for n := 0; b.Loop(); n++ {
				if n%perEntry != 0 {
					continue
				}
				b.StopTimer()
				for i := range list {
					list[i] = inserts("c", tenFields(id)).Append(nil)
					id++
				}
				b.StartTimer()
				w.Run(wire.OpDocApply, list[:]...)
			}
			b.ReportMetric(float64(w.Spent)/float64(b.N), "apply-ns/op")
		})
	}
}

// filled is a collection of documents.
func filled(b *testing.B, n, indexes int) *measured {
	w := newMeasured(b, indexes)
	for i := 0; i < n; i += 500 {
		a := inserts("c")
		for k := i; k < min(i+500, n); k++ {
			a.Changes = append(a.Changes, wire.DocChange{Kind: wire.DocChangeInsert, Doc: tenFields(k)})
		}
		w.Run(wire.OpDocApply, a.Append(nil))
	}
	w.Spent = 0
	return w
}

// BenchmarkGet measures reads by _id.
func BenchmarkGet(b *testing.B) {
	const n = 20_000
	for _, where := range []string{"memory", "disk"} {
		b.Run("from="+where, func(b *testing.B) {
			w := filled(b, n, 0)
			defer w.Close()
			if where == "disk" {
				if err := <-w.Store.Rotate(); err != nil {
					b.Fatal(err)
				}
			}
			buf, key := make([]byte, 0, 4096), []byte(nil)
			raw := bson.RawValue{Type: bson.TypeObjectID}
			db, coll := []byte("db"), []byte("c")
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				id := objectID(i * 7919 % n)
				raw.Value = id[:]
				key = AppendID(key[:0], valueOf(raw))
				c := w.m.Collection(db, coll)
				if d, _, err := w.m.Get(c.ID, key, buf); err != nil || d == nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkIndexScan measures finding one document by an index, with a reader of its own.
func BenchmarkIndexScan(b *testing.B) {
	const n = 20_000
	for _, where := range []string{"memory", "disk"} {
		b.Run("from="+where, func(b *testing.B) {
			w := filled(b, n, 1)
			defer w.Close()
			if where == "disk" {
				if err := <-w.Store.Rotate(); err != nil {
					b.Fatal(err)
				}
			}
			db, coll := []byte("db"), []byte("c")
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				k := bson.RawValue{}
				k.Type, k.Value, _ = bson.MarshalValue(int32(i * 7919 % n))
				from := AppendID(nil, valueOf(k))
				r := w.m.Open(db, coll)
				found := false
				err := r.IndexScan(r.Indexes[0], from, keys.After(from), false, func(_, id []byte) bool {
					d, _, err := w.m.Get(r.ID, id, nil)
					found = err == nil && d != nil
					return true
				})
				if r.Close(); err != nil || !found {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkUpdate measures updates by _id of a field that no index has, and of one that one has.
func BenchmarkUpdate(b *testing.B) {
	const n = 20_000
	for _, c := range []struct {
		indexes int
		field   string
	}{{0, "n"}, {3, "other"}, {3, "n"}} {
		b.Run(fmt.Sprintf("indexes=%d/field=%s", c.indexes, c.field), func(b *testing.B) {
			w := filled(b, n, c.indexes)
			defer w.Close()
			var list [perEntry][]byte
			b.ReportAllocs()
			for k := 0; b.Loop(); k++ {
				if k%perEntry != 0 {
					continue
				}
				for i := range list {
					id := objectID((k + i) * 7919 % n)
					a := wire.DocApply{
						Targets:  []wire.DocName{name("c")},
						Programs: []wire.DocProgram{{Filter: emptyDocument, Update: marshal(bson.D{{Key: "$inc", Value: bson.D{{Key: c.field, Value: 1}}}})}},
						Changes:  []wire.DocChange{{Kind: wire.DocChangeUpdate, ID: append([]byte{byte(bson.TypeObjectID)}, id[:]...)}},
					}
					list[i] = a.Append(nil)
				}
				w.Run(wire.OpDocApply, list[:]...)
			}
			b.ReportMetric(float64(w.Spent)/float64(b.N), "apply-ns/op")
		})
	}
}
