package flin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// serveDocs answers finds with n documents by cursor, batch by batch, and returns the cursors that are open.
func serveDocs(t *testing.T, f *fake, n int) func() []uint64 {
	var mu sync.Mutex
	at := map[uint64]int{}
	next := uint64(0)
	page := func(from, batch int) (body []byte, to int) {
		for to = from; to < min(n, from+batch); to++ {
			body = append(body, raw(t, d("_id", to))...)
		}
		return body, to
	}
	f.onRequest(func(c *fakeConn, req *wire.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		switch req.Op {
		case wire.OpDocFind, wire.OpDocAggregate:
			batch := wire.DefaultDocBatch
			if req.Op == wire.OpDocFind {
				var m wire.DocFind
				must(t, m.Decode(req.Body))
				if m.Batch != 0 {
					batch = int(m.Batch)
				}
			}
			body, to := page(0, batch)
			resp := wire.Response{Body: body}
			if to < n {
				next++
				at[next] = to
				resp.Num = int64(next)
			}
			c.answer(req.Tag, resp)
		case wire.OpDocMore:
			var m wire.DocMore
			must(t, m.Decode(req.Body))
			from, ok := at[m.Cursor]
			if !ok {
				c.answer(req.Tag, wire.Failf(wire.NotFound, "cursor %d is not there", m.Cursor))
				return true
			}
			body, to := page(from, int(m.Batch))
			resp := wire.Response{Body: body, Num: int64(m.Cursor)}
			if at[m.Cursor] = to; to == n {
				delete(at, m.Cursor)
				resp.Num = 0
			}
			c.answer(req.Tag, resp)
		case wire.OpDocKill:
			var m wire.DocKill
			must(t, m.Decode(req.Body))
			for _, cursor := range m.Cursors {
				delete(at, cursor)
			}
			c.answer(req.Tag, wire.Response{Num: 1})
		default:
			return false
		}
		return true
	})
	return func() (open []uint64) {
		mu.Lock()
		defer mu.Unlock()
		for cursor := range at {
			open = append(open, cursor)
		}
		return open
	}
}

func TestAResultLargerThanABatchComesWhole(t *testing.T) {
	f := newFake(t)
	open := serveDocs(t, f, 2500)
	db := connect(t, f.addr()).DB
	docs, err := db.Query("c").Exec()
	if err != nil || len(docs) != 2500 || docs[2499]["_id"] != int32(2499) {
		t.Errorf("%d documents, %v", len(docs), err)
	}
	for name, docs := range map[string]func(func(Document, error) bool){
		"iterate": db.Query("c").Iter(), "in small batches": db.Query("c").Batch(100).Iter(), "aggregate": db.Aggregate("c", []D{}),
	} {
		n := int32(0)
		for doc, err := range docs {
			if err != nil || doc["_id"] != n {
				t.Fatalf("%s: %v, %v; want %d", name, doc, err, n)
			}
			n++
		}
		if n != 2500 {
			t.Errorf("%s: %d documents", name, n)
		}
	}
	n := 0
	for doc, err := range db.Query("c").Raw() {
		must(t, err)
		if id, ok := doc.Lookup("_id").Int32OK(); !ok || int(id) != n {
			t.Fatal(doc)
		}
		n++
	}
	if list := open(); n != 2500 || len(list) != 0 {
		t.Errorf("%d documents; cursors are open: %v", n, list)
	}
}

func TestALoopThatIsLeftGivesItsCursorUp(t *testing.T) {
	f := newFake(t)
	open := serveDocs(t, f, 2500)
	client := connect(t, f.addr())
	for range client.DB.Query("c").Iter() {
		break
	}
	if list := open(); len(list) != 0 {
		t.Errorf("cursors are open: %v", list)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range client.With(ctx).DB.Query("c").Iter() {
		if last = err; err != nil {
			break
		}
		if n++; n == wire.DefaultDocBatch {
			cancel()
		}
	}
	if list := open(); !errors.Is(last, context.Canceled) || n != wire.DefaultDocBatch || len(list) != 0 {
		t.Errorf("after %d documents: %v; cursors are open: %v", n, last, list)
	}
}

func TestACursorThatIsGoneEndsTheLoop(t *testing.T) {
	f := newFake(t)
	serveDocs(t, f, 2500)
	db := connect(t, f.addr()).DB
	n := 0
	var last error
	for _, err := range db.Query("c").Iter() {
		if last = err; err != nil {
			continue
		}
		if n++; n == 1 {
			serveDocs(t, f, 2500) // a server that knows nothing of it
		}
	}
	if !errors.Is(last, ErrNotFound) || n != wire.DefaultDocBatch {
		t.Errorf("after %d documents: %v", n, last)
	}
}

func TestNothingMatchesIsNotFoundOrNothing(t *testing.T) {
	f := newFake(t)
	serveDocs(t, f, 0)
	db := connect(t, f.addr()).DB
	if doc, err := db.Query("c").First(); doc != nil || !errors.Is(err, ErrNotFound) {
		t.Error(doc, err)
	}
	if docs, err := db.Query("c").Exec(); docs != nil || err != nil {
		t.Error(docs, err)
	}
	f.onRequest(func(c *fakeConn, req *wire.Request) bool {
		c.answer(req.Tag, wire.Response{Body: (&wire.DocModified{}).Append(nil)})
		return true
	})
	if doc, err := db.Update("c").Where("a", Eq, 1).Set("b", 1).FindAndModify(); doc != nil || !errors.Is(err, ErrNotFound) {
		t.Error(doc, err)
	}
	f.onRequest(func(c *fakeConn, req *wire.Request) bool {
		c.answer(req.Tag, result(wire.DocResult{}))
		return true
	})
	if err := CollectionOf[Document](db, "c").Replace(1, Document{"a": 1}); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestTheMistakesOfABuilderAreToldAtItsEnd(t *testing.T) {
	f := newFake(t)
	db := connect(t, f.addr()).DB
	exec := func(q *Query) error {
		_, err := q.Exec()
		return err
	}
	update := func(u *Update) error {
		_, err := u.Exec()
		return err
	}
	remove := func(d *Delete) error {
		_, err := d.Exec()
		return err
	}
	batch := func(b *Batch) error {
		_, err := b.Exec()
		return err
	}
	where := func(op Operator, v any) error { return exec(db.Query("c").Where("a", op, v)) }
	a := db.Update("c").Where("a", Eq, 1)
	_, many := db.InsertMany("c", Document{})
	_, distinct := db.Query("c").Take(5).Distinct("a")
	_, pipeline := db.ExplainAggregate("c", Document{})
	_, index := db.CreateIndex("c", []string{"a"}, Partial(Where("a", In, 5)))
	for _, tc := range []struct {
		says string
		err  error
	}{
		{"needs All", update(db.Update("c").Set("a", 1))},
		{"needs All", update(db.Update("c").One().Set("a", 1))},
		{"needs All", update(db.Update("c").Filter(FilterDoc(Document{})).Set("a", 1))},
		{"changes nothing", update(db.Update("c").Where("a", Eq, 1))},
		{"no other change", update(db.Update("c").Where("a", Eq, 1).Set("a", 1).Replace(Document{}))},
		{"FindAndModify", update(db.Update("c").Where("a", Eq, 1).Set("a", 1).ReturnNew())},
		{"func()", update(db.Update("c").Where("a", Eq, 1).Set("a", func() {}))},
		{"no document", update(a.ArrayFilter(7).Set("a", 1))},
		{"needs All", remove(db.Delete("c"))},
		{"needs All", remove(db.Delete("c").One())},
		{"FindAndDelete", remove(db.Delete("c").Where("a", Eq, 1).Select("a"))},
		{"there is no operator 0", where(0, 1)},
		{"there is no operator 99", where(99, 1)},
		{"take a slice, not a int", where(In, 1)},
		{"take a slice, not a []uint8", where(NotIn, []byte{1})},
		{"true or false, not a int", where(Exists, 1)},
		{"takes a string, not a int", where(StartsWith, 1)},
		{"Regex takes", where(Regex, 1)},
		{"nil is no document", exec(db.Query("c").Filter(FilterDoc(nil)))},
		{"less than 0", exec(db.Query("c").Skip(-1))},
		{"less than 0", exec(db.Query("c").Take(-1))},
		{"Asc or Desc", exec(db.Query("c").OrderBy("a", 0))},
		{"NUL", exec(db.Query("c").Select("a\x00"))},
		{"neither Select nor Omit", exec(db.Query("c").Select("a").Project(Document{}))},
		{"neither Skip nor Take", distinct},
		{"takes a slice of documents", many},
		{"a pipeline is a slice", pipeline},
		{"take a slice", index},
		{"is empty", db.DropCollection("")},
		{"needs All", batch(db.Batch().Insert("c", Document{}).Delete(db.Delete("c")))},
		{"no document", batch(db.Batch().Insert("c", 7))},
		{"changes nothing", batch(db.Batch().Update(db.Update("c").All()))},
	} {
		if !errors.Is(tc.err, ErrInvalid) || !strings.Contains(fmt.Sprint(tc.err), tc.says) {
			t.Errorf("%v, want what says %q", tc.err, tc.says)
		}
	}
	if r, err := db.Batch().Exec(); err != nil || r.Inserted != 0 {
		t.Error(r, err)
	}
	large := db.Batch()
	for range wire.MaxBatch + 1 {
		large.Delete(db.Delete("c").All())
	}
	if err := batch(large); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	db.Update("c").Where("a", Eq, 1).Set("b", 2) // without Exec
	if len(f.seen) > 1 {
		t.Errorf("the server was asked: %v", f.seen)
	}
}

func TestAFailureOfTheServerHasItsCode(t *testing.T) {
	f := newFake(t)
	db := connect(t, f.addr()).DB
	duplicate := []wire.DocError{{Code: wire.Exists, Sub: 11000, Msg: []byte("E11000 duplicate key")}}
	f.onRequest(func(c *fakeConn, req *wire.Request) bool {
		switch req.Op {
		case wire.OpDocModify:
			c.answer(req.Tag, wire.Response{Body: (&wire.DocModified{Result: wire.DocResult{Errors: duplicate}}).Append(nil)})
		default:
			c.answer(req.Tag, result(wire.DocResult{Matched: 2, Modified: 1, Deleted: 1, Errors: duplicate}))
		}
		return true
	})
	_, insert := db.Insert("c", Document{"_id": 1})
	updated, update := db.Update("c").All().Set("a", 1).Exec()
	deleted, remove := db.Delete("c").All().Exec()
	_, modify := db.Update("c").All().Set("a", 1).FindAndModify()
	_, batch := db.Batch().Insert("c", Document{}).Exec()
	for name, err := range map[string]error{"insert": insert, "update": update, "delete": remove, "modify": modify, "batch": batch} {
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, ErrExists) || e.Sub != 11000 || !strings.Contains(err.Error(), "E11000") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if updated.Matched != 2 || updated.Modified != 1 || deleted.Deleted != 1 {
		t.Errorf("what was done before: %+v %+v", updated, deleted)
	}
}

func TestInsertManyTravelsInPiecesAndTellsWhatFailed(t *testing.T) {
	f := newFake(t)
	f.welcome.MaxRequest = wire.MaxRequest
	db := connect(t, f.addr()).DB
	var pieces []int
	refuse := map[int]bool{}
	seen := 0
	f.onRequest(func(c *fakeConn, req *wire.Request) bool {
		var m wire.DocInsert
		must(t, m.Decode(req.Body))
		pieces = append(pieces, len(m.Docs))
		var r wire.DocResult
		for i, doc := range m.Docs {
			id := int(bson.Raw(doc).Lookup("_id").Int32())
			if id != seen+i {
				t.Errorf("document %d is number %d", id, seen+i)
			}
			if refuse[id] {
				r.Errors = append(r.Errors, wire.DocError{Index: uint64(i), Code: wire.Exists, Sub: 11000, Msg: []byte("there")})
				if m.Flags&wire.DocUnordered == 0 {
					break
				}
				continue
			}
			r.Inserted++
		}
		seen += len(m.Docs)
		c.answer(req.Tag, result(r))
		return true
	})
	run := func(n int, text string, opts ...InsertOption) ([]any, error) {
		pieces, seen = nil, 0
		docs := make([]D, n)
		for i := range docs {
			docs[i] = d("_id", i, "text", text)
		}
		return db.InsertMany("c", docs, opts...)
	}
	ids, err := run(2500, "")
	if err != nil || len(ids) != 2500 || ids[2499] != int32(2499) || !slices.Equal(pieces, []int{1000, 1000, 500}) {
		t.Errorf("%d ids, pieces %v, %v", len(ids), pieces, err)
	}
	if _, err := run(10, strings.Repeat("x", 1<<20)); err != nil || !slices.Equal(pieces, []int{3, 3, 3, 1}) {
		t.Errorf("pieces %v, %v", pieces, err)
	}
	if ids, err := run(0, ""); err != nil || len(ids) != 0 || len(pieces) != 0 {
		t.Error(ids, pieces, err)
	}
	refuse[1005], refuse[1007] = true, true
	ids, err = run(2500, "")
	var bulk *BulkError
	if !errors.As(err, &bulk) || !errors.Is(err, ErrExists) || bulk.Inserted != 1005 || len(bulk.Errors) != 1 || bulk.Errors[0].Index != 1005 || bulk.Errors[0].Err.Sub != 11000 {
		t.Errorf("ordered: %v", err)
	}
	if len(ids) != 2500 || ids[1004] != int32(1004) || ids[1005] != nil || ids[2000] != nil {
		t.Errorf("ordered: %v", ids)
	}
	ids, err = run(2500, "", Unordered())
	if !errors.As(err, &bulk) || bulk.Inserted != 2498 || len(bulk.Errors) != 2 || !strings.Contains(err.Error(), "number 1005 was not: there (and 1 more)") {
		t.Errorf("unordered: %v", err)
	}
	if ids[1005] != nil || ids[1006] != int32(1006) || ids[1007] != nil || ids[2499] != int32(2499) {
		t.Errorf("unordered: %v", ids[1000:1010])
	}
	if ids, err := db.InsertMany("c", []any{Document{"_id": 0}, 7}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "document 1") || ids[0] != nil {
		t.Error(ids, err)
	}
	f.onRequest(func(c *fakeConn, req *wire.Request) bool {
		if seen++; seen == 2 {
			c.answer(req.Tag, wire.Failf(wire.Full, "no room"))
			return true
		}
		c.answer(req.Tag, result(wire.DocResult{Inserted: 1000}))
		return true
	})
	if ids, err := run(2500, ""); !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "after 1000 documents") || ids[999] == nil || ids[1000] != nil {
		t.Error(err)
	}
}

func TestCreateIndexWaitsAsLongAsTheBuildTakes(t *testing.T) {
	f := newFake(t)
	db := connect(t, f.addr(), func(o *Options) { o.Timeout, o.Retries = 200*time.Millisecond, 0 }).DB
	f.onRequest(func(c *fakeConn, req *wire.Request) bool {
		switch req.Op {
		case wire.OpDocIndex:
			if f.count(wire.OpDocIndex) == 3 {
				c.answer(req.Tag, wire.Response{Body: []byte("a_1")})
			}
		case wire.OpDocIndexes:
			info := wire.DocIndexInfo{Spec: wire.DocIndexSpec{Name: []byte("a_1")}, State: wire.DocIndexBuilding}
			c.answer(req.Tag, wire.Response{Body: wire.AppendDocIndexInfo(nil, &info)})
		}
		return true
	})
	if name, err := db.CreateIndex("c", []string{"a"}); err != nil || name != "a_1" {
		t.Error(name, err)
	}
	if _, err := db.CreateIndex("c", []string{"b"}); !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("an index that is not being built: %v", err)
	}
}

func TestACollectionHoldsStructs(t *testing.T) {
	type address struct {
		City string `bson:"city"`
	}
	type person struct {
		ID      ObjectID       `bson:"_id,omitempty"`
		Name    string         `bson:"name"`
		Age     int            `bson:"age"`
		Home    *address       `bson:"home,omitempty"`
		Born    time.Time      `bson:"born"`
		More    map[string]any `bson:"more,omitempty"`
		Any     any            `bson:"any,omitempty"`
		Secret  string         `bson:"-"`
		Friends []string       `bson:"friends"`
	}
	f := newFake(t)
	db := connect(t, f.addr()).DB
	var stored [][]byte
	f.onRequest(func(c *fakeConn, req *wire.Request) bool {
		switch req.Op {
		case wire.OpDocInsert:
			var m wire.DocInsert
			must(t, m.Decode(req.Body))
			for _, doc := range m.Docs {
				stored = append(stored, slices.Clone(doc))
			}
			c.answer(req.Tag, result(wire.DocResult{Inserted: uint64(len(m.Docs))}))
		case wire.OpDocUpdate:
			c.answer(req.Tag, result(wire.DocResult{Matched: 1}))
		case wire.OpDocCount:
			c.answer(req.Tag, wire.Response{Num: int64(len(stored))})
		case wire.OpDocExplain:
			c.answer(req.Tag, wire.Response{Body: raw(t, d("ok", 1))})
		default:
			c.answer(req.Tag, wire.Response{Body: slices.Concat(stored...)})
		}
		return true
	})
	people := CollectionOf[person](db, "people")
	born := time.UnixMilli(1000).UTC()
	john := person{Name: "John", Age: 30, Home: &address{"Dhaka"}, Born: born, More: map[string]any{"a": []any{int32(1)}}, Any: map[string]any{"b": born}, Secret: "s", Friends: []string{"x"}}
	id, err := people.Insert(john)
	must(t, err)
	if _, err := people.InsertMany([]person{{Name: "Ann"}, {Name: "Eve"}}); err != nil {
		t.Fatal(err)
	}
	got, err := people.Query().Where("age", Gte, 18).Filter().And(Where("a", Eq, 1)).Or(Where("a", Eq, 1)).Not(Where("a", Eq, 2)).
		OrderBy("name", Asc).Skip(0).Take(10).Select("name").Hint("x").Exec()
	if err != nil || len(got) != 3 {
		t.Fatal(got, err)
	}
	john.ID, john.Secret = id.(ObjectID), ""
	if fmt.Sprintf("%+v", got[0].Any) != fmt.Sprintf("%+v", john.Any) || got[0].Home.City != "Dhaka" || !got[0].Born.Equal(born) || fmt.Sprint(got[0].More) != fmt.Sprint(john.More) || got[0].ID != john.ID || got[0].Secret != "" {
		t.Errorf("got  %+v\nwant %+v", got[0], john)
	}
	if first, err := people.Query().First(); err != nil || first.Name != "John" {
		t.Error(first, err)
	}
	if one, err := people.Get(id); err != nil || one.Name != "John" {
		t.Error(one, err)
	}
	names := ""
	for p, err := range people.Query().Iter() {
		must(t, err)
		names += p.Name
	}
	for p, err := range AggregateInto[person](db, "people", []D{}) {
		must(t, err)
		names += p.Name
	}
	if n, err := people.Query().Count(); err != nil || n != 3 || names != "JohnAnnEveJohnAnnEve" || people.Name() != "people" || db.Name() != "default" {
		t.Error(n, err, names)
	}
	must(t, people.Replace(id, john))
	if _, err := people.Query().Explain(); err != nil {
		t.Error(err)
	}
	if _, err := people.Update().Where("a", Eq, 1).Set("b", 2).Exec(); err != nil {
		t.Error(err)
	}
	if _, err := people.Delete().Where("a", Eq, 1).Exec(); !errors.Is(err, ErrInternal) { // the fake has no such answer
		t.Error(err)
	}
	type other struct{ Name int }
	if _, err := CollectionOf[other](db, "people").Query().Exec(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("what does not fit: %v", err)
	}
}

// An insert and a find by _id cost few allocations: what the caller gets, and the builder.
func TestTheCommonDocumentCallsAllocateLittle(t *testing.T) {
	if testing.CoverMode() != "" {
		t.Skip("coverage counts")
	}
	var m wire.DocFind
	doc := tenFields()
	b := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() {
		var err error
		if b, _, err = appendInsert(b[:0], doc); err != nil {
			t.Fatal(err)
		}
	}); n > 3 { // the _id
		t.Errorf("%v allocations to encode a document", n)
	}
	db := &DB{name: "default"}
	if n := testing.AllocsPerRun(100, func() {
		var err error
		if b, err = db.Query("c").Where("_id", Eq, "k").encode(b, &m); err != nil {
			t.Fatal(err)
		}
	}); n > 2 {
		t.Errorf("%v allocations to encode a query", n)
	}
}
