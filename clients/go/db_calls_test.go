package flin

import (
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

func runDocCases(t *testing.T, f *fake, cases []callCase) {
	t.Helper()
	for _, tc := range cases {
		tc.run(t, f)
		if len(tc.resp.Body) > 0 && tc.op != wire.OpDocIndex {
			tc.cutOff(t, f, tc.resp.Num)
		}
	}
}

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
	asks := func(name string, filter any, q func() *Query) callCase {
		return callCase{name, wire.OpDocFind, find(filter, nil), two, func() (any, error) { return q().Exec() }, both}
	}
	day := time.UnixMilli(1_900_000_000_000)
	runDocCases(t, f, []callCase{
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
