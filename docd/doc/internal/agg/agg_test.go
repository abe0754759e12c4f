package agg

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
	"github.com/skshohagmiah/flin/docd/doc/internal/value/valuetest"
)

// stream yields copies that are scribbled over afterwards: nobody may keep what is valid until the next document only.
func stream(docs []bsoncore.Document) Docs {
	return func(yield func(bsoncore.Document, error) bool) {
		for _, d := range docs {
			lent := bytes.Clone(d)
			more := yield(lent, nil)
			for i := range lent {
				lent[i] = 0xAA
			}
			if !more {
				return
			}
		}
	}
}

func collect(p *Pipeline, src Docs, env Env) (docs []bsoncore.Document, err error) {
	for doc, err := range p.Run(src, env) {
		if err != nil {
			return nil, err
		}
		docs = append(docs, bytes.Clone(doc))
	}
	return docs, nil
}

func same(a, b bsoncore.Document) bool { return bytes.Equal(a, b) }

// eachLine goes through the tables.
func eachLine(t testing.TB, fn func(at, left, right string, docs []bsoncore.Document, env Env)) {
	t.Helper()
	for file, table := range doctest.Tables(t, "testdata/*.txt") {
		var docs []bsoncore.Document
		others := map[string][]bsoncore.Document{}
		env := Env{Lookup: func(coll string) Docs { return stream(others[coll]) }}
		for n, line := range table {
			if text, ok := strings.CutPrefix(line, "docs "); ok {
				docs = doctest.List(t, text)
			} else if text, ok := strings.CutPrefix(line, "other "); ok {
				name, text, _ := strings.Cut(text, " ")
				others[name] = doctest.List(t, text)
			} else if left, right, ok := strings.Cut(line, " => "); ok && line[0] != '#' {
				fn(fmt.Sprintf("%s:%d", file, n+1), left, right, docs, env)
			}
		}
	}
}

func TestPipelinesGiveWhatMongoDBDocuments(t *testing.T) {
	eachLine(t, func(at, source, want string, docs []bsoncore.Document, env Env) {
		p, err := Compile(doctest.List(t, source))
		var got []bsoncore.Document
		if err == nil {
			got, err = collect(p, stream(docs), env)
		}
		switch {
		case err != nil:
			if c := valuetest.Code(t, err); c != want {
				t.Errorf("%s: %s: got %s (%v), want %s", at, source, c, err, want)
			}
		case strings.HasPrefix(want, "error ") || !slices.EqualFunc(got, doctest.List(t, want), same):
			t.Errorf("%s: %s: got %s, want %s", at, source, got, want)
		}
	})
}

func TestAPlannerCanTakeTheHead(t *testing.T) {
	for _, c := range []struct {
		pipeline      string
		match, sort   bool
		limit         int64
		left          int
		matches, none string
	}{
		{pipeline: `[]`},
		{pipeline: `[{"$match": {"a": 1}}]`, match: true, matches: `[{"a": 1}]`, none: `[{"a": 2}]`},
		{pipeline: `[{"$match": {"a": 1}}, {"$match": {"b": 1}}, {"$sort": {"a": 1}}, {"$skip": 2}, {"$limit": 3}, {"$limit": 9}]`, match: true, sort: true, limit: 5, left: 3, matches: `[{"a": 1, "b": 1}]`, none: `[{"a": 1}]`},
		{pipeline: `[{"$limit": 3}, {"$match": {"a": 1}}]`, limit: 3, left: 2},
		{pipeline: `[{"$sort": {"a": 1}}, {"$match": {"a": 1}}, {"$limit": 1}]`, sort: true, left: 2},
		{pipeline: `[{"$project": {"a": 1}}, {"$match": {"a": 1}}]`, left: 2},
	} {
		p, err := Compile(doctest.List(t, c.pipeline))
		if err != nil {
			t.Fatal(err)
		}
		match, sort, limit := p.Head()
		if (match != nil) != c.match || (sort != nil) != c.sort || limit != c.limit || len(p.Rest().stages) != c.left {
			t.Errorf("%s: got %v, %v, %d, and %d left", c.pipeline, match, sort, limit, len(p.Rest().stages))
		}
		if c.match && (!match.Matches(doctest.List(t, c.matches)[0]) || match.Matches(doctest.List(t, c.none)[0])) {
			t.Errorf("%s: the filter is another", c.pipeline)
		}
	}
}

// TestTheHeadAndTheRestAreTheWhole runs random pipelines in both ways, and with the sort's limit and without.
func TestTheHeadAndTheRestAreTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	parts := []string{`{"$match": {"a": {"$gt": 3}}}`, `{"$match": {"b": 1}}`, `{"$sort": {"a": 1, "b": -1}}`, `{"$skip": 2}`, `{"$limit": 4}`, `{"$sort": {"b": 1}}`}
	for range 300 {
		var docs []bsoncore.Document
		for i := range 30 {
			docs = append(docs, doctest.List(t, fmt.Sprintf(`[{"_id": %d, "a": %d, "b": %d}]`, i, r.IntN(8), r.IntN(3)))...)
		}
		var pick []string
		for range r.IntN(5) {
			pick = append(pick, parts[r.IntN(len(parts))])
		}
		source := "[" + strings.Join(pick, ",") + "]"
		p, err := Compile(doctest.List(t, source))
		if err != nil {
			t.Fatal(err)
		}
		want, err := collect(p, stream(docs), Env{})
		if err != nil {
			t.Fatal(err)
		}
		match, order, limit := p.Head()
		head := docs
		if match != nil {
			head = slices.DeleteFunc(slices.Clone(head), func(d bsoncore.Document) bool { return !match.Matches(d) })
		}
		if order != nil {
			slices.SortStableFunc(head, func(x, y bsoncore.Document) int {
				return bytes.Compare(order.AppendKey(nil, x), order.AppendKey(nil, y))
			})
		}
		if limit > 0 {
			head = head[:min(limit, int64(len(head)))]
		}
		got, err := collect(p.Rest(), stream(head), Env{})
		if err != nil || !slices.EqualFunc(got, want, same) {
			t.Fatalf("%s: got %s, want %s", source, got, want)
		}
	}
}

func TestMemoryOverTheLimitIsAnError(t *testing.T) {
	var docs []bsoncore.Document
	for i := range 1000 {
		docs = append(docs, doctest.List(t, fmt.Sprintf(`[{"_id": %d, "s": "%0100d"}]`, i, i))...)
	}
	env := Env{MemoryLimit: 20_000, Lookup: func(string) Docs { return stream(docs) }}
	for source, want := range map[string]string{
		`[{"$sort": {"s": 1}}]`:                                                               "error 292",
		`[{"$sort": {"s": 1}}, {"$limit": 10}, {"$count": "n"}]`:                              "",
		`[{"$group": {"_id": "$s"}}]`:                                                         "error 292",
		`[{"$group": {"_id": null, "p": {"$push": "$s"}}}]`:                                   "error 292",
		`[{"$group": {"_id": null, "p": {"$addToSet": "$s"}}}]`:                               "error 292",
		`[{"$group": {"_id": null, "p": {"$max": "$s"}}}]`:                                    "",
		`[{"$lookup": {"from": "x", "localField": "_id", "foreignField": "_id", "as": "j"}}]`: "error 292",
	} {
		p, err := Compile(doctest.List(t, source))
		if err != nil {
			t.Fatal(err)
		}
		_, err = collect(p, stream(docs), env)
		if got := ""; err != nil {
			if got = valuetest.Code(t, err); got != want || !strings.Contains(err.Error(), "20000") {
				t.Errorf("%s: got %s (%v), want %q", source, got, err, want)
			}
		} else if want != "" {
			t.Errorf("%s: no error, want %s", source, want)
		}
	}
}

func TestTheStagesOfAPipelineShareItsMemory(t *testing.T) {
	var docs []bsoncore.Document
	size := 0
	for i := range 100 {
		docs = append(docs, doctest.List(t, fmt.Sprintf(`[{"_id": %d, "s": "%0100d"}]`, i, i))...)
		size += len(docs[i])
	}
	const join, forget = `{"$lookup": {"from": "x", "localField": "_id", "foreignField": "_id", "as": "j"}}`, `{"$unset": "j"}`
	const sort, group = `{"$sort": {"s": 1}}`, `{"$group": {"_id": "$s", "s": {"$first": "$s"}}}`
	for _, c := range []struct {
		stages []string
		want   string
	}{
		{[]string{join}, ""},
		{[]string{join, forget, join, forget, join}, "error 292"},
		{[]string{sort}, ""},
		{[]string{sort, join}, "error 292"},
		{[]string{sort, sort, sort}, ""}, // what one hands out the next one holds
		{[]string{group, sort}, "error 292"},
		{[]string{group, `{"$match": {}}`, `{"$limit": 1}`}, ""},
	} {
		p, err := Compile(doctest.List(t, "["+strings.Join(c.stages, ",")+"]"))
		if err != nil {
			t.Fatal(err)
		}
		used, most := 0, 0
		env := Env{MemoryLimit: 50_000, Used: &used, Lookup: func(string) Docs { return stream(docs) }}
		got := ""
		for _, err := range p.Run(stream(docs), env) {
			if most = max(most, used); err != nil {
				got = valuetest.Code(t, err)
			}
		}
		if got != c.want || most < size || used != 0 {
			t.Errorf("%s: got %q, want %q; %d bytes were held, of %d, and %d at the end", c.stages, got, c.want, most, size, used)
		}
	}
}

func TestAnErrorOfTheSourceEndsTheStream(t *testing.T) {
	broken := errors.New("broken")
	src := func(yield func(bsoncore.Document, error) bool) {
		if yield(doctest.List(t, `[{"a": [1]}]`)[0], nil) {
			yield(nil, broken)
		}
	}
	for _, stage := range []string{
		`{"$match": {}}`, `{"$project": {"a": 1}}`, `{"$group": {"_id": null}}`, `{"$sort": {"a": 1}}`, `{"$skip": 1}`, `{"$limit": 5}`,
		`{"$unwind": "$a"}`, `{"$count": "n"}`, `{"$lookup": {"from": "x", "localField": "a", "foreignField": "a", "as": "j"}}`, `{"$replaceWith": {}}`,
	} {
		p, err := Compile(doctest.List(t, "["+stage+"]"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := collect(p, src, Env{Lookup: func(string) Docs { return stream(nil) }}); !errors.Is(err, broken) {
			t.Errorf("%s: got %v", stage, err)
		}
	}
}

func FuzzPipelinesNeverPanic(f *testing.F) {
	eachLine(f, func(_, source, _ string, docs []bsoncore.Document, _ Env) {
		for _, stage := range doctest.List(f, source) {
			f.Add([]byte(stage), []byte(docs[0]))
		}
	})
	f.Fuzz(func(t *testing.T, stage, doc []byte) {
		p, err := Compile([]bsoncore.Document{stage, stage})
		if err != nil {
			return
		}
		src := stream([]bsoncore.Document{doc, doc})
		env := Env{MemoryLimit: 1 << 20, Lookup: func(string) Docs { return src }}
		first, err := collect(p, src, env)
		again, errAgain := collect(p, src, env)
		if (err == nil) != (errAgain == nil) || !slices.EqualFunc(first, again, same) {
			t.Fatalf("two runs differ: %x, %v and %x, %v", first, err, again, errAgain)
		}
	})
}

func BenchmarkRun(b *testing.B) {
	var docs []bsoncore.Document
	for i := range 1000 {
		docs = append(docs, doctest.List(b, fmt.Sprintf(`[{"_id": %d, "g": "section%d", "n": %d, "l": [1, 2, 3], "pad": "%0900d"}]`, i, i%20, i*7919%1000, i))...)
	}
	src := func(yield func(bsoncore.Document, error) bool) {
		for _, d := range docs {
			if !yield(d, nil) {
				return
			}
		}
	}
	for _, c := range []struct{ name, pipeline string }{
		{"match", `[{"$match": {"n": {"$gte": 500}}}]`},
		{"project", `[{"$project": {"g": 1, "twice": {"$add": ["$n", "$n"]}}}]`},
		{"group", `[{"$group": {"_id": "$g", "n": {"$sum": "$n"}, "max": {"$max": "$n"}}}]`},
		{"sort", `[{"$sort": {"n": 1}}]`},
		{"top", `[{"$sort": {"n": 1}}, {"$limit": 10}]`},
		{"unwind", `[{"$unwind": "$l"}]`},
	} {
		b.Run("docs=1000/stage="+c.name, func(b *testing.B) {
			p, err := Compile(doctest.List(b, c.pipeline))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range p.Run(src, Env{}) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
