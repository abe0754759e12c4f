package doc

import (
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// numbered inserts documents with the _ids 0 … n-1.
func (w *world) numbered(coll string, n int) {
	w.T.Helper()
	m := wire.DocInsert{Name: name(coll)}
	for i := range n {
		m.Docs = append(m.Docs, js(w.T, fmt.Sprintf(`{"_id": %d, "a": %d, "l": [%d, %d]}`, i, n-i, i, i+1)))
	}
	resp := w.Must(wire.OpDocInsert, &m)
	if got := result(w.T, &resp); got.Inserted != uint64(n) {
		w.T.Fatalf("%+v", got)
	}
}

func TestACursorHandsOutEveryDocumentOnce(t *testing.T) {
	w := worlds.New(t, func(c *Config) { c.batchBytes = 3000 })
	const n = 1000
	w.numbered("c", n)
	w.index("c", spec(0, "a"))
	w.index("c", spec(0, "l"))
	for _, m := range []wire.DocFind{
		{},
		{Sort: js(t, `{"_id": -1}`)},
		{Filter: js(t, `{"a": {"$gt": 0}}`)},
		{Filter: js(t, `{"a": {"$gt": 0}}`), Sort: js(t, `{"a": -1}`)},
		{Filter: js(t, `{"l": {"$gte": 0}}`)},
		{Filter: js(t, `{"l": {"$gte": 0}}`), Sort: js(t, `{"_id": 1}`)},
	} {
		for _, batch := range []uint64{0, 1, 7, 5000} {
			m.Name, m.Batch = name("c"), batch
			all := w.all(&m)
			seen := map[string]bool{}
			for _, d := range all {
				seen[d] = true
			}
			if len(all) != n || len(seen) != n {
				t.Errorf("batches of %d by %s %s: %d documents, %d different", batch, m.Filter, m.Sort, len(all), len(seen))
			}
		}
	}
	if k, _ := w.cursors.load(); k != 0 {
		t.Errorf("%d cursors are left", k)
	}
}

func TestACursorGoesOnWhileItsCollectionChanges(t *testing.T) {
	w := worlds.New(t, nil)
	w.numbered("c", 300)
	resp := w.Must(wire.OpDocFind, &wire.DocFind{Name: name("c"), Batch: 100})
	w.remove("c", `{"_id": {"$lt": 150}}`, wire.DocMulti)
	resp = w.Must(wire.OpDocMore, &wire.DocMore{Cursor: uint64(resp.Num)})
	if got := texts(t, resp.Body); len(got) != 150 || resp.Num != 0 {
		t.Errorf("%d documents, cursor %d", len(got), resp.Num)
	}
}

func TestACursorEnds(t *testing.T) {
	now := int64(0)
	w := worlds.New(t, func(c *Config) { c.Cursors, c.clock = 2, func() int64 { return now } })
	w.numbered("c", 300)
	open := func() uint64 {
		t.Helper()
		return uint64(w.Must(wire.OpDocFind, &wire.DocFind{Name: name("c")}).Num)
	}
	gone := func(id uint64, code wire.Code, sub uint32, why string) {
		t.Helper()
		if resp := w.Do(wire.OpDocMore, &wire.DocMore{Cursor: id}, 0); resp.Code != code || resp.Sub != sub {
			t.Errorf("%s: %v %d %s", why, resp.Code, resp.Sub, resp.Body)
		}
	}
	a, b := open(), open()
	if resp := w.Do(wire.OpDocFind, &wire.DocFind{Name: name("c")}, 0); resp.Code != wire.Full {
		t.Errorf("too many: %v %s", resp.Code, resp.Body)
	}
	if resp := w.Must(wire.OpDocFind, &wire.DocFind{Name: name("c"), Flags: wire.DocFindSingle}); resp.Num != 0 {
		t.Error("a find of a single batch has left a cursor")
	}
	if n := w.Must(wire.OpDocKill, &wire.DocKill{Cursors: []uint64{a, 99}}).Num; n != 1 {
		t.Errorf("%d killed", n)
	}
	gone(a, wire.NotFound, wire.DocCursorNotFound, "killed")
	now = cursorIdle.Milliseconds() + 1
	w.cursors.sweep()
	gone(b, wire.NotFound, wire.DocCursorNotFound, "idle")
	a = open()
	n := name("c")
	w.Must(wire.OpDocDrop, &n)
	gone(a, wire.Conflict, codeKilled, "dropped")
	if k, held := w.cursors.load(); k != 0 || held != 0 {
		t.Errorf("%d cursors hold %d bytes", k, held)
	}
}

func TestASortOverItsMemorySaysSo(t *testing.T) {
	w := worlds.New(t, func(c *Config) { c.Memory = 10_000 })
	w.numbered("c", 1000)
	resp := w.Do(wire.OpDocFind, &wire.DocFind{Name: name("c"), Sort: js(t, `{"a": 1}`)}, 0)
	if resp.Code != wire.TooLarge || resp.Sub != 292 {
		t.Errorf("%v %d %s", resp.Code, resp.Sub, resp.Body)
	}
	if got := w.all(&wire.DocFind{Name: name("c"), Sort: js(t, `{"a": 1}`), Limit: 3, Project: js(t, `{"_id": 1}`)}); fmt.Sprint(got) != `[{"_id":999} {"_id":998} {"_id":997}]` {
		t.Errorf("%v", got)
	}
	w.index("c", spec(0, "a"))
	if got := w.all(&wire.DocFind{Name: name("c"), Sort: js(t, `{"a": 1}`)}); len(got) != 1000 {
		t.Errorf("%d documents by an index", len(got))
	}
}

func TestAnAggregationGoesOnByItsCursor(t *testing.T) {
	w := worlds.New(t, nil)
	w.numbered("c", 5000)
	ask := func(pipeline string, batch uint64) (all []string) {
		t.Helper()
		resp := w.Must(wire.OpDocAggregate, &wire.DocAggregate{Name: name("c"), Pipeline: js(t, pipeline), Batch: batch})
		for {
			all = append(all, texts(t, resp.Body)...)
			if resp.Num == 0 {
				return all
			}
			resp = w.Must(wire.OpDocMore, &wire.DocMore{Cursor: uint64(resp.Num), Batch: batch})
		}
	}
	if got := ask(`[{"$match": {"a": {"$gt": 10}}}, {"$project": {"a": 1}}]`, 0); len(got) != 4990 {
		t.Errorf("%d documents", len(got))
	}
	if got := ask(`[{"$group": {"_id": {"$mod": ["$_id", 3]}, "n": {"$sum": 1}}}, {"$sort": {"_id": 1}}]`, 1); fmt.Sprint(got) != `[{"_id":0,"n":1667} {"_id":1,"n":1667} {"_id":2,"n":1666}]` {
		t.Errorf("%v", got)
	}
	if got := ask(`[{"$sort": {"_id": -1}}, {"$limit": 2}, {"$lookup": {"from": "c", "localField": "_id", "foreignField": "a", "as": "x"}}, {"$project": {"x._id": 1}}]`, 0); fmt.Sprint(got) != `[{"_id":4999,"x":[{"_id":1}]} {"_id":4998,"x":[{"_id":2}]}]` {
		t.Errorf("%v", got)
	}
	// One that is given up leaves nothing behind: the goroutines are counted when the tests end.
	resp := w.Must(wire.OpDocAggregate, &wire.DocAggregate{Name: name("c"), Pipeline: js(t, `[{"$match": {}}]`)})
	if resp.Num == 0 {
		t.Error("no cursor")
	}
}
