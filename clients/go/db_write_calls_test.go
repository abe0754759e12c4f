package flin

import (
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/wire"
)

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
	runDocCases(t, f, []callCase{
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
