package doc

import (
	"fmt"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestWhatAnIndexHasUnderAKeyIsFoundWhetherItIsLittleOrMuch(t *testing.T) {
	w := worlds.New(t, nil)
	w.index("c", spec(0, "n", "m"))
	w.index("c", spec(0, "list"))
	for _, each := range []int{1, fewKeys - 1, fewKeys, fewKeys + 1, 3 * fewKeys} {
		m := wire.DocInsert{Name: name("c")}
		for i := range each {
			m.Docs = append(m.Docs, js(t, fmt.Sprintf(`{"n": %d, "m": %d, "list": [%d, "x%d", %d], "even": %t}`, each, i, each, i, each, i%2 == 0)))
		}
		w.Must(wire.OpDocInsert, &m)
		for filter, want := range map[string]int{
			`{"n": %d}`: each, `{"list": %d}`: each, `{"n": %d, "even": true}`: (each + 1) / 2, `{"n": %d, "m": 0}`: 1,
			`{"n": %d, "m": {"$gte": 1}}`: each - 1, `{"list": {"$all": [%d, "x0"]}}`: 1, `{"n": %d, "none": {"$exists": true}}`: 0,
		} {
			filter = fmt.Sprintf(filter, each)
			for _, limit := range []uint64{0, 1, fewKeys} {
				got := w.all(&wire.DocFind{Name: name("c"), Filter: js(t, filter), Limit: limit, Project: js(t, `{"_id": 0, "n": 1}`)})
				most := want
				if limit > 0 {
					most = min(want, int(limit))
				}
				if len(got) != most {
					t.Errorf("%s with limit %d: %d documents, want %d", filter, limit, len(got), most)
				}
				for _, doc := range got {
					if doc != fmt.Sprintf(`{"n":%d}`, each) {
						t.Errorf("%s: %s", filter, doc)
					}
				}
			}
		}
	}
	// What lacks the fields is under null.
	w.insert("c", `{"_id": 1}`, `{"_id": 2, "n": null}`)
	same(t, "null", w.all(&wire.DocFind{Name: name("c"), Filter: js(t, `{"n": null}`), Project: js(t, `{"_id": 1}`)}), `{"_id":1}`, `{"_id":2}`)
	if w.figures.points.Load() == 0 {
		t.Error("no find went without a plan")
	}
}

func TestOnlyTheFirstOfAFewIsChanged(t *testing.T) {
	w := worlds.New(t, nil)
	w.index("c", spec(0, "k"))
	w.insert("c", `{"_id": 1, "k": 1, "n": 0}`, `{"_id": 2, "k": 1, "n": 0}`, `{"_id": 3, "k": 2, "n": 0}`)
	for range 5 {
		if m := w.update("c", `{"k": 1}`, `{"$inc": {"n": 1}}`, 0); m.Matched != 1 || m.Modified != 1 {
			t.Fatalf("%+v", m)
		}
	}
	if m := w.update("c", `{"k": 1, "n": {"$lt": 5}}`, `{"$set": {"n": -1}}`, 0); m.Matched != 1 || m.Modified != 1 {
		t.Fatalf("%+v", m)
	}
	if n := w.remove("c", `{"k": 2}`, 0); n != 1 {
		t.Errorf("%d were deleted", n)
	}
	if m := w.update("c", `{"k": 3}`, `{"$set": {"n": 7}}`, wire.DocUpsert); len(m.IDs) != 1 {
		t.Errorf("%+v", m)
	}
	same(t, "after all", w.all(&wire.DocFind{Name: name("c"), Filter: js(t, `{}`), Sort: js(t, `{"n": 1}`), Project: js(t, `{"_id": 0}`)}),
		`{"k":1,"n":-1}`, `{"k":1,"n":5}`, `{"k":3,"n":7}`)
	w.verify()
}

func TestConcurrentChangesByAKeyAreAllCounted(t *testing.T) {
	w := worlds.New(t, nil)
	w.index("c", spec(0, "k"))
	w.insert("c", `{"_id": 1, "k": 1, "n": 0}`, `{"_id": 2, "k": 1, "n": 0}`)
	const clients, each = 16, 50
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for range each {
				if i == 0 { // one that moves between keys all the time
					w.update("c", `{"_id": 2}`, `{"$bit": {"k": {"xor": {"$numberInt": "2"}}}}`, 0)
				} else if m := w.update("c", `{"k": 1}`, `{"$inc": {"n": 1}}`, 0); m.Matched != 1 {
					t.Errorf("%+v", m)
				}
			}
		})
	}
	wg.Wait()
	total := w.Must(wire.OpDocAggregate, &wire.DocAggregate{Name: name("c"), Pipeline: js(t, `[{"$group": {"_id": null, "n": {"$sum": "$n"}}}]`)})
	same(t, "the sum", texts(t, total.Body), fmt.Sprintf(`{"_id":null,"n":%d}`, (clients-1)*each))
	w.verify()
}
