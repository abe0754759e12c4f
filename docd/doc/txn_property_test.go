package doc

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// What a transaction sees of its own writes is what everybody sees once it is committed.
func TestATransactionSeesWhatItsCommitLeaves(t *testing.T) {
	w := worlds.New(t, nil)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 3))
	commits := 0
	for set, indexes := range sets(t) {
		for _, s := range indexes {
			w.index(set, s)
		}
		for round := range 6 {
			n := name(set)
			w.Must(wire.OpDocDelete, &wire.DocUpdate{Name: n, Flags: wire.DocMulti})
			fill := wire.DocInsert{Name: n, Flags: wire.DocUnordered}
			for i := range 40 {
				fill.Docs = append(fill.Docs, js(t, randomDocument(r, i)))
			}
			w.Must(wire.OpDocInsert, &fill) // some may not be indexed
			x := w.begin()
			x.writeAtRandom(r, set)
			queries := make([]txnQuery, 60)
			for i := range queries {
				queries[i] = randomTxnQuery(t, r, set)
				queries[i].in = queries[i].ask(x.all, x.must)
			}
			if resp := x.commit(); resp.Code != wire.OK {
				if resp.Code != wire.Invalid && resp.Code != wire.TooLarge {
					t.Fatalf("%v %s", resp.Code, resp.Body)
				}
				continue // a document of it cannot be indexed
			}
			commits++
			for _, q := range queries {
				if out := q.ask(w.all, w.Must); !slices.Equal(q.in, out) {
					t.Fatalf("%s, round %d, filter %s, sort %s, skip %d, limit %d: %d in the transaction, %d behind it:\n%v\n%v",
						set, round, text(t, q.find.Filter), q.find.Sort, q.find.Skip, q.find.Limit, len(q.in), len(out), q.in, out)
				}
			}
		}
	}
	if commits < 10 {
		t.Errorf("%d commits", commits)
	}
	w.verify()
}

// writeAtRandom inserts, updates and deletes documents.
func (x *tx) writeAtRandom(r *rand.Rand, coll string) {
	for i := range 12 {
		id := fmt.Sprintf(`{"_id": %d}`, r.IntN(40))
		set := fmt.Sprintf(`{"$set": {%q: %s}}`, []string{"a", "e"}[r.IntN(2)], scalar(r))
		switch r.IntN(6) {
		case 0:
			x.insert(coll, randomDocument(r, 40+i))
		case 1:
			x.update(coll, randomFilter(r, 1), set, wire.DocMulti)
		case 2:
			x.update(coll, id, set, wire.DocUpsert)
		case 3:
			x.remove(coll, id, 0)
		case 4:
			x.remove(coll, randomFilter(r, 1), 0)
		case 5:
			x.update(coll, randomFilter(r, 1), set, 0)
		}
	}
}

// txnQuery is a query in a transaction and, later, outside.
type txnQuery struct {
	find wire.DocFind
	in   []string
}

func randomTxnQuery(t *testing.T, r *rand.Rand, coll string) txnQuery {
	q := txnQuery{find: wire.DocFind{Name: name(coll), Filter: js(t, randomFilter(r, 1)), Batch: uint64(r.IntN(4))}}
	if r.IntN(2) == 0 {
		way := 1 - 2*r.IntN(2)
		q.find.Sort = js(t, fmt.Sprintf(`{%q: %d, "_id": 1}`, []string{"a", "e", "b.c"}[r.IntN(3)], way))
		q.find.Skip, q.find.Limit = uint64(r.IntN(5)), uint64(r.IntN(10))
	}
	return q
}

// ask returns the documents, in an order that does not depend on the way to them, and how many are counted.
func (q *txnQuery) ask(all func(*wire.DocFind) []string, must func(wire.Op, payload) wire.Response) []string {
	docs := all(&q.find)
	if len(q.find.Sort) == 0 {
		slices.Sort(docs)
	}
	count := q.find
	count.Sort, count.Batch = nil, 0
	return append(docs, fmt.Sprint(must(wire.OpDocCount, &count).Num))
}
