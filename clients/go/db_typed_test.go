package flin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

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
