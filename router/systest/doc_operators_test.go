package systest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/clients/go"
)

// operatorTable is what the engine's own tables of filters say, written from MongoDB's documentation: filters, with documents that match
// and that do not, and filters that are refused.
type operatorTable struct {
	docs    []string // each once
	filters []*operatorCase
	errors  []operatorCase
}

type operatorCase struct {
	filter  string
	code    uint32       // MongoDB's, of a filter that is refused
	matches map[int]bool // by the number of the document
}

func loadOperators(t *testing.T) *operatorTable {
	t.Helper()
	files, err := filepath.Glob("../../docd/doc/internal/filter/testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("the engine's tables are not there", err)
	}
	tab, known := &operatorTable{}, map[string]int{}
	for _, file := range files {
		lines, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(lines)) {
			word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch word {
			case "filter":
				tab.filters = append(tab.filters, &operatorCase{filter: rest, matches: map[int]bool{}})
			case "yes", "no":
				if _, is := known[rest]; !is {
					known[rest] = len(tab.docs)
					tab.docs = append(tab.docs, rest)
				}
				tab.filters[len(tab.filters)-1].matches[known[rest]] = word == "yes"
			case "error":
				number, filter, _ := strings.Cut(rest, " ")
				code, err := strconv.ParseUint(number, 10, 32)
				if err != nil {
					t.Fatalf("%s: %s", file, line)
				}
				tab.errors = append(tab.errors, operatorCase{filter: filter, code: uint32(code)})
			}
		}
	}
	return tab
}

// extended reads a document in extended JSON.
func extended(t *testing.T, text string) flin.D {
	t.Helper()
	var d flin.D
	if err := bson.UnmarshalExtJSON([]byte(text), false, &d); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

// Every filter finds, among the documents of all the others, what MongoDB's documentation says, by a scan and by each index.
func TestOperatorsFindTheSameWithEveryIndex(t *testing.T) {
	tab := loadOperators(t)
	s := start(t)
	db := newClient(t, s.addrs()).DB
	colls := map[string][]string{
		"plain": nil, "a": {"a"}, "a.b": {"a.b"}, "descending": {"-a"}, "compound": {"a", "b"}, "elements": {"a.0"}, "deep": {"a.b.c", "c"}, "b": {"b"},
	}
	var docs []flin.D
	for i, text := range tab.docs {
		d := extended(t, text)
		docs = append(docs, append(flin.D{{Key: "_id", Value: int32(i)}}, slices.DeleteFunc(d, func(e flin.E) bool { return e.Key == "_id" })...))
	}
	hints, left := map[string]string{}, map[string][]int32{}
	for coll, fields := range colls {
		if len(fields) > 0 {
			name, err := db.CreateIndex(coll, fields)
			if err != nil {
				t.Fatal(err)
			}
			hints[coll] = name
		}
		_, err := db.InsertMany(coll, docs, flin.Unordered())
		if some, ok := errors.AsType[*flin.BulkError](err); ok && coll == "elements" {
			for _, e := range some.Errors { // MongoDB refuses them as well: {"a": [{"0": …}]} has two elements a.0
				says(t, e.Err.Error(), "Ambiguous field name")
				left[coll] = append(left[coll], int32(e.Index))
			}
		} else if err != nil {
			t.Fatal(err)
		}
	}
	matched := 0
	for _, c := range tab.filters {
		filter := flin.FilterDoc(extended(t, c.filter))
		plain := idsOf(t, c.filter, db.Query("plain").Filter(filter))
		for i, yes := range c.matches {
			if slices.Contains(plain, int32(i)) != yes {
				t.Errorf("%s on %s: it is found: %v", c.filter, tab.docs[i], !yes)
			}
		}
		for coll := range colls {
			planned := idsOf(t, c.filter, db.Query(coll).Filter(filter))
			hinted := idsOf(t, c.filter, db.Query(coll).Filter(filter).Hint(hints[coll]))
			want := slices.DeleteFunc(slices.Clone(plain), func(id int32) bool { return slices.Contains(left[coll], id) })
			if !slices.Equal(planned, want) || !slices.Equal(hinted, want) {
				t.Errorf("%s finds %v by a scan; with the index %q %v, and %v where it must be used", c.filter, want, hints[coll], planned, hinted)
			}
			n, err := db.Query(coll).Filter(filter).Count()
			if err != nil || n != int64(len(want)) {
				t.Errorf("%s finds %v; with the index %q %d are counted: %v", c.filter, want, hints[coll], n, err)
			}
		}
		matched += len(plain)
	}
	t.Logf("%d filters, %d documents, %d matches", len(tab.filters), len(docs), matched)
	for _, c := range tab.errors {
		for _, coll := range []string{"plain", "a", "nothing"} {
			_, err := db.Query(coll).Filter(flin.FilterDoc(extended(t, c.filter))).Exec()
			if e, ok := errors.AsType[*flin.Error](err); !ok || e.Sub != c.code || e.Msg == "" {
				t.Errorf("%s is answered %v, not with code %d", c.filter, err, c.code)
			}
		}
	}
	stillServes(t, s)
}

// idsOf returns the _ids that a query finds, in order.
func idsOf(t *testing.T, what string, q *flin.Query) []int32 {
	t.Helper()
	ids := []int32{}
	for doc, err := range q.Select("_id").Iter() {
		if err != nil {
			t.Errorf("%s: %v", what, err)
			break
		}
		id, _ := doc["_id"].(int32)
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if n := len(ids); len(slices.Compact(slices.Clone(ids))) != n {
		t.Errorf("%s finds some twice: %v", what, ids)
	}
	return ids
}

// Sorted by an index or in memory, values of all types come in MongoDB's order.
func TestSortingIsTheSameWithAnIndex(t *testing.T) {
	tab := loadOperators(t)
	s := start(t)
	db := newClient(t, s.addrs()).DB
	for i, text := range tab.docs {
		doc := append(flin.D{{Key: "_id", Value: int32(i)}}, slices.DeleteFunc(extended(t, text), func(e flin.E) bool { return e.Key == "_id" })...)
		for _, coll := range []string{"plain", "indexed"} {
			if _, err := db.Insert(coll, doc); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := db.CreateIndex("indexed", []string{"a", "_id"}); err != nil {
		t.Fatal(err)
	}
	for _, order := range []flin.Order{flin.Asc, flin.Desc} {
		var found [2][]any
		for i, coll := range []string{"plain", "indexed"} {
			docs, err := db.Query(coll).OrderBy("a", order).OrderBy("_id", order).Exec()
			if err != nil || len(docs) != len(tab.docs) {
				t.Fatalf("%d of %d documents: %v", len(docs), len(tab.docs), err)
			}
			for _, d := range docs {
				found[i] = append(found[i], d["_id"])
			}
		}
		if !slices.Equal(found[0], found[1]) {
			t.Errorf("in memory %v, by the index %v", found[0], found[1])
		}
	}
}
