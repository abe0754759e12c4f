package filter

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// within reports whether a key is in one of the intervals, as a scan of an index finds it.
func within(key []byte, f Field) bool {
	for _, i := range f.Intervals {
		low, high := bytes.Compare(value.AppendKey(nil, i.Low, false), key), bytes.Compare(key, value.AppendKey(nil, i.High, false))
		if (low < 0 || low == 0 && !i.LowOpen) && (high < 0 || high == 0 && !i.HighOpen) {
			return true
		}
	}
	return false
}

// checkFields checks that an index on each field of a filter finds a document that matches, and, where the field is exact
// and the index not multikey, that it finds no other.
func checkFields(t *testing.T, text string, f *Filter, doc bsoncore.Document) {
	t.Helper()
	matches := f.Matches(doc)
	all, plain := true, true
	for _, field := range f.Fields() {
		checkOrder(t, text, field.Intervals)
		found := false
		shape, err := value.Keys(doc, []value.KeyField{{Path: field.Path}}, func(key []byte) { found = found || within(key, field) })
		if err != nil {
			return // the document cannot be in such an index
		}
		if matches && !found {
			t.Fatalf("%s matches %s, but no key of %s is in its ranges (multikey %v)\n%v", text, doc, field.Path, shape.Multikey, field)
		}
		all, plain = all && found, plain && !shape.Multikey
	}
	if f.Exact() && plain && all != matches {
		t.Fatalf("%s is exact, and on %s: matches %v, found %v", text, doc, matches, all)
	}
	single := f.Fields()
	if len(single) != 1 || !single[0].Exact || !plain {
		return
	}
	if _, ok := f.root.(*field); ok && all != matches {
		t.Fatalf("%s has an exact field, and on %s: matches %v, found %v", text, doc, matches, all)
	}
}

func checkOrder(t *testing.T, text string, rs []Interval) {
	t.Helper()
	for i, r := range rs {
		if r.empty() || i > 0 && touches(rs[i-1], r) {
			t.Fatalf("%s: intervals out of order: %v", text, rs)
		}
	}
}

func TestAnIndexFindsWhatMatchesInTheTable(t *testing.T) {
	tab := load(t)
	for _, text := range tab.filters {
		f := compile(t, text)
		for _, doc := range tab.docs {
			checkFields(t, text, f, doctest.Document(t, doc))
		}
	}
}

func TestAnIndexFindsWhatMatchesUnderOddNames(t *testing.T) {
	values := []string{`null`, `{"$minKey": 1}`, `[]`, `[null]`, `{}`, `{"": null}`, `[{}]`, `[{"": 1}]`, `[[]]`, `{"0": null}`, `1`}
	stored := append(values, `{"$undefined": true}`) // which no filter may name
	var docs []bsoncore.Document
	for _, name := range []string{"", "a", "0"} {
		for _, v := range stored {
			docs = append(docs, doctest.Document(t, fmt.Sprintf(`{%q: %s}`, name, v)))
		}
	}
	conditions := []string{`%s`, `{"$in": [%s]}`, `{"$lte": %s}`, `{"$gte": %s}`, `{"$ne": %s}`, `{"$not": {"$gt": %s}}`, `{"$elemMatch": {"": %s}}`}
	for _, path := range []string{"", "a", "0", "a.", ".", ".a", "a.0", "0.0", "..", "a..b"} {
		for _, c := range conditions {
			for _, v := range values {
				text := fmt.Sprintf(`{%q: %s}`, path, fmt.Sprintf(c, v))
				f := compile(t, text)
				for _, doc := range docs {
					checkFields(t, text, f, doc)
				}
			}
		}
	}
}

func TestAnIndexFindsWhatMatchesAtRandom(t *testing.T) {
	d := newDice(1)
	matched, fields, exact := 0, 0, 0
	var docs []bsoncore.Document
	for range 300 {
		docs = append(docs, doctest.Document(t, d.document(3)))
	}
	for range 2_000 {
		text := d.filter(2)
		f := compile(t, text)
		fields += len(f.Fields())
		if f.Exact() {
			exact++
		}
		for _, doc := range docs {
			if f.Matches(doc) {
				matched++
			}
			checkFields(t, text, f, doc)
		}
	}
	if matched < 50_000 || fields < 1000 || exact < 300 {
		t.Errorf("only %d matches, %d fields, %d exact filters: the dice are dull", matched, fields, exact)
	}
}

func TestPlannersGetRanges(t *testing.T) {
	for filter, want := range map[string]string{
		`{"a": 5}`:                                         `a [5,5] exact`,
		`{"a": {"$gt": 5}}`:                                `a (5,Infinity] exact`,
		`{"a": {"$lte": 5}}`:                               `a [-Infinity,5] exact`,
		`{"a": {"$gte": 1, "$lt": 5}}`:                     `a [1,Infinity] exact; a [-Infinity,5) exact`,
		`{"a": {"$gte": "b"}}`:                             `a ["b",{}) exact`,
		`{"a": {"$lt": "b"}}`:                              `a ["","b") exact`,
		`{"a": {"$in": [3, 1, "x", 1]}}`:                   `a [1,1] [3,3] ["x","x"] exact`,
		`{"a": {"$ne": 5}}`:                                `a [min,5) (5,max] exact`,
		`{"a": {"$nin": [1, 2]}}`:                          `a [min,1) (1,2) (2,max] exact`,
		`{"a": {"$ne": null}}`:                             ``,
		`{"a": null}`:                                      `a [null,null] exact`,
		`{"a": {"$exists": false}}`:                        `a [null,null]`,
		`{"a": {"$exists": true}}`:                         `a [min,max]`,
		`{"a": {"$regex": "^ab"}}`:                         `a ["ab","ac") [/^ab/,/^ab/] exact`,
		`{"a": {"$regex": "^ab.*"}}`:                       `a ["ab","ac") [/^ab.*/,/^ab.*/] exact`,
		`{"a": {"$regex": "^ab+"}}`:                        `a ["a","b") [/^ab+/,/^ab+/]`,
		`{"a": {"$regex": "ab"}}`:                          `a ["",{}) [/ab/,/ab/]`,
		`{"a": {"$type": "string"}}`:                       `a ["",{})`,
		`{"a": {"$type": "number"}}`:                       `a [NaN,Infinity] exact`,
		`{"a": {"$type": "bool"}}`:                         `a [false,true] exact`,
		`{"a": {"$elemMatch": {"$gte": 1, "$lt": 5}}}`:     `a [1,5)`,
		`{"a": {"$elemMatch": {"b": 1, "c": {"$gt": 2}}}}`: `a.b [1,1]; a.c (2,Infinity]`,
		`{"a": {"$all": [1, 2]}}`:                          `a [1,1] exact; a [2,2] exact`,
		`{"a": {"$size": 1}}`:                              ``,
		`{"a": {"$in": []}}`:                               `a exact`,
		`{"a": [1, 2]}`:                                    `a [1,1] [[1,2],[1,2]]`,
		`{"$or": [{"a": 1}, {"a": {"$gt": 5}}]}`:           `a [1,1] (5,Infinity] exact`,
		`{"$or": [{"a": 1}, {"a": 2, "b": 1}]}`:            `a [1,1] [2,2]`,
		`{"$or": [{"a": 1}, {"b": 1}]}`:                    ``,
		`{"$nor": [{"a": 1}, {"b": 2}]}`:                   `a [min,1) (1,max] exact; b [min,2) (2,max] exact`,
		`{"$and": [{"a": 1}, {"$and": [{"b": 2}]}]}`:       `a [1,1] exact; b [2,2] exact`,
		`{"a.0": 5}`:                                       `a.0 [5,5]`,
		`{"a": {"$mod": [2, 0]}}`:                          `a [NaN,Infinity]`,
		`{"a": {"$not": {"$gt": 5}}}`:                      `a [min,5] (Infinity,max] exact`,
		`{}`:                                               ``,
	} {
		var parts []string
		for _, f := range compile(t, filter).Fields() {
			parts = append(parts, showField(f))
		}
		if got := strings.Join(parts, "; "); got != want {
			t.Errorf("%s\n got %s\nwant %s", filter, got, want)
		}
	}
}

func showField(f Field) string {
	s := f.Path
	for _, i := range f.Intervals {
		ends := [2]string{"[", "]"}
		if i.LowOpen {
			ends[0] = "("
		}
		if i.HighOpen {
			ends[1] = ")"
		}
		s += " " + ends[0] + showValue(i.Low) + "," + showValue(i.High) + ends[1]
	}
	if f.Exact {
		s += " exact"
	}
	return s
}

func showValue(v bsoncore.Value) string {
	switch v.Type {
	case value.MinKey:
		return "min"
	case value.MaxKey:
		return "max"
	case value.Regex:
		pattern, _ := v.Regex()
		return "/" + pattern + "/"
	case value.Double:
		return strings.NewReplacer("+Inf", "Infinity", "-Inf", "-Infinity").Replace(fmt.Sprint(v.Double()))
	case value.Int32:
		return fmt.Sprint(v.Int32())
	}
	return strings.NewReplacer(" ", "", `{"$numberInt":"1"}`, "1", `{"$numberInt":"2"}`, "2").Replace(v.String())
}

func TestIntersectionsAreWhatBothHave(t *testing.T) {
	d := newDice(2)
	points := []bsoncore.Value{}
	for n := range int32(12) {
		points = append(points, value.OfInt32(n))
	}
	random := func() []Interval {
		var rs []Interval
		for range d.IntN(4) {
			rs = append(rs, Interval{points[d.IntN(12)], points[d.IntN(12)], d.IntN(2) == 0, d.IntN(2) == 0})
		}
		return rs
	}
	has := func(rs []Interval, v bsoncore.Value) bool {
		for _, r := range rs {
			if r.Contains(v) {
				return true
			}
		}
		return false
	}
	for range 5_000 {
		x, y := random(), random()
		before := make(map[int]bool)
		for i := range 23 {
			before[i] = has(x, value.OfDouble(float64(i)/2))
		}
		a, b := Union(x), Union(y)
		both, rest := Intersect(a, b), complement(a)
		checkOrder(t, "intersection", both)
		checkOrder(t, "complement", rest)
		for i := range 23 {
			v := value.OfDouble(float64(i) / 2)
			if has(a, v) != before[i] || has(both, v) != (has(a, v) && has(b, v)) || has(rest, v) == has(a, v) {
				t.Fatalf("%v: %v and %v give %v, the complement is %v", v, a, b, both, rest)
			}
		}
	}
}
