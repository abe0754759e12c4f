package fsm

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// modelDoc is what the model knows of a document.
type modelDoc struct {
	b       int32
	version uint64
}

// model is the collection c as plain Go has it. Its b is unique while unique says so.
type model struct {
	docs   map[int]modelDoc
	unique bool
	copy   map[int]string // the documents as the recorded changes make them
	at     Place          // that copy has reached
}

// expect executes a write and says what must come of it: an outcome, or MongoDB's code.
func (m *model) expect(a *wire.DocApply, ch *wire.DocChange, rev uint64) (wire.DocOutcome, uint32) {
	var d struct {
		ID int   `bson:"_id"`
		B  int32 `bson:"b"`
	}
	if ch.Doc != nil {
		if err := bson.Unmarshal(ch.Doc, &d); err != nil {
			panic(err)
		}
	}
	id := d.ID
	if ch.ID != nil {
		id = int(bsoncore.Value{Type: bsoncore.Type(ch.ID[0]), Data: ch.ID[1:]}.Int32())
	}
	old, there := m.docs[id]
	put := func(b int32, o wire.DocOutcome) (wire.DocOutcome, uint32) {
		for other, x := range m.docs {
			if m.unique && other != id && x.b == b {
				return 0, 11000
			}
		}
		m.docs[id] = modelDoc{b: b, version: rev}
		return o, 0
	}
	switch ch.Kind {
	case wire.DocChangeInsert:
		if there {
			return 0, 11000
		}
		return put(d.B, wire.DocInserted)
	case wire.DocChangePut, wire.DocChangeRemove:
		if !there || old.version != ch.Version {
			return 0, 112
		}
		if ch.Kind == wire.DocChangePut {
			return put(d.B, wire.DocMatched|wire.DocChanged)
		}
		delete(m.docs, id)
		return wire.DocMatched | wire.DocDeleted, 0
	}
	p := a.Programs[ch.Program]
	_, err := bsoncore.Document(p.Filter).LookupErr("b")
	matches := there && (err != nil || old.b < 150)
	to := bsoncore.Document(p.Update).Lookup("$set", "b").Int32()
	_, err = bsoncore.Document(p.Update).LookupErr("$push")
	switch {
	case !there && ch.Kind == wire.DocChangeUpsert:
		return put(to, wire.DocInserted)
	case !matches && there && ch.Kind == wire.DocChangeUpsert:
		return 0, 11000
	case !matches:
		return 0, 0
	case ch.Kind == wire.DocChangeDelete:
		delete(m.docs, id)
		return wire.DocMatched | wire.DocDeleted, 0
	case old.b == to && err != nil:
		return wire.DocMatched, 0
	}
	return put(to, wire.DocMatched|wire.DocChanged)
}

// apply checks what came of a command.
func (m *model) apply(t *testing.T, a *wire.DocApply, ans *wire.Response, rev uint64) {
	t.Helper()
	before := maps.Clone(m.docs)
	r := wire.NewReader(ans.Body)
	failed := false
	for i := range a.Changes {
		want, code := wire.DocSkipped, uint32(0)
		if !failed || a.Mode != wire.DocInOrder {
			want, code = m.expect(a, &a.Changes[i], rev)
		}
		if code != 0 && a.Mode == wire.DocAtomic {
			if ans.Sub != code || ans.Num != int64(i) {
				t.Fatalf("write %d of %+v: got %v %d at %d, want %d", i, a, ans.Code, ans.Sub, ans.Num, code)
			}
			m.docs = before
			return
		}
		if ans.Code != wire.OK {
			if a.Mode == wire.DocAtomic && int64(i) < ans.Num {
				continue
			}
			t.Fatalf("%+v failed with %v", a, ans.Err())
		}
		got := wire.DocOutcome(r.Byte())
		if got == wire.DocFailed {
			if e := wire.TakeDocError(&r); e.Sub != code {
				t.Fatalf("write %d of %+v: got %d %s, want %d", i, a, e.Sub, e.Msg, code)
			}
		}
		if code != 0 {
			want, failed = wire.DocFailed, true
		}
		if got != want {
			t.Fatalf("write %d of %+v: got %b, want %b (%d)", i, a, got, want, code)
		}
	}
}

// compare compares all documents, and what each index finds.
func (m *model) compare(t *testing.T, b *bench) {
	t.Helper()
	got := map[int]modelDoc{}
	if r := b.m.Open([]byte("db"), []byte("c")); r != nil {
		defer r.Close()
		last := -1
		err := r.Scan(nil, nil, false, func(_ []byte, d bsoncore.Document, version uint64) bool {
			id := int(d.Lookup("_id").Int32())
			if id <= last {
				t.Fatalf("document %d behind %d", id, last)
			}
			last = id
			got[id] = modelDoc{d.Lookup("b").Int32(), version}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		m.byIndex(t, r)
	}
	if !maps.Equal(got, m.docs) {
		t.Fatalf("got %v, want %v", got, m.docs)
	}
}

// byIndex compares the documents of a range of the index of b.
func (m *model) byIndex(t *testing.T, r *Reader) {
	ix := r.Index("b_1")
	if ix == nil || !ix.Ready() {
		return
	}
	from, to := idOf(t, "50"), idOf(t, "200")
	var got, want []int32
	err := r.IndexScan(ix, from, to, false, func(_, id []byte) bool {
		d, _, err := r.Get(id, nil)
		if err != nil || d == nil {
			t.Fatalf("an entry of a document that is not there: %x %v", id, err)
		}
		got = append(got, d.Lookup("b").Int32())
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range m.docs {
		if d.b >= 50 && d.b < 200 {
			want = append(want, d.b)
		}
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("the index has %v, the model %v", got, want)
	}
}

func TestRandomWritesDoWhatAPlainMapDoes(t *testing.T) {
	for seed := range uint64(4) {
		for _, unique := range []bool{false, true} {
			t.Run(fmt.Sprintf("seed=%d/unique=%v", seed, unique), func(t *testing.T) {
				b := newBench(t, store.Options{Memory: true})
				defer b.Close()
				p, m := newPlayer(seed+1000), &model{docs: map[int]modelDoc{}, unique: unique, copy: map[int]string{}}
				b.Must(wire.OpDocFeed, &wire.DocFeed{Name: name("c")})
				flags := wire.DocIndexFlags(0)
				if unique {
					flags = wire.DocIndexUnique
				} else {
					p.play(t, b, m, 100) // so that the index has something to be built of
				}
				b.createIndex("c", spec(flags, "b"))
				b.createIndex("c", spec(wire.DocIndexSparse, "n.x", "-b"))
				b.createIndex("c", spec(0, "-a"))
				for range 8 {
					p.play(t, b, m, 60)
					b.One(wire.OpDocBuild, limit(10))
					b.One(wire.OpDocBuild, limit(10))
					b.Check()
				}
			})
		}
	}
}

// play plays writes of c, which the model executes as well.
func (p *player) play(t *testing.T, b *bench, m *model, n int) {
	t.Helper()
	for range n {
		versions := map[int]uint64{}
		for id, d := range m.docs {
			versions[id] = d.version
		}
		a := p.apply(versions)
		a.Targets = []wire.DocName{name("c")}
		for i := range a.Changes {
			a.Changes[i].Target = 0
		}
		ans := b.One(wire.OpDocApply, a)
		m.apply(t, a, &ans, b.Rev)
	}
	m.compare(t, b)
	m.follow(t, b)
}
