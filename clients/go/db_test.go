package flin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/wire"
)

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
