package doc

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/project"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// scalars are what random documents and filters consist of.
var scalars = []string{`1`, `2`, `2.5`, `3`, `{"$numberLong": "2"}`, `"x"`, `"xy"`, `"y"`, `null`, `true`, `false`, `{"$date": {"$numberLong": "5"}}`, `{"$numberDecimal": "2.5"}`, `{"$numberDouble": "NaN"}`}

func scalar(r *rand.Rand) string { return scalars[r.IntN(len(scalars))] }

// randomValue is a scalar, an array or a document with the fields c and d.
func randomValue(r *rand.Rand, depth int) string {
	switch n := r.IntN(10); {
	case n < 2 && depth > 0:
		var all []string
		for range r.IntN(4) {
			all = append(all, randomValue(r, depth-1))
		}
		return `[` + strings.Join(all, `, `) + `]`
	case n < 5 && depth > 0:
		var all []string
		for _, f := range []string{"c", "d"} {
			if r.IntN(4) > 0 {
				all = append(all, fmt.Sprintf(`%q: %s`, f, randomValue(r, depth-1)))
			}
		}
		return `{` + strings.Join(all, `, `) + `}`
	}
	return scalar(r)
}

// pairs is an array of documents with the fields c and d.
func pairs(r *rand.Rand) string {
	var all []string
	for range 1 + r.IntN(3) {
		all = append(all, fmt.Sprintf(`{"c": %s, "d": %s}`, scalar(r), scalar(r)))
	}
	return `[` + strings.Join(all, `, `) + `]`
}

func randomDocument(r *rand.Rand, id int) string {
	all := []string{fmt.Sprintf(`"_id": %d`, id)}
	for _, f := range []string{"a", "b", "e"} {
		switch n := r.IntN(10); {
		case n == 0 && f == "b":
			all = append(all, fmt.Sprintf(`%q: %s`, f, pairs(r)))
		case n == 1 && f == "a":
			all = append(all, fmt.Sprintf(`%q: [%s, %s]`, f, scalar(r), scalar(r)))
		case n > 2:
			all = append(all, fmt.Sprintf(`%q: %s`, f, randomValue(r, 2)))
		}
	}
	return `{` + strings.Join(all, `, `) + `}`
}

var paths = []string{"a", "a", "b", "e", "b.c", "b.d", "a.c", "_id"}

// randomCondition is what may stand behind a field's name.
func randomCondition(r *rand.Rand) string {
	ops := []string{"$gt", "$gte", "$lt", "$lte", "$ne", "$eq"}
	switch r.IntN(10) {
	case 0:
		return fmt.Sprintf(`{%q: %s, %q: %s}`, ops[r.IntN(2)], scalar(r), ops[2+r.IntN(2)], scalar(r))
	case 1:
		return fmt.Sprintf(`{"$in": [%s, %s]}`, scalar(r), scalar(r))
	case 2:
		return fmt.Sprintf(`{"$nin": [%s, %s]}`, scalar(r), scalar(r))
	case 3:
		return fmt.Sprintf(`{"$exists": %v}`, r.IntN(2) == 0)
	case 4:
		return fmt.Sprintf(`{"$not": {%q: %s}}`, ops[r.IntN(5)], scalar(r))
	case 5:
		return `{"$regex": "^x"}`
	case 6:
		return fmt.Sprintf(`{"$elemMatch": {%q: %s, %q: %s}}`, ops[r.IntN(2)], scalar(r), ops[2+r.IntN(2)], scalar(r))
	case 7, 8:
		return randomValue(r, 1)
	default:
		return fmt.Sprintf(`{%q: %s}`, ops[r.IntN(len(ops))], scalar(r))
	}
}

func randomFilter(r *rand.Rand, depth int) string {
	var all []string
	seen := map[string]bool{}
	for range 1 + r.IntN(3) {
		p := paths[r.IntN(len(paths))]
		c := randomCondition(r)
		if p == "_id" {
			c = fmt.Sprintf(`{%q: %d}`, []string{"$gt", "$lte", "$eq"}[r.IntN(3)], r.IntN(60))
		}
		if !seen[p] {
			seen[p] = true
			all = append(all, fmt.Sprintf(`%q: %s`, p, c))
		}
	}
	if depth > 0 && r.IntN(4) == 0 {
		op := []string{"$or", "$and", "$nor"}[r.IntN(3)]
		all = append(all, fmt.Sprintf(`%q: [%s, %s]`, op, randomFilter(r, depth-1), randomFilter(r, depth-1)))
	}
	return `{` + strings.Join(all, `, `) + `}`
}

// sets are the indexes that the same documents have in several collections.
func sets(t *testing.T) map[string][]wire.DocIndexSpec {
	partial := spec(wire.DocIndexPartial, "a", "b")
	partial.Partial = js(t, `{"a": {"$gte": 2}}`)
	there := spec(wire.DocIndexPartial, "e")
	there.Partial = js(t, `{"b": {"$exists": true}}`)
	return map[string][]wire.DocIndexSpec{
		"none":     nil,
		"a":        {spec(0, "a")},
		"desc":     {spec(0, "-a"), spec(0, "e")},
		"compound": {spec(0, "a", "e"), spec(0, "e", "-a", "_id")},
		"nested":   {spec(0, "b.c"), spec(0, "b.d", "a.c"), spec(0, "b.c", "b.d")},
		"pair":     {spec(0, "b.c", "b.d")},
		"sparse":   {spec(wire.DocIndexSparse, "a"), spec(wire.DocIndexSparse, "b.c", "e")},
		"partial":  {partial, there},
		"many":     {spec(0, "a"), spec(0, "b"), spec(0, "e"), spec(0, "b.c", "a"), spec(0, "-e", "b")},
		"id":       {spec(0, "_id", "a")},
	}
}

func TestEveryQueryGivesTheSameWithEverySetOfIndexes(t *testing.T) {
	w := worlds.New(t, nil)
	const docs, queries = 60, 1500
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	all := sets(t)
	for coll, specs := range all {
		for _, s := range specs {
			w.index(coll, s)
		}
	}
	var texts []string
	for i := range docs {
		text := randomDocument(r, i)
		kept := true
		for coll, specs := range all {
			m := w.insert(coll, text)
			if m.Inserted == 0 {
				if m.Errors[0].Sub != 171 || len(specs) == 0 {
					t.Fatalf("%s: %s: %s", coll, text, m.Errors[0].Msg)
				}
				kept = false // parallel arrays
			}
		}
		if !kept {
			for coll := range all {
				w.remove(coll, fmt.Sprintf(`{"_id": %d}`, i), 0)
			}
			continue
		}
		texts = append(texts, text)
	}
	t.Logf("%d documents", len(texts))
	for range queries {
		ask(t, w, r, texts, all)
		if t.Failed() {
			return
		}
	}
	w.verify()
}

// ask compares the answers to one query.
func ask(t *testing.T, w *world, r *rand.Rand, docs []string, all map[string][]wire.DocIndexSpec) {
	t.Helper()
	text := randomFilter(r, 1)
	raw := js(t, text)
	f, err := filter.Compile(raw)
	if err != nil {
		return // what is wrong with it is the filter's tests' to say
	}
	m := wire.DocFind{Filter: raw, Batch: uint64(r.IntN(4) * 3)}
	order := ""
	if r.IntN(2) == 0 {
		way := func() int { return 1 - 2*r.IntN(2) }
		order = fmt.Sprintf(`{%q: %d, %q: %d, "_id": %d}`, []string{"a", "b.c"}[r.IntN(2)], way(), []string{"e", "b"}[r.IntN(2)], way(), way())
		if r.IntN(3) == 0 {
			order = fmt.Sprintf(`{%q: %d, "_id": %d}`, []string{"a", "e", "b.c"}[r.IntN(3)], way(), way())
		}
		m.Sort = js(t, order)
		m.Skip, m.Limit = uint64(r.IntN(4)), uint64(r.IntN(10))
	}
	want := expected(t, docs, f, &m)
	for coll := range all {
		m.Name = name(coll)
		got := w.all(&m)
		if m.Sort == nil {
			slices.Sort(got)
		}
		if !slices.Equal(got, want) {
			t.Errorf("indexes %s, filter %s, sort %s, skip %d, limit %d:\n got %v\nwant %v\n%v", coll, text, order, m.Skip, m.Limit, got, want, w.explain(&m))
		}
		resp := w.Must(wire.OpDocCount, &wire.DocFind{Name: m.Name, Filter: m.Filter, Skip: m.Skip, Limit: m.Limit})
		if int(resp.Num) != len(want) {
			t.Errorf("indexes %s, filter %s: %d counted, not %d", coll, text, resp.Num, len(want))
		}
	}
}

// expected is the answer by going through all documents.
func expected(t *testing.T, docs []string, f *filter.Filter, m *wire.DocFind) (want []string) {
	type hit struct{ key, text string }
	var hits []hit
	var by *project.Sort
	if m.Sort != nil {
		by, _ = project.CompileSort(m.Sort)
	}
	for _, d := range docs {
		doc := js(t, d)
		if !f.Matches(doc) {
			continue
		}
		h := hit{text: text(t, doc)}
		if by != nil {
			h.key = string(by.AppendKey(nil, bsoncore.Document(doc)))
		} else {
			h.key = h.text
		}
		hits = append(hits, h)
	}
	slices.SortFunc(hits, func(a, b hit) int { return strings.Compare(a.key, b.key) })
	hits = hits[min(int(m.Skip), len(hits)):]
	if m.Limit > 0 {
		hits = hits[:min(int(m.Limit), len(hits))]
	}
	for _, h := range hits {
		want = append(want, h.text)
	}
	return want
}
