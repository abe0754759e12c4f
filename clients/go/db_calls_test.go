package flin

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/wire"
)

var people = wire.DocName{DB: []byte("default"), Coll: []byte("people")}

// d is a document of names and values.
func d(pairs ...any) D {
	doc := make(D, len(pairs)/2)
	for i := range doc {
		doc[i] = E{Key: pairs[2*i].(string), Value: pairs[2*i+1]}
	}
	return doc
}

// raw is a document as mongo-driver encodes it.
func raw(t testing.TB, v any) []byte {
	t.Helper()
	p, err := bson.Marshal(v)
	must(t, err)
	return p
}

// array is an array as mongo-driver encodes it.
func array(t testing.TB, v any) []byte {
	t.Helper()
	_, p, err := bson.MarshalValue(v)
	must(t, err)
	return p
}

// docID is an _id in an answer.
func docID(t testing.TB, v any) []byte {
	t.Helper()
	kind, p, err := bson.MarshalValue(v)
	must(t, err)
	return append([]byte{byte(kind)}, p...)
}

// result is the answer to a write.
func result(m wire.DocResult) wire.Response { return wire.Response{Body: m.Append(nil)} }

// docCase is a call, what it must send and what becomes of a made-up answer.
type docCase struct {
	name string
	op   wire.Op
	want payload
	resp wire.Response
	call func() (any, error)
	says string
}

func runDocCases(t *testing.T, f *fake, cases []docCase) {
	t.Helper()
	for _, tc := range cases {
		var sent []byte
		f.onRequest(func(c *fakeConn, req *wire.Request) bool {
			if req.Op != tc.op {
				return false
			}
			sent = bytes.Clone(req.Body)
			c.answer(req.Tag, tc.resp)
			return true
		})
		got, err := tc.call()
		if err != nil || fmt.Sprint(got) != tc.says {
			t.Errorf("%s: %v, want %s, %v", tc.name, got, tc.says, err)
		}
		if want := tc.want.Append(nil); !bytes.Equal(sent, want) {
			t.Errorf("%s:\nsent %q\nwant %q", tc.name, sent, want)
		}
		if len(tc.resp.Body) == 0 || tc.op == wire.OpDocIndex {
			continue
		}
		f.onRequest(func(c *fakeConn, req *wire.Request) bool {
			c.answer(req.Tag, wire.Response{Num: tc.resp.Num, Body: tc.resp.Body[:len(tc.resp.Body)-1]})
			return true
		})
		if _, err = tc.call(); !errors.Is(err, ErrInternal) {
			t.Errorf("%s: an answer that is cut off is %v", tc.name, err)
		}
	}
}

func done(err error) (any, error) { return "", err }

func TestEveryQuerySendsItsPayload(t *testing.T) {
	f := newFake(t)
	db := connect(t, f.addr()).DB
	find := func(filter any, edit func(m *wire.DocFind)) payload {
		m := &wire.DocFind{Name: people, Batch: firstBatch}
		if filter != nil {
			m.Filter = raw(t, filter)
		}
		if edit != nil {
			edit(m)
		}
		return m
	}
	two := wire.Response{Body: append(raw(t, d("_id", 1, "name", "a")), raw(t, d("_id", 2))...)}
	const both = "[map[_id:1 name:a] map[_id:2]]"
	one := wire.Response{Body: raw(t, d("_id", 1))}
	asks := func(name string, filter any, q func() *Query) docCase {
		return docCase{name, wire.OpDocFind, find(filter, nil), two, func() (any, error) { return q().Exec() }, both}
	}
	day := time.UnixMilli(1_900_000_000_000)
	runDocCases(t, f, []docCase{
		asks("all", nil, func() *Query { return db.Query("people") }),
		asks("where", d("age", d("$gte", 18), "status", "active"), func() *Query {
			return db.Query("people").Where("age", Gte, 18).Where("status", Eq, "active")
		}),
		asks("twice a field", d("$and", bson.A{d("age", d("$gt", 18)), d("age", d("$lte", 65))}), func() *Query {
			return db.Query("people").Where("age", Gt, 18).Where("age", Lte, 65)
		}),
		asks("operators", d("a", d("$ne", nil), "b", d("$lt", day), "c", d("$in", bson.A{1, 2}), "d", d("$nin", bson.A{"x"}), "e", d("$exists", false)), func() *Query {
			return db.Query("people").Where("a", Ne, nil).Where("b", Lt, day).Where("c", In, []int{1, 2}).Where("d", NotIn, []string{"x"}).Where("e", Exists, false)
		}),
		asks("strings", d("a", d("$regex", `a\.b`), "b", d("$regex", `^a\+`), "c", d("$regex", "^x.*y$"), "d", d("$regex", bson.Regex{Pattern: "x", Options: "i"}), "e", d("$regex", "z+")), func() *Query {
			return db.Query("people").Where("a", Contains, "a.b").Where("b", StartsWith, "a+").Where("c", Regex, "^x.*y$").
				Where("d", Regex, bson.Regex{Pattern: "x", Options: "i"}).Where("e", Regex, regexp.MustCompile("z+"))
		}),
		asks("an element", d("tags", d("$elemMatch", d("$eq", 7))), func() *Query { return db.Query("people").Where("tags", Contains, 7) }),
		asks("what looks like an operator is a value", d("a", d("$eq", d("$gt", "")), "b", d("$eq", bson.Regex{Pattern: "x"})), func() *Query {
			return db.Query("people").Where("a", Eq, Document{"$gt": ""}).Where("b", Eq, bson.Regex{Pattern: "x"})
		}),
		asks("or, and, not", d(
			"$or", bson.A{d("a", 1), d("b", d("$gt", 2))},
			"$and", bson.A{d("c", 3), d("$or", bson.A{d("d", 4), d("e", 5)})},
			"$nor", bson.A{d("f", 6)},
		), func() *Query {
			return db.Query("people").Or(Where("a", Eq, 1), Where("b", Gt, 2)).And(Where("c", Eq, 3), Or(Where("d", Eq, 4), Where("e", Eq, 5))).Not(Where("f", Eq, 6))
		}),
		asks("a document", d("a", d("$size", 2)), func() *Query { return db.Query("people").Filter(FilterDoc(Document{"a": Document{"$size": 2}})) }),
		asks("a document and more", d("$and", bson.A{d("a", 1), d("b", 2)}), func() *Query {
			return db.Query("people").Filter(FilterDoc(d("a", 1))).Where("b", Eq, 2)
		}),
		{
			"everything", wire.OpDocFind, find(d("a", 1), func(m *wire.DocFind) {
				m.Sort, m.Project, m.Hint = raw(t, d("b", -1, "c", 1)), raw(t, d("a", 1, "b.c", 1)), []byte("a_1")
				m.Skip, m.Limit, m.Batch = 3, 10, 10
			}), two,
			func() (any, error) {
				return db.Query("people").Where("a", Eq, 1).OrderBy("b", Desc).OrderBy("c", Asc).Skip(3).Take(10).Select("a", "b.c").Hint("a_1").Exec()
			}, both,
		},
		{
			"omit", wire.OpDocFind, find(nil, func(m *wire.DocFind) { m.Project, m.Batch = raw(t, d("a", 0)), 7 }), two,
			func() (any, error) { return db.Query("people").Omit("a").Batch(7).Exec() }, both,
		},
		{
			"iterate", wire.OpDocFind, find(nil, func(m *wire.DocFind) { m.Project, m.Batch = raw(t, d("a", d("$slice", 1))), 0 }), two,
			func() (any, error) {
				var list []Document
				for doc, err := range db.Query("people").Project(Document{"a": Document{"$slice": 1}}).Iter() {
					if err != nil {
						return nil, err
					}
					list = append(list, doc)
				}
				return list, nil
			}, both,
		},
		{
			"first", wire.OpDocFind, find(d("_id", 1), func(m *wire.DocFind) { m.Flags, m.Limit, m.Batch = wire.DocFindSingle, 1, 0 }), one,
			func() (any, error) { return db.Get("people", 1) }, "map[_id:1]",
		},
		{
			"count", wire.OpDocCount, find(d("a", 1), func(m *wire.DocFind) { m.Skip, m.Limit, m.Batch = 1, 5, 0 }),
			wire.Response{Num: 3},
			func() (any, error) {
				return db.Query("people").Where("a", Eq, 1).Skip(1).Take(5).OrderBy("b", Asc).Count()
			}, "3",
		},
		{
			"distinct", wire.OpDocDistinct, find(d("a", 1), func(m *wire.DocFind) { m.Field, m.Batch = []byte("b.c"), 0 }),
			wire.Response{Body: array(t, bson.A{1, "x"})},
			func() (any, error) { return db.Query("people").Where("a", Eq, 1).Distinct("b.c") }, "[1 x]",
		},
		{
			"explain", wire.OpDocExplain,
			&wire.DocExplain{Op: wire.OpDocFind, Execute: true, Body: find(d("a", 1), func(m *wire.DocFind) { m.Batch = 0 }).Append(nil)}, one,
			func() (any, error) { return db.Query("people").Where("a", Eq, 1).Explain() }, "map[_id:1]",
		},
		{
			"aggregate", wire.OpDocAggregate,
			&wire.DocAggregate{Name: people, Pipeline: array(t, bson.A{d("$match", d("a", 1)), d("$count", "n")}), Hint: []byte("a_1")}, two,
			func() (any, error) {
				var list []Document
				for doc, err := range db.Aggregate("people", []Document{{"$match": Document{"a": 1}}, {"$count": "n"}}, UseIndex("a_1")) {
					if err != nil {
						return nil, err
					}
					list = append(list, doc)
				}
				return list, nil
			}, both,
		},
		{
			"explain an aggregation", wire.OpDocExplain,
			&wire.DocExplain{Op: wire.OpDocAggregate, Execute: true, Body: (&wire.DocAggregate{Name: people, Pipeline: array(t, bson.A{})}).Append(nil)}, one,
			func() (any, error) { return db.ExplainAggregate("people", []D{}) }, "map[_id:1]",
		},
	})
}

func TestEveryWriteSendsItsPayload(t *testing.T) {
	f := newFake(t)
	client := connect(t, f.addr())
	db := client.DB
	update := func(flags wire.DocWriteFlags, filter, update any, edit func(m *wire.DocUpdate)) *wire.DocUpdate {
		m := &wire.DocUpdate{Name: people, Flags: flags}
		if filter != nil {
			m.Filter = raw(t, filter)
		}
		if update != nil {
			m.Update = raw(t, update)
		}
		if edit != nil {
			edit(m)
		}
		return m
	}
	changed := result(wire.DocResult{Matched: 3, Modified: 2})
	upserted := result(wire.DocResult{IDs: []wire.DocID{{Value: docID(t, "new")}}})
	modified := func(m wire.DocResult, doc any) wire.Response {
		a := wire.DocModified{Result: m}
		if doc != nil {
			a.Doc = raw(t, doc)
		}
		return wire.Response{Body: a.Append(nil)}
	}
	name := func(db, coll string) *wire.DocName { return &wire.DocName{DB: []byte(db), Coll: []byte(coll)} }
	runDocCases(t, f, []docCase{
		{
			"insert", wire.OpDocInsert, &wire.DocInsert{Name: people, Docs: [][]byte{raw(t, d("_id", "x", "age", 30, "name", "John"))}},
			result(wire.DocResult{Inserted: 1}),
			func() (any, error) {
				return db.Insert("people", map[string]any{"name": "John", "age": 30, "_id": "x"})
			}, "x",
		},
		{
			"insert elsewhere", wire.OpDocInsert, &wire.DocInsert{Name: *name("other", "c"), Docs: [][]byte{raw(t, d("a", 1, "_id", int64(7)))}},
			result(wire.DocResult{Inserted: 1}), func() (any, error) { return client.Database("other").Insert("c", d("a", 1, "_id", int64(7))) }, "7",
		},
		{
			"insert many", wire.OpDocInsert, &wire.DocInsert{Name: people, Flags: wire.DocUnordered, Docs: [][]byte{raw(t, d("_id", 1)), raw(t, d("_id", 2, "a", 1))}},
			result(wire.DocResult{Inserted: 2}),
			func() (any, error) {
				return db.InsertMany("people", []Document{{"_id": 1}, {"a": 1, "_id": 2}}, Unordered())
			}, "[1 2]",
		},
		{
			"update", wire.OpDocUpdate, update(wire.DocMulti, d("email", "j"), d("$set", d("age", 31, "verified", true)), nil), changed,
			func() (any, error) {
				return db.Update("people").Where("email", Eq, "j").Set("age", 31).Set("verified", true).Exec()
			}, "{3 2 <nil>}",
		},
		{
			"update with everything", wire.OpDocUpdate, update(wire.DocUpsert, d("$or", bson.A{d("a", 1)}, "$nor", bson.A{d("b", 1)}, "$and", bson.A{d("c", 1)}), d(
				"$set", d("a", 1, "b.$[x]", 2),
				"$inc", d("n", 1),
				"$mul", d("m", 2.5),
				"$min", d("lo", 1),
				"$max", d("hi", 9),
				"$unset", d("u", "", "v", ""),
				"$rename", d("old", "new"),
				"$currentDate", d("at", true),
				"$setOnInsert", d("made", true),
				"$push", d("p", d("$each", bson.A{1, 2})),
				"$addToSet", d("s", d("$each", bson.A{"x"})),
				"$pull", d("q", d("$lt", 5)),
				"$pullAll", d("r", bson.A{1, 2}),
				"$pop", d("f", -1, "l", 1),
			), func(m *wire.DocUpdate) { m.ArrayFilters, m.Hint = array(t, bson.A{d("x", 1)}), []byte("a_1") }), upserted,
			func() (any, error) {
				return db.Update("people").Or(Where("a", Eq, 1)).Not(Where("b", Eq, 1)).And(Where("c", Eq, 1)).One().Upsert().Hint("a_1").
					Set("a", 1).Inc("n", 1).Mul("m", 2.5).Min("lo", 1).Max("hi", 9).Unset("u", "v").Rename("old", "new").CurrentDate("at").SetOnInsert("made", true).
					Push("p", 1, 2).AddToSet("s", "x").Pull("q", Document{"$lt": 5}).PullAll("r", 1, 2).PopFirst("f").PopLast("l").
					Set("b.$[x]", 2).ArrayFilter(Document{"x": 1}).Exec()
			}, "{0 0 new}",
		},
		{
			"update all", wire.OpDocUpdate, update(wire.DocMulti, nil, d("$unset", d("a", "")), nil), changed,
			func() (any, error) { return db.Update("people").All().Unset("a").Exec() }, "{3 2 <nil>}",
		},
		{
			"operators by hand", wire.OpDocUpdate, update(wire.DocMulti, d("a", 1), d("$bit", d("b", d("and", 1))), nil), changed,
			func() (any, error) {
				return db.Update("people").Filter(FilterDoc(d("a", 1))).Doc(Document{"$bit": Document{"b": Document{"and": 1}}}).Exec()
			}, "{3 2 <nil>}",
		},
		{
			"replace", wire.OpDocUpdate, update(0, d("_id", 1), d("b", 2), nil), changed,
			func() (any, error) { return db.Update("people").Where("_id", Eq, 1).Replace(Document{"b": 2}).Exec() }, "{3 2 <nil>}",
		},
		{
			"find and modify", wire.OpDocModify, update(wire.DocReturnNew, d("a", 1), d("$inc", d("n", 1)), func(m *wire.DocUpdate) {
				m.Sort, m.Project = raw(t, d("b", -1)), raw(t, d("n", 1))
			}), modified(wire.DocResult{Matched: 1, Modified: 1}, d("n", 2)),
			func() (any, error) {
				return db.Update("people").Where("a", Eq, 1).Inc("n", 1).OrderBy("b", Desc).Select("n").ReturnNew().FindAndModify()
			}, "map[n:2]",
		},
		{
			"find and modify what was made", wire.OpDocModify, update(wire.DocUpsert, d("a", 1), d("$inc", d("n", 1)), nil),
			modified(wire.DocResult{IDs: []wire.DocID{{Value: docID(t, 1)}}}, nil),
			func() (any, error) { return db.Update("people").Where("a", Eq, 1).Inc("n", 1).Upsert().FindAndModify() }, "map[]",
		},
		{
			"delete", wire.OpDocDelete, update(wire.DocMulti, d("status", "inactive"), nil, nil), result(wire.DocResult{Deleted: 4}),
			func() (any, error) { return db.Delete("people").Where("status", Eq, "inactive").Exec() }, "{4}",
		},
		{
			"delete one", wire.OpDocDelete, update(0, d("$or", bson.A{d("a", 1)}, "$and", bson.A{d("b", 1)}, "$nor", bson.A{d("c", 1)}), nil, func(m *wire.DocUpdate) { m.Hint = []byte("x") }),
			result(wire.DocResult{Deleted: 1}), func() (any, error) {
				return db.Delete("people").Or(Where("a", Eq, 1)).And(Where("b", Eq, 1)).Not(Where("c", Eq, 1)).One().Hint("x").Exec()
			}, "{1}",
		},
		{
			"delete all", wire.OpDocDelete, update(wire.DocMulti, nil, nil, nil), result(wire.DocResult{}),
			func() (any, error) { return db.Delete("people").All().Exec() }, "{0}",
		},
		{
			"find and delete", wire.OpDocModify, update(wire.DocRemove, d("a", 1), nil, func(m *wire.DocUpdate) { m.Sort, m.Project = raw(t, d("b", 1)), raw(t, d("c", 1)) }),
			modified(wire.DocResult{Deleted: 1}, d("_id", 1)),
			func() (any, error) {
				return db.Delete("people").Filter(Where("a", Eq, 1)).OrderBy("b", Asc).Select("c").FindAndDelete()
			}, "map[_id:1]",
		},
		{
			"explain an update", wire.OpDocExplain,
			&wire.DocExplain{Op: wire.OpDocUpdate, Execute: true, Body: update(wire.DocMulti, d("a", 1), d("$set", d("b", 1)), nil).Append(nil)},
			wire.Response{Body: raw(t, d("_id", 1))},
			func() (any, error) { return db.Update("people").Where("a", Eq, 1).Set("b", 1).Explain() }, "map[_id:1]",
		},
		{
			"explain a deletion", wire.OpDocExplain,
			&wire.DocExplain{Op: wire.OpDocDelete, Execute: true, Body: update(wire.DocMulti, d("a", 1), nil, nil).Append(nil)},
			wire.Response{Body: raw(t, d("_id", 1))},
			func() (any, error) { return db.Delete("people").Where("a", Eq, 1).Explain() }, "map[_id:1]",
		},
		{
			"batch", wire.OpDocWrite, &wire.DocWrite{Writes: []wire.DocWriteOp{
				{Op: wire.OpDocInsert, DocUpdate: wire.DocUpdate{Name: people, Update: raw(t, d("_id", 1))}},
				{Op: wire.OpDocUpdate, DocUpdate: *update(wire.DocUpsert|wire.DocMulti, d("a", 1), d("$set", d("b", 2)), nil)},
				{Op: wire.OpDocDelete, DocUpdate: wire.DocUpdate{Name: *name("default", "pets"), Filter: raw(t, d("c", 3))}},
			}},
			result(wire.DocResult{Inserted: 2, Matched: 4, Modified: 3, Deleted: 1, IDs: []wire.DocID{{Index: 1, Value: docID(t, 9)}}}),
			func() (any, error) {
				return db.Batch().Insert("people", Document{"_id": 1}).Update(db.Update("people").Where("a", Eq, 1).Set("b", 2).Upsert()).
					Delete(db.Delete("pets").Where("c", Eq, 3).One()).Exec()
			}, "{2 4 3 1 [1 9 <nil>]}",
		},
		{"create a collection", wire.OpDocCreate, &people, wire.Response{Num: 1}, func() (any, error) { return done(db.CreateCollection("people")) }, ""},
		{"drop a collection", wire.OpDocDrop, &people, wire.Response{}, func() (any, error) { return done(db.DropCollection("people")) }, ""},
		{"drop a database", wire.OpDocDrop, name("other", ""), wire.Response{}, func() (any, error) { return done(client.Database("other").Drop()) }, ""},
		{
			"create an index", wire.OpDocIndex, &wire.DocIndex{Name: people, Spec: wire.DocIndexSpec{Fields: []wire.DocIndexField{{Path: []byte("a.b")}, {Path: []byte("c"), Desc: true}}}},
			wire.Response{Num: 1, Body: []byte("a.b_1_c_-1")},
			func() (any, error) { return db.CreateIndex("people", []string{"a.b", "-c"}) }, "a.b_1_c_-1",
		},
		{
			"create an index with everything", wire.OpDocIndex, &wire.DocIndex{Name: people, Spec: wire.DocIndexSpec{
				Name: []byte("mine"), Fields: []wire.DocIndexField{{Path: []byte("at")}}, Flags: wire.DocIndexUnique | wire.DocIndexSparse | wire.DocIndexTTL | wire.DocIndexPartial,
				TTL: 90, Partial: raw(t, d("a", d("$gt", 1))),
			}},
			wire.Response{Body: []byte("mine")},
			func() (any, error) {
				return db.CreateIndex("people", []string{"at"}, IndexName("mine"), Unique(), Sparse(), TTL(90*time.Second), Partial(Where("a", Gt, 1)))
			}, "mine",
		},
		{"drop an index", wire.OpDocDropIndex, &wire.DocDropIndex{Name: people, Index: []byte("a_1")}, wire.Response{Num: 1}, func() (any, error) { return done(db.DropIndex("people", "a_1")) }, ""},
		{
			"indexes", wire.OpDocIndexes, &people,
			wire.Response{Body: wire.AppendDocIndexInfo(wire.AppendDocIndexInfo(nil,
				&wire.DocIndexInfo{Spec: wire.DocIndexSpec{Name: []byte("_id_"), Fields: []wire.DocIndexField{{Path: []byte("_id")}}}, Entries: 9}),
				&wire.DocIndexInfo{
					Spec: wire.DocIndexSpec{
						Name: []byte("x"), Fields: []wire.DocIndexField{{Path: []byte("a"), Desc: true}}, Flags: wire.DocIndexUnique | wire.DocIndexTTL | wire.DocIndexPartial, TTL: 60, Partial: raw(t, d("a", 1)),
					},
					State: wire.DocIndexFailed, Multikey: true, Seen: 5, Reason: []byte("why"),
				})},
			func() (any, error) { return db.Indexes("people") },
			"[{_id_ [_id] false false false 0s map[] 0 false 9 0 } {x [-a] true false true 1m0s map[a:1] 2 true 0 5 why}]",
		},
		{
			"collections", wire.OpDocCollections, &wire.DocList{DB: []byte("default")},
			wire.Response{Body: wire.AppendDocCollectionInfo(nil, &wire.DocCollectionInfo{Name: people, Created: 1000, Documents: 5, Bytes: 99, Indexes: 2})},
			func() (any, error) {
				for c, err := range db.Collections() {
					return []any{c.Database, c.Name, c.Created.UnixMilli(), c.Documents, c.Bytes, c.Indexes}, err
				}
				return nil, nil
			}, "[default people 1000 5 99 2]",
		},
		{
			"stats", wire.OpDocStats, &people,
			wire.Response{Body: wire.AppendDocCollectionInfo(nil, &wire.DocCollectionInfo{Name: people, Documents: 5})},
			func() (any, error) {
				c, err := db.Stats("people")
				return c.Documents, err
			}, "5",
		},
	})
}
