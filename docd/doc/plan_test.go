package doc

import (
	"fmt"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// stageOf returns the innermost stage of a plan and the name of its index, and whether it sorts.
func stageOf(t *testing.T, doc bson.M) (stage, index string, sorts bool) {
	t.Helper()
	at := doc["queryPlanner"].(bson.D)
	get := func(d bson.D, name string) any {
		for _, e := range d {
			if e.Key == name {
				return e.Value
			}
		}
		return nil
	}
	plan := get(at, "winningPlan").(bson.D)
	for {
		sorts = sorts || get(plan, "stage") == "SORT"
		next, ok := get(plan, "inputStage").(bson.D)
		if !ok {
			break
		}
		plan = next
	}
	index, _ = get(plan, "indexName").(string)
	return get(plan, "stage").(string), index, sorts
}

func stat(doc bson.M, name string) int64 {
	for _, e := range doc["executionStats"].(bson.D) {
		if e.Key == name {
			return e.Value.(int64)
		}
	}
	return -1
}

func TestThePlannerTakesTheIndexThatServes(t *testing.T) {
	w := worlds.New(t, nil)
	const n = 3000
	m := wire.DocInsert{Name: name("c")}
	for i := range n {
		m.Docs = append(m.Docs, js(t, fmt.Sprintf(`{"_id": %d, "a": %d, "b": %d, "few": %d, "list": [%d, %d], "u": %d}`, i, i%1000, i%7, i%2, i%5, i%11, i)))
	}
	resp := w.Must(wire.OpDocInsert, &m)
	if got := result(t, &resp); got.Inserted != n {
		t.Fatalf("%+v", got)
	}
	w.index("c", spec(0, "a"))
	w.index("c", spec(0, "few"))
	w.index("c", spec(0, "b", "a"))
	w.index("c", spec(0, "list"))
	w.index("c", spec(wire.DocIndexUnique, "u"))
	sparse := spec(wire.DocIndexSparse, "s")
	w.index("c", sparse)
	partial := spec(wire.DocIndexPartial, "few", "u")
	partial.Partial = js(t, `{"b": {"$gte": 5}}`)
	w.index("c", partial)
	for _, c := range []struct {
		filter, sort string
		limit        uint64
		stage, index string
		sorts        bool
		most         int64 // keys examined
	}{
		{`{}`, ``, 0, "COLLSCAN", "", false, 0},
		{`{"_id": 7}`, ``, 0, "IDHACK", "", false, 1},
		{`{"_id": {"$in": [1, 5, 9]}}`, ``, 0, "IXSCAN", "_id_", false, 3},
		{`{"_id": {"$gt": 2990}}`, ``, 0, "IXSCAN", "_id_", false, 9},
		{`{"a": 5}`, ``, 0, "IXSCAN", "a_1", false, 3},
		{`{"a": 5, "few": 1}`, ``, 0, "IXSCAN", "a_1", false, 3},
		{`{"a": {"$gt": 5, "$lt": 8}}`, ``, 0, "IXSCAN", "a_1", false, 6},
		{`{"a": {"$in": [1, 2]}}`, ``, 0, "IXSCAN", "a_1", false, 6},
		{`{"b": 3, "a": {"$lt": 50}}`, ``, 0, "IXSCAN", "b_1_a_1", false, 30},
		{`{"b": 3}`, `{"a": -1}`, 10, "IXSCAN", "b_1_a_1", false, 10},
		{`{"u": 17}`, ``, 0, "IXSCAN", "u_1", false, 1},
		{`{"u": 17, "a": 17}`, ``, 0, "IXSCAN", "u_1", false, 1},
		{`{"list": 4}`, ``, 0, "IXSCAN", "list_1", false, 2000},
		{`{"list": 4}`, `{"_id": 1}`, 0, "IXSCAN", "list_1", true, 2000},
		{`{"nothing": 4}`, ``, 0, "COLLSCAN", "", false, 0},
		{`{}`, `{"a": 1}`, 5, "IXSCAN", "a_1", false, 5},
		{`{}`, `{"a": -1}`, 5, "IXSCAN", "a_1", false, 5},
		{`{}`, `{"_id": -1}`, 5, "COLLSCAN", "", false, 0},
		{`{}`, `{"nothing": 1}`, 5, "COLLSCAN", "", true, 0},
		{`{"s": null}`, ``, 0, "COLLSCAN", "", false, 0},
		{`{"s": 5}`, ``, 0, "IXSCAN", "s_1", false, 0},
		{`{"s": {"$exists": true}}`, ``, 0, "IXSCAN", "s_1", false, 0},
		{`{"few": 1, "u": {"$lt": 10}, "b": 6}`, ``, 0, "IXSCAN", "few_1_u_1", false, 3},
		{`{"a": {"$in": []}}`, ``, 0, "EOF", "", false, 0},
	} {
		find := &wire.DocFind{Name: name("c"), Filter: js(t, c.filter), Sort: js(t, c.sort), Limit: c.limit}
		doc := w.explain(find)
		stage, index, sorts := stageOf(t, doc)
		if stage != c.stage || index != c.index || sorts != c.sorts {
			t.Errorf("%s %s: %s %s, sorts %v", c.filter, c.sort, stage, index, sorts)
		}
		if keys := stat(doc, "totalKeysExamined"); keys > c.most {
			t.Errorf("%s %s: %d keys examined", c.filter, c.sort, keys)
		}
		if got := len(w.all(find)); int64(got) != stat(doc, "nReturned") {
			t.Errorf("%s: %d documents, %v explained", c.filter, got, stat(doc, "nReturned"))
		}
	}
}

func TestAHintForcesAnIndex(t *testing.T) {
	w := worlds.New(t, nil)
	w.insert("c", `{"_id": 1, "a": 1, "b": 1}`)
	w.index("c", spec(0, "a"))
	w.index("c", spec(0, "b"))
	w.index("c", spec(wire.DocIndexSparse, "s"))
	for hint, want := range map[string]string{"a_1": "a_1", "b_1": "b_1", "_id_": "_id_", "$natural": ""} {
		_, index, _ := stageOf(t, w.explain(&wire.DocFind{Name: name("c"), Filter: js(t, `{"a": 1, "b": 1, "_id": {"$gt": 0}}`), Hint: []byte(hint)}))
		if index != want {
			t.Errorf("hint %s: %s", hint, index)
		}
	}
	for _, hint := range []string{"x_1", "s_1"} {
		if resp := w.Do(wire.OpDocFind, &wire.DocFind{Name: name("c"), Hint: []byte(hint)}, 0); resp.Code != wire.Invalid || resp.Sub != 2 {
			t.Errorf("hint %s: %v %s", hint, resp.Code, resp.Body)
		}
	}
}

func TestWhatAnIndexHasOfArraysIsNotTakenForMore(t *testing.T) {
	w := worlds.New(t, nil)
	w.index("c", spec(0, "b.c", "b.d"))
	w.index("c", spec(0, "a"))
	w.insert("c", `{"_id": 1, "b": [{"c": 1, "d": 5}, {"c": 2, "d": 6}]}`, `{"_id": 2, "a": [1, 5]}`, `{"_id": 3, "a": 4}`, `{"_id": 4, "a": [1, 9]}`)
	ids := func(filter, sort, hint string) string {
		t.Helper()
		return fmt.Sprint(w.all(&wire.DocFind{Name: name("c"), Filter: js(t, filter), Sort: js(t, sort), Hint: []byte(hint), Project: js(t, `{"_id": 1}`)}))
	}
	// Two elements of one array meet the conditions on two fields.
	if got := ids(`{"b.c": 1, "b.d": 6}`, ``, "b.c_1_b.d_1"); got != `[{"_id":1}]` {
		t.Errorf("fields of one array: %s", got)
	}
	// What a document is sorted by is its least element, also where that does not match.
	if got := ids(`{"a": {"$gte": 3}}`, `{"a": 1, "_id": 1}`, "a_1"); got != `[{"_id":2} {"_id":4} {"_id":3}]` {
		t.Errorf("in order: %s", got)
	}
	if got := ids(`{"a": {"$lt": 5}}`, `{"a": -1}`, "a_1"); got != `[{"_id":4} {"_id":2} {"_id":3}]` {
		t.Errorf("backward: %s", got)
	}
	// Two elements meet the conditions on one field.
	if got := ids(`{"a": {"$gt": 8, "$lt": 2}}`, ``, "a_1"); got != `[{"_id":4}]` {
		t.Errorf("conditions on one field: %s", got)
	}
}
