package doc

import (
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestWhatIsWrongIsToldByMongoDBsCodes(t *testing.T) {
	w := worlds.New(t, nil)
	w.insert("c", `{"_id": 1, "a": 1, "s": "text", "u": 1}`, `{"_id": 2, "a": 2, "u": 2}`)
	w.index("c", spec(wire.DocIndexUnique, "u"))
	update := func(flags wire.DocWriteFlags, filter, update string) payload {
		return &wire.DocUpdate{Name: name("c"), Flags: flags, Filter: js(t, filter), Update: js(t, update)}
	}
	for _, c := range []struct {
		op   wire.Op
		m    payload
		code wire.Code
		sub  uint32
	}{
		{wire.OpDocFind, &wire.DocFind{Name: name("c"), Filter: js(t, `{"a": {"$foo": 1}}`)}, wire.Invalid, 2},
		{wire.OpDocFind, &wire.DocFind{Name: name("c"), Filter: js(t, `{"_id": {"$foo": 1}}`)}, wire.Invalid, 2},
		{wire.OpDocFind, &wire.DocFind{Name: name("c"), Filter: []byte{9, 9, 9}}, wire.Invalid, 22},
		{wire.OpDocFind, &wire.DocFind{Name: name("c"), Project: js(t, `{"a": 1, "b": 0}`)}, wire.Invalid, 31254},
		{wire.OpDocFind, &wire.DocFind{Name: name("c"), Sort: js(t, `{"a": 2}`)}, wire.Invalid, 15975},
		{wire.OpDocFind, &wire.DocFind{Name: name("c$d")}, wire.Invalid, wire.DocInvalidNamespace},
		{wire.OpDocUpdate, update(0, `{"_id": 1}`, `{"$set": {"_id": 5}}`), wire.Invalid, 66},
		{wire.OpDocUpdate, update(0, `{"a": 1}`, `{"$set": {"_id": 5}}`), wire.Invalid, 66},
		{wire.OpDocUpdate, update(0, `{"a": 1}`, `{"$inc": {"s": 5}}`), wire.Invalid, 14},
		{wire.OpDocUpdate, update(0, `{"_id": 99}`, `{"$foo": {"s": 5}}`), wire.Invalid, 9},
		{wire.OpDocUpdate, update(0, `{"a": 99}`, `{"$foo": {"s": 5}}`), wire.Invalid, 9},
		{wire.OpDocUpdate, update(wire.DocMulti, `{"a": 1}`, `{"b": 1}`), wire.Invalid, 9},
		{wire.OpDocUpdate, update(0, `{"a": 1}`, `{"$set": {"u": 2}}`), wire.Exists, 11000},
		{wire.OpDocUpdate, update(wire.DocMulti, `{}`, `{"$set": {"u": 7}}`), wire.Exists, 11000},
		{wire.OpDocUpdate, update(wire.DocUpsert, `{"a": 9, "u": 2}`, `{"$set": {"b": 2}}`), wire.Exists, 11000},
		{wire.OpDocModify, update(wire.DocRemove|wire.DocReturnNew, `{"a": 9}`, ``), wire.Invalid, 9},
		{wire.OpDocAggregate, &wire.DocAggregate{Name: name("c"), Pipeline: js(t, `[{"$foo": 1}]`)}, wire.Unsupported, 40324},
		{wire.OpDocDistinct, &wire.DocFind{Name: name("c")}, wire.Invalid, 2},
		{wire.OpDocInsert, &wire.DocInsert{Name: name("c")}, wire.Invalid, 2},
	} {
		resp := w.Do(c.op, c.m, 0)
		if resp.Code != c.code || resp.Sub != c.sub || len(resp.Body) == 0 {
			t.Errorf("%v %+v: %v %d %s", c.op, c.m, resp.Code, resp.Sub, resp.Body)
		}
	}
	resp := w.Do(wire.OpDocUpdate, update(wire.DocMulti, `{}`, `{"$set": {"u": 7}}`), 0)
	if !strings.Contains(string(resp.Body), "E11000") {
		t.Errorf("%s", resp.Body)
	}
	w.verify()
}

func TestALargeUpdateGoesInPieces(t *testing.T) {
	w := worlds.New(t, nil)
	const n = 2500
	w.numbered("c", n)
	for _, f := range []string{"a", "x.a", "x.b", "x.c"} {
		w.index("c", spec(0, f))
	}
	// Each document gets 60 keys in three indexes: a thousand of them are more than one command may write.
	var list []string
	for i := range 20 {
		list = append(list, fmt.Sprintf(`{"a": %d, "b": %d, "c": %d}`, i, i, i))
	}
	m := w.update("c", `{"a": {"$gt": 0}}`, `{"$set": {"x": [`+strings.Join(list, `, `)+`]}}`, wire.DocMulti)
	if m.Matched != n || m.Modified != n {
		t.Errorf("%+v", m)
	}
	if got := w.Must(wire.OpDocCount, &wire.DocFind{Name: name("c"), Filter: js(t, `{"x.b": 7}`)}).Num; got != n {
		t.Errorf("%d counted", got)
	}
	if got := w.remove("c", `{"x.a": 3}`, wire.DocMulti); got != n {
		t.Errorf("%d deleted", got)
	}
	w.verify()
}

func TestDifferentValuesAreListedOnce(t *testing.T) {
	w := worlds.New(t, nil)
	w.insert("c", `{"a": 2}`, `{"a": [1, 2.0, [3]]}`, `{"a": "x"}`, `{}`, `{"a": null}`, `{"b": [{"c": 5}, {"c": 6}]}`)
	for field, want := range map[string]string{"a": `{"v":[null,1,2,"x",[3]]}`, "b.c": `{"v":[5,6]}`, "z": `{"v":[]}`} {
		resp := w.Must(wire.OpDocDistinct, &wire.DocFind{Name: name("c"), Field: []byte(field)})
		if got := text(t, bsoncore.NewDocumentBuilder().AppendArray("v", resp.Body).Build()); got != want {
			t.Errorf("%s: %s", field, got)
		}
	}
}
