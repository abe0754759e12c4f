package fsm

import (
	"sync"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// TestAReaderSeesEachCommandWholeOrNotAtAll has readers compare documents with indexes while both change, an index is made,
// built, dropped and collected, and the collection with it.
func TestAReaderSeesEachCommandWholeOrNotAtAll(t *testing.T) {
	b := newBench(t, store.Options{Dir: t.TempDir()})
	defer b.Close()
	var stop atomic.Bool
	var scans, used atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for !stop.Load() {
				if readOnce(t, b.m) {
					used.Add(1)
				}
				scans.Add(1)
			}
		})
	}
	p := newPlayer(5)
	for range 12 {
		p.record(b, 30)
		b.One(wire.OpDocIndex, &wire.DocIndex{Name: name("c"), Spec: spec(0, "b")})
		for b.m.Building() {
			b.One(wire.OpDocBuild, limit(20))
		}
		p.record(b, 10)
		b.One(wire.OpDocDropIndex, &wire.DocDropIndex{Name: name("c"), Index: []byte("b_1")})
		b.One(wire.OpDocCollect, limit(1000))
	}
	stop.Store(true)
	wg.Wait()
	if scans.Load() == 0 || used.Load() == 0 {
		t.Errorf("%d reads, %d of them by the index", scans.Load(), used.Load())
	}
	b.Check()
}

// readOnce compares the documents of a reader with one of its indexes. It reports whether there was one.
func readOnce(t *testing.T, m *Machine) bool {
	m.Totals()
	m.ExpireDue()
	r := m.Open([]byte("db"), []byte("c"))
	if r == nil {
		return false
	}
	defer r.Close()
	docs, entries := 0, 0
	if err := r.Scan(nil, nil, false, func([]byte, bsoncore.Document, uint64) bool { docs++; return true }); err != nil {
		t.Error(err)
	}
	ix := r.Index("b_1")
	if ix == nil || !ix.Ready() {
		return false
	}
	if err := r.IndexScan(ix, nil, nil, true, func(_, id []byte) bool {
		entries++
		d, _, err := r.Get(id, nil)
		if err != nil || d == nil {
			t.Errorf("an entry of a document that is not there: %x %v", id, err)
		}
		return true
	}); err != nil {
		t.Error(err)
	}
	if docs != entries {
		t.Errorf("%d documents, %d entries", docs, entries)
	}
	return true
}

func TestRangesAndCountsHaveTheBoundsThatAreAskedFor(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.createIndex("c", spec(0, "k", "-x"))
	for i := range int32(20) {
		b.insert("c", marshal(bson.D{{Key: "_id", Value: i}, {Key: "k", Value: i / 2}, {Key: "x", Value: i}}))
	}
	r := b.m.Open([]byte("db"), []byte("c"))
	defer r.Close()
	ix := r.Index("k_1_x_-1")
	var ids []int32
	collectIDs := func(_, id []byte) bool {
		d, _, _ := r.Get(id, nil)
		ids = append(ids, d.Lookup("_id").Int32())
		return len(ids) < 3
	}
	// The first field alone bounds, and the second is descending.
	if err := r.IndexScan(ix, idOf(t, "2"), idOf(t, "4"), false, collectIDs); err != nil || len(ids) != 3 || ids[0] != 5 || ids[1] != 4 || ids[2] != 7 {
		t.Errorf("%v %v", ids, err)
	}
	for _, c := range []struct{ from, to, bound, want int }{{2, 4, 100, 4}, {2, 4, 3, 3}, {0, 100, 100, 20}, {4, 2, 100, 0}, {2, 4, 0, 0}} {
		n, err := r.Count(ix, idOf(t, itoa(c.from)), idOf(t, itoa(c.to)), c.bound)
		if err != nil || n != c.want {
			t.Errorf("%+v: %d %v", c, n, err)
		}
	}
	var seen []int32
	err := r.Scan(idOf(t, "5"), idOf(t, "8"), true, func(_ []byte, d bsoncore.Document, _ uint64) bool {
		seen = append(seen, d.Lookup("_id").Int32())
		return true
	})
	if err != nil || len(seen) != 3 || seen[0] != 7 || seen[2] != 5 {
		t.Errorf("%v %v", seen, err)
	}
}

func itoa(n int) string {
	return bson.Raw(marshal(bson.D{{Key: "n", Value: n}})).Lookup("n").DebugString()
}

func TestVerifyFindsWhatIsWrong(t *testing.T) {
	for name, spoil := range map[string]func(b *bench, c *Collection, batch *store.Batch){
		"an entry lacks": func(_ *bench, c *Collection, batch *store.Batch) {
			batch.Delete(append(keys.Append(nil, kindEntry, c.Indexes[0].ID), append(idOf(t, "7"), idOf(t, "1")...)...))
		},
		"an entry too many": func(_ *bench, c *Collection, batch *store.Batch) {
			batch.Set(append(keys.Append(nil, kindEntry, c.Indexes[0].ID), append(idOf(t, "8"), idOf(t, "1")...)...), []byte{10}, nil)
		},
		"an entry of another document": func(_ *bench, c *Collection, batch *store.Batch) {
			batch.Set(append(keys.Append(nil, kindEntry, c.Indexes[1].ID), idOf(t, "7")...), idOf(t, "2"), nil)
		},
		"a document that nobody has counted": func(_ *bench, c *Collection, batch *store.Batch) {
			batch.Set(append(keys.Append(nil, kindDocument, c.ID), idOf(t, "2")...), []byte{1}, doc(t, `{"_id": 2}`))
		},
		"an entry of no index": func(_ *bench, _ *Collection, batch *store.Batch) {
			batch.Set(append(keys.Append(nil, kindEntry, 99), idOf(t, "2")...), []byte{10}, nil)
		},
	} {
		b := newBench(t, store.Options{Memory: true})
		b.createIndex("c", spec(0, "a"))
		b.createIndex("c", spec(wire.DocIndexUnique, "a", "x"))
		b.createIndex("u", spec(wire.DocIndexUnique, "a"))
		b.insert("c", doc(t, `{"_id": 1, "a": 7}`))
		b.Check()
		batch := b.Store.Begin()
		spoil(b, b.m.Collection([]byte("db"), []byte("c")), batch)
		batch.Commit()
		if err := b.m.Verify(); err == nil {
			t.Errorf("%s: nothing was found", name)
		}
		b.Close()
	}
}
