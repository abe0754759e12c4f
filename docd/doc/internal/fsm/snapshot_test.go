package fsm

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// shownBy lists what a snapshot has: of each collection its indexes and its documents.
func shownBy(t *testing.T, s *Snapshot, colls ...string) (all []string) {
	t.Helper()
	for _, coll := range colls {
		r := s.Open([]byte("db"), []byte(coll))
		line := coll + ":"
		for _, ix := range r.Indexes {
			line += " " + ix.Name
		}
		err := r.Scan(nil, nil, false, func(_ []byte, doc bsoncore.Document, _ uint64) bool {
			line += " " + bsoncore.Document(doc).String()
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		r.Close() // which leaves the view to the snapshot
		all = append(all, line)
	}
	return all
}

func TestASnapshotHasAllCollectionsAsTheyWere(t *testing.T) {
	b := newBench(t, store.Options{Dir: t.TempDir()})
	defer b.Close()
	b.insert("a", doc(t, `{"_id": 1}`))
	b.insert("b", doc(t, `{"_id": 2, "x": 1}`))
	b.createIndex("b", spec(0, "x"))
	for b.m.Building() {
		b.One(wire.OpDocBuild, limit(20))
	}
	old := b.m.Snapshot()
	defer old.Close()
	before := shownBy(t, old, "a", "b", "c")
	if want := []string{`a: {"_id": {"$numberInt":"1"}}`, `b: x_1 {"_id": {"$numberInt":"2"},"x": {"$numberInt":"1"}}`, `c:`}; !slices.Equal(before, want) {
		t.Fatalf("%q", before)
	}
	n := name("a")
	for i, change := range []func(){
		func() { b.Must(wire.OpDocDrop, &n) },
		func() { b.insert("c", doc(t, `{"_id": 3}`)) },
		func() { b.insert("a", doc(t, `{"_id": 4}`)) },
		func() { b.Must(wire.OpDocDropIndex, &wire.DocDropIndex{Name: name("b"), Index: []byte("*")}) },
		func() { b.One(wire.OpDocCollect, limit(1000)) },
		func() { n := wire.DocName{DB: []byte("db")}; b.Must(wire.OpDocDrop, &n) },
	} {
		change()
		if again := shownBy(t, old, "a", "b", "c"); !slices.Equal(again, before) {
			t.Errorf("behind change %d: %q", i, again)
		}
		now := b.m.Snapshot() // so that the next change copies once more
		now.Close()
	}
	now := b.m.Snapshot()
	defer now.Close()
	if got := shownBy(t, now, "a", "b", "c"); !slices.Equal(got, []string{"a:", "b:", "c:"}) || now.Revision() <= old.Revision() {
		t.Errorf("%q at revision %d", got, now.Revision())
	}
}

// TestASnapshotSeesEachCommandWholeOrNotAtAll has snapshots compare two collections into which each command writes, while others
// are made and dropped.
func TestASnapshotSeesEachCommandWholeOrNotAtAll(t *testing.T) {
	b := newBench(t, store.Options{Dir: t.TempDir()})
	defer b.Close()
	var stop atomic.Bool
	var seen atomic.Int64
	var wg sync.WaitGroup
	count := func(s *Snapshot, coll string) int {
		r := s.Open([]byte("db"), []byte(coll))
		n, err := r.CountIDs(nil, nil, 1<<30)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	for range 2 {
		wg.Go(func() {
			for !stop.Load() {
				s := b.m.Snapshot()
				if l, r := count(s, "left"), count(s, "right"); l != r {
					t.Errorf("%d documents and %d", l, r)
				}
				s.Close()
				seen.Add(1)
			}
		})
	}
	other := name("other")
	for i := 0; i < 300 || seen.Load() < 20; i++ {
		d := doc(t, fmt.Sprintf(`{"_id": %d}`, i))
		b.Must(wire.OpDocApply, &wire.DocApply{
			Mode: wire.DocAtomic, Targets: []wire.DocName{name("left"), name("right")},
			Changes: []wire.DocChange{{Kind: wire.DocChangeInsert, Doc: d}, {Kind: wire.DocChangeInsert, Target: 1, Doc: d}},
		})
		if i%5 == 0 {
			b.Must(wire.OpDocCreate, &other)
			b.Must(wire.OpDocDrop, &other)
		}
	}
	stop.Store(true)
	wg.Wait()
	b.Check()
}
