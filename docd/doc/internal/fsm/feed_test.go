package fsm

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// changes returns the recorded events behind a place, read by pieces of most bytes.
func (b *bench) changes(from Place, most int) (all []wire.DocEvent) {
	b.T.Helper()
	for at, more := from, true; more; {
		var chunks []Chunk
		var err error
		if chunks, _, more, err = b.m.Changes(nil, at, most); err != nil {
			b.T.Fatal(err)
		}
		for _, c := range chunks {
			for r := wire.NewReader(c.Events); r.Len() > 0; {
				var e wire.DocEvent
				if wire.TakeDocEvent(&r, &e); r.Err() != nil {
					b.T.Fatal(r.Err())
				}
				if !from.Passed(&e) {
					all = append(all, e)
				}
			}
			at = c.Last
		}
	}
	return all
}

// shownEvents shows events without their times.
func shownEvents(events []wire.DocEvent) (all []string) {
	for _, e := range events {
		kind := [...]string{"?", "insert", "update", "delete", "drop"}[e.Kind]
		s := fmt.Sprintf("%d.%d %s %s.%s", e.Rev, e.Event, kind, e.Name.DB, e.Name.Coll)
		if len(e.ID) > 0 {
			s += " " + shown(bsoncore.Value{Type: bsoncore.Type(e.ID[0]), Data: e.ID[1:]})
		}
		if len(e.Doc) > 0 {
			s += " " + bsoncore.Document(e.Doc).String()
		}
		all = append(all, s)
	}
	return all
}

func (b *bench) feed(coll string, off bool) wire.Response {
	b.T.Helper()
	return b.Must(wire.OpDocFeed, &wire.DocFeed{Name: name(coll), Off: off})
}

func TestChangesAreRecordedInTheOrderInWhichTheyAreMade(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.insert("c", doc(t, `{"_id": 1}`))
	on := b.feed("c", false)
	if on.Num != 1 || on.Rev != b.Rev || b.feed("c", false).Num != 0 {
		t.Fatalf("turning the feed on was answered %+v", on)
	}
	b.insert("c", doc(t, `{"_id": 2}`), doc(t, `{"_id": 3}`))
	b.insert("other", doc(t, `{"_id": 9}`))
	b.insert("c", doc(t, `{"_id": 2}`)) // fails
	b.Must(wire.OpDocApply, &wire.DocApply{
		Targets:  []wire.DocName{name("c"), name("other")},
		Programs: []wire.DocProgram{{Update: doc(t, `{"$set": {"a": 1}}`)}, {Update: doc(t, `{"$set": {"a": 1}}`)}},
		Changes: []wire.DocChange{
			{Kind: wire.DocChangeUpdate, ID: val(t, "1")},
			{Kind: wire.DocChangeUpdate, ID: val(t, "1"), Program: 1}, // changes nothing
			{Kind: wire.DocChangeInsert, Target: 1, Doc: doc(t, `{"_id": 8}`)},
			{Kind: wire.DocChangeUpsert, ID: val(t, "4")},
			{Kind: wire.DocChangeDelete, ID: val(t, "2")},
		},
	})
	drop := name("")
	b.Must(wire.OpDocDrop, &drop)
	b.Check()
	got := shownEvents(b.changes(After(on.Rev), 1))
	want := []string{
		`4.1 insert db.c 2 {"_id": {"$numberInt":"2"}}`,
		`4.2 insert db.c 3 {"_id": {"$numberInt":"3"}}`,
		`7.1 update db.c 1 {"_id": {"$numberInt":"1"},"a": {"$numberInt":"1"}}`,
		`7.2 insert db.c 4 {"_id": {"$numberInt":"4"},"a": {"$numberInt":"1"}}`,
		`7.3 delete db.c 2`,
		`8.1 drop db.c`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("recorded were\n%q\nwant\n%q", got, want)
	}
}

func TestNothingIsWrittenOfCollectionsThatHaveNoFeed(t *testing.T) {
	plain, fed := newBench(t, store.Options{Memory: true}), newBench(t, store.Options{Memory: true})
	defer plain.Close()
	defer fed.Close()
	fed.feed("other", false)
	fed.feed("other", true)
	for _, b := range []*bench{plain, fed} {
		b.Rev = 10
		b.insert("c", doc(t, `{"_id": 1}`))
		b.Check()
	}
	plain.Same(fed.Bench)
	if plain.m.record != (record{oldest: never}) {
		t.Errorf("recorded are %+v", plain.m.record)
	}
}

func TestAPlaceIsKeptSinceItsNameIsRecordedAndUntilItIsTrimmed(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	kept := func(coll string, from Place, want bool) {
		t.Helper()
		n := name(coll)
		if got := b.m.Kept(&n, from); got != want {
			t.Errorf("%s from %v is kept: %v, want %v", coll, from, got, want)
		}
	}
	kept("c", After(0), false)
	b.insert("c", doc(t, `{"_id": 1}`))
	first := b.feed("c", false).Rev
	kept("c", After(first-2), false)
	kept("c", After(first), true)
	kept("", After(first), false)
	b.insert("d", doc(t, `{"_id": 1}`))
	whole := b.feed("", false).Rev
	kept("d", After(first), false)
	kept("d", After(whole), true)
	kept("c", After(first), true)
	b.feed("c", true)
	kept("c", After(first), false) // as far as is known still
	kept("c", After(whole), true)
	b.feed("", true)
	kept("c", After(whole), false)
	again := b.feed("c", false).Rev
	kept("c", After(whole), false)
	kept("c", After(again), true)
	one := b.insert("c", doc(t, `{"_id": 2}`), doc(t, `{"_id": 3}`)).Rev
	b.insert("c", doc(t, `{"_id": 4}`))
	if ans := b.Must(wire.OpDocTrim, &wire.DocTrim{Bytes: 0, Limit: 1}); ans.Num != 1 || ans.Rev != b.Rev {
		t.Errorf("trimming was answered %+v", ans)
	}
	kept("c", After(again), false)
	kept("c", Place{one, 1}, false)
	kept("c", Place{one, 2}, true)
	b.Check()
	if n := name("c"); !b.m.Recorded(&n) || b.m.Recorded(&wire.DocName{DB: []byte("db")}) {
		t.Error("what is recorded is not known")
	}
}

func TestChangesAreTrimmedByTimeAndBytes(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	on := b.feed("c", false).Rev
	for i := range 10 {
		b.Now = int64(1000 * (i + 1))
		b.insert("c", doc(t, fmt.Sprintf(`{"_id": %d, "s": "%s"}`, i, bytes.Repeat([]byte("x"), 1000))))
	}
	size := b.m.record.bytes / 10
	for _, step := range []struct {
		trim wire.DocTrim
		gone int64
		left int
	}{
		{wire.DocTrim{Before: 1000, Bytes: 1 << 30, Limit: 100}, 0, 10},
		{wire.DocTrim{Before: 3001, Bytes: 1 << 30, Limit: 2}, 2, 8},
		{wire.DocTrim{Before: 3001, Bytes: 1 << 30, Limit: 2}, 1, 7},
		{wire.DocTrim{Before: 3001, Bytes: 4*size + 1, Limit: 100}, 3, 4},
		{wire.DocTrim{Before: 20_000, Bytes: 1 << 30, Limit: 100}, 4, 0},
		{wire.DocTrim{Before: 20_000, Limit: 100}, 0, 0},
	} {
		if due := b.m.TrimDue(step.trim.Before, step.trim.Bytes); due != (step.gone > 0) {
			t.Errorf("%+v is due: %v", step.trim, due)
		}
		ans := b.Must(wire.OpDocTrim, &step.trim)
		if got := len(b.storedChanges(After(on))); ans.Num != step.gone || got != step.left {
			t.Errorf("%+v removed %d and left %d, want %d and %d", step.trim, ans.Num, got, step.gone, step.left)
		}
		b.Check()
	}
}

// storedChanges is changes without what memory has.
func (b *bench) storedChanges(from Place) []wire.DocEvent {
	b.T.Helper()
	recent := b.m.recent
	defer func() { b.m.recent = recent }()
	b.m.recent.reset(After(1 << 60))
	return b.changes(from, 1000)
}

func TestTheChangesOfALargeCommandAreSeveralChunks(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	on := b.feed("c", false).Rev
	const docs, each = 40, 20_000
	a := inserts("c")
	for i := range docs {
		a.Changes = append(a.Changes, wire.DocChange{Kind: wire.DocChangeInsert, Doc: doc(t, fmt.Sprintf(`{"_id": %d, "s": "%s"}`, i, bytes.Repeat([]byte("x"), each)))})
	}
	b.Must(wire.OpDocApply, a)
	b.Check()
	if b.m.record.chunks != 3 { // of 14 documents each, but the last
		t.Errorf("they are %d chunks", b.m.record.chunks)
	}
	for behind := range uint64(docs) {
		for _, events := range [][]wire.DocEvent{b.changes(Place{on + 1, behind}, 1), b.storedChanges(Place{on + 1, behind})} {
			if len(events) != int(docs-behind) || events[0].Event != behind+1 {
				t.Fatalf("behind event %d are %d, the first is %d", behind, len(events), events[0].Event)
			}
		}
	}
}

func TestOnlySoManyNamesAreRecorded(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	for i := range maxFeeds {
		b.feed(fmt.Sprint("c", i), false)
	}
	over := &wire.DocFeed{Name: name("over")}
	if ans := b.One(wire.OpDocFeed, over); ans.Code != wire.Full {
		t.Errorf("one more was answered %+v", ans)
	}
	b.feed("c7", true)
	b.Must(wire.OpDocFeed, over)
	b.Check()
}

func TestRecentChangesGoWhenTheyAreMany(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	on := b.feed("c", false).Rev
	n := 0
	for b.m.recent.from == After(0) {
		b.insert("c", doc(t, fmt.Sprintf(`{"_id": %d, "s": "%s"}`, n, bytes.Repeat([]byte("x"), 200_000))))
		n++
	}
	events := b.changes(After(on), 1<<20)
	if len(events) != n || b.m.recent.bytes > recentBytes {
		t.Errorf("%d of %d events, %d bytes in memory", len(events), n, b.m.recent.bytes)
	}
	for i, e := range events {
		if e.Rev != on+1+uint64(i) {
			t.Fatalf("event %d is of revision %d", i, e.Rev)
		}
	}
}

// follow applies the recorded changes that are new to the copy, and compares it with the documents.
func (m *model) follow(t *testing.T, b *bench) {
	t.Helper()
	for _, e := range b.changes(m.at, 4096) {
		id := int(bsoncore.Value{Type: bsoncore.Type(e.ID[0]), Data: e.ID[1:]}.Int32())
		_, there := m.copy[id]
		if there == (e.Kind == wire.DocEventInsert) {
			t.Fatalf("event %d.%d is of kind %d, document %d there before: %v", e.Rev, e.Event, e.Kind, id, there)
		}
		if e.Kind == wire.DocEventDelete {
			delete(m.copy, id)
		} else {
			m.copy[id] = string(e.Doc)
		}
		m.at = Place{e.Rev, e.Event}
	}
	docs := map[int]string{}
	if r := b.m.Open([]byte("db"), []byte("c")); r != nil {
		defer r.Close()
		if err := r.Scan(nil, nil, false, func(_ []byte, d bsoncore.Document, _ uint64) bool {
			docs[int(d.Lookup("_id").Int32())] = string(d)
			return true
		}); err != nil {
			t.Fatal(err)
		}
	}
	if !maps.Equal(docs, m.copy) {
		t.Fatalf("the recorded changes make %d documents, there are %d, or others", len(m.copy), len(docs))
	}
}
