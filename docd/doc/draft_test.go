package doc

import (
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// sortedWrite is a write that wants the first document in an order.
func sortedWrite(t *testing.T, op wire.Op, filter, order, update string) wire.DocWriteOp {
	return wire.DocWriteOp{Op: op, DocUpdate: wire.DocUpdate{Name: name("c"), Filter: js(t, filter), Sort: js(t, order), Update: js(t, update)}}
}

func TestAWriteChangesTheFirstInItsOrder(t *testing.T) {
	for _, indexed := range []bool{false, true} {
		t.Run(fmt.Sprint("indexed=", indexed), func(t *testing.T) {
			w := worlds.New(t, nil)
			if indexed {
				w.index("c", spec(0, "a"))
			}
			const hit = `{"$set": {"hit": %d}}`
			writes := []wire.DocWriteOp{
				sortedWrite(t, wire.OpDocUpdate, `{"a": {"$gt": 0}}`, `{"a": -1}`, fmt.Sprintf(hit, 1)),                           // of the store
				sortedWrite(t, wire.OpDocUpdate, `{"a": {"$gt": 0}, "hit": {"$exists": true}}`, `{"a": 1}`, `{"$set": {"a": 9}}`), // of the draft
				sortedWrite(t, wire.OpDocInsert, ``, ``, `{"_id": 5, "a": 0.5}`),
				sortedWrite(t, wire.OpDocUpdate, `{"a": {"$gt": 0}}`, `{"a": 1}`, fmt.Sprintf(hit, 2)),                                         // of both it is the draft's
				sortedWrite(t, wire.OpDocUpdate, `{"a": {"$gt": 0}}`, `{"a": -1}`, `{"$inc": {"a": -7.5}}`),                                    // and again
				sortedWrite(t, wire.OpDocUpdate, `{"a": {"$gt": 0}}`, `{"a": -1, "_id": 1}`, fmt.Sprintf(hit, 3)),                              // of both it is the store's
				sortedWrite(t, wire.OpDocDelete, `{"a": {"$gt": 0}, "hit": {"$ne": 2}}`, `{"a": 1, "_id": 1}`, ``),                             // of the store
				sortedWrite(t, wire.OpDocUpdate, `{"a": {"$gt": 7}}`, `{"a": 1}`, `{"$set": {"nobody": 1}}`),                                   // nothing matches
				sortedWrite(t, wire.OpDocUpdate, `{"a": {"$gt": 0}}`, `{"_id": -1}`, fmt.Sprintf(hit, 4)),                                      // by the _id
				sortedWrite(t, wire.OpDocUpdate, `{"_id": {"$gte": 2}, "a": {"$lt": 2}}`, `{"a": -1, "hit": 1}`, `{"$set": {"last": "true"}}`), // by two fields
			}
			want := []string{`{"_id":2,"a":1.5,"hit":1,"last":"true"}`, `{"_id":3,"a":2,"hit":3}`, `{"_id":5,"a":0.5,"hit":4}`}
			fill := func() {
				w.remove("c", `{}`, wire.DocMulti)
				w.insert("c", `{"_id": 1, "a": 1}`, `{"_id": 2, "a": 3}`, `{"_id": 3, "a": 2}`)
			}
			fill()
			w.Must(wire.OpDocWrite, &wire.DocWrite{Writes: writes})
			same(t, "by a batch", w.find("c", `{}`), want...)
			fill()
			x := w.begin()
			for i := range writes {
				if writes[i].Op == wire.OpDocInsert {
					x.must(wire.OpDocInsert, &wire.DocInsert{Name: name("c"), Docs: [][]byte{writes[i].Update}})
				} else {
					x.must(writes[i].Op, &writes[i].DocUpdate)
				}
			}
			same(t, "in a transaction", x.all(&wire.DocFind{Name: name("c"), Sort: js(t, `{"_id": 1}`)}), want...)
			x.commits()
			same(t, "by a transaction", w.find("c", `{}`), want...)
			w.verify()
		})
	}
}

// examined is how many keys and documents were looked at along plans.
func (w *world) examined() uint64 { return w.figures.keys.Load() + w.figures.docs.Load() }

func TestAWriteByIDWalksThroughNothing(t *testing.T) {
	w := worlds.New(t, nil)
	const docs = wire.MaxBatch / 4
	w.numbered("c", docs)
	var writes []wire.DocWriteOp
	add := func(op wire.Op, flags wire.DocWriteFlags, filter, order, update string) {
		x := sortedWrite(t, op, filter, order, update)
		x.Flags = flags
		writes = append(writes, x)
	}
	const inc = `{"$inc": {"n": 1}}`
	for i := range docs {
		add(wire.OpDocUpdate, 0, fmt.Sprintf(`{"_id": %d}`, i), ``, inc)
		add(wire.OpDocUpdate, wire.DocMulti, fmt.Sprintf(`{"_id": %d, "n": 1}`, i), ``, inc)
		add(wire.OpDocUpdate, 0, fmt.Sprintf(`{"n": 2, "_id": {"$eq": %d}}`, i), `{"n": 1}`, inc)
		add(wire.OpDocUpdate, 0, fmt.Sprintf(`{"_id": %d, "n": 99}`, i), ``, inc)
	}
	before := w.examined()
	resp := w.Must(wire.OpDocWrite, &wire.DocWrite{Writes: writes})
	if m := result(t, &resp); m.Modified != 3*docs {
		t.Errorf("%+v", m)
	}
	x := w.begin()
	const inTxn = 200 * 4
	for i := range writes[:inTxn] {
		writes[i].Filter = js(t, fmt.Sprintf(`{"_id": %d, "n": {"$gte": 3}}`, i/4))
		x.must(wire.OpDocUpdate, &writes[i].DocUpdate)
	}
	if n := x.commits(); n != inTxn/4 {
		t.Errorf("%d documents were written", n)
	}
	if n := w.examined() - before; n != 0 {
		t.Errorf("%d keys and documents were looked at", n)
	}
	if n := w.Must(wire.OpDocCount, &wire.DocFind{Name: name("c"), Filter: js(t, `{"n": 7}`)}).Num; n != inTxn/4 {
		t.Errorf("%d documents were written by all", n)
	}
}

// With an index that gives the order a write looks at one document of the store, and at those that were written before.
func TestAWriteInTheOrderOfAnIndexStopsAtTheFirst(t *testing.T) {
	w := worlds.New(t, nil)
	const docs, rounds = 2000, 10
	w.numbered("c", docs)
	w.index("c", spec(0, "a"))
	var writes []wire.DocWriteOp
	for range rounds {
		writes = append(writes, sortedWrite(t, wire.OpDocUpdate, `{"taken": null}`, `{"a": -1}`, `{"$set": {"taken": true}}`))
	}
	before := w.examined()
	resp := w.Must(wire.OpDocWrite, &wire.DocWrite{Writes: writes})
	if m := result(t, &resp); m.Modified != rounds {
		t.Errorf("%+v", m)
	}
	if n := w.examined() - before; n > 5*rounds*rounds {
		t.Errorf("%d keys and documents were looked at", n)
	}
	same(t, "the last of them", w.all(&wire.DocFind{Name: name("c"), Filter: js(t, `{"taken": true}`), Sort: js(t, `{"a": 1}`), Limit: 1, Project: js(t, `{"_id": 1}`)}), fmt.Sprintf(`{"_id":%d}`, rounds-1))
}
