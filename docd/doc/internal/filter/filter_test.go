package filter

import (
	"errors"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

func TestThePositionIsThatOfTheElementThatMatched(t *testing.T) {
	for _, c := range []struct {
		filter, doc string
		want        int
	}{
		{`{"a": 5}`, `{"a": [1, 5, 5]}`, 1},
		{`{"a": {"$gt": 2}}`, `{"a": [1, 2, 3]}`, 2},
		{`{"a.b": 2}`, `{"a": [{"b": 1}, {"b": 2}]}`, 1},
		{`{"a.b": 2}`, `{"a": [{"b": [1]}, {"b": [0, 1, 2]}]}`, 1},
		{`{"a.b": 2}`, `{"a": {"b": [1, 2]}}`, 1},
		{`{"a": {"$elemMatch": {"$gt": 2, "$lt": 5}}}`, `{"a": [1, 9, 4]}`, 2},
		{`{"a": {"$elemMatch": {"b": 1}}}`, `{"a": [{}, {"b": 1}]}`, 1},
		{`{"a.b": {"$elemMatch": {"c": 1}}}`, `{"a": [{"b": []}, {"b": [{}, {"c": 1}]}]}`, 1},
		{`{"a": 1, "b": 2}`, `{"a": [0, 1], "b": [2]}`, 0},
		{`{"a": 1, "b": 2}`, `{"a": [0, 1], "b": 2}`, 1},
		{`{"$or": [{"a": 9}, {"b": 2}]}`, `{"a": [9, 0], "b": [0, 2]}`, 0},
		{`{"$or": [{"a": 9, "b": 0}, {"b": 2}]}`, `{"a": [0, 9], "b": 2}`, -1},
		{`{"a": {"$ne": 3}}`, `{"a": [1, 2]}`, -1},
		{`{"a": 1}`, `{"a": 1}`, -1},
		{`{"a": 1}`, `{"a": [2]}`, -1},
		{`{"a": [1, 2]}`, `{"a": [1, 2]}`, -1},
		{`{"a.1": 5}`, `{"a": [4, 5]}`, -1},
		{`{"a.1": 5}`, `{"a": [4, {"1": 5}]}`, 1},
		{`{"a.1.b": 5}`, `{"a": [4, {"b": 5}]}`, -1},
		{`{"a.1.b": 5}`, `{"a": [4, {"b": [3, 4, 5]}]}`, 2},
		{`{"a.1.b": 5}`, `{"a": [4, [{"b": 5}]]}`, 0},
		{`{"a": 4, "a.1": 5}`, `{"a": [4, 5]}`, 0},
		{`{"a.1": {"$elemMatch": {"$gt": 2}}}`, `{"a": [4, [1, 2, 3]]}`, 2},
	} {
		if got := compile(t, c.filter).Position(doctest.Document(t, c.doc)); got != c.want {
			t.Errorf("%s on %s: %d, want %d", c.filter, c.doc, got, c.want)
		}
	}
}

func TestUpsertsBeginWithEqualities(t *testing.T) {
	for filter, want := range map[string]string{
		`{"a": 1, "b.c": {"$eq": 2}}`:                                                  `a b.c`,
		`{"$and": [{"a": 1}, {"b": {"$gt": 1}}], "_id": 5}`:                            `a _id`,
		`{"$or": [{"a": 1}]}`:                                                          `a`,
		`{"$or": [{"a": 1}, {"b": 1}], "c": {"$all": [3]}}`:                            `c`,
		`{"a": {"$in": [1]}, "b": {"$ne": 2}}`:                                         `a`,
		`{"a": {"$in": [7, 7.0]}, "_id": {"$in": [3]}}`:                                `a _id`,
		`{"a": {"$in": [null]}, "b": {"$in": [[1]]}}`:                                  `a b`,
		`{"a": {"$in": [1, 2]}, "b": {"$nin": [1]}, "c": {"$in": []}}`:                 ``,
		`{"a": {"$in": [{"$regularExpression": {"pattern": "x", "options": ""}}]}}`:    ``,
		`{"a": {"$in": [1, {"$regularExpression": {"pattern": "x", "options": ""}}]}}`: ``,
		`{"a": {"$regularExpression": {"pattern": "x", "options": ""}}}`:               ``,
		`{"$nor": [{"a": 1}]}`:                                                         ``,
		`{"a": 1, "$and": [{"a": 2}]}`:                                                 `error 54`,
		`{"a": {"$all": [1, 2]}}`:                                                      `error 54`,
		`{"a": 1, "a.b": 2}`:                                                           `error 54`,
		`{"a.b": 1, "a": 2}`:                                                           `error 54`,
		`{"a.b": 1, "a.c": 2, "ab": 3}`:                                                `a.b a.c ab`,
	} {
		var got []string
		err := compile(t, filter).Equalities(func(path string, _ bsoncore.Value) { got = append(got, path) })
		var e *value.Error
		if errors.As(err, &e) && e.Code == value.NotSingleValueField {
			got = []string{"error 54"}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, %v, want %s", filter, got, err, want)
		}
	}
}

func TestAFilterOnTheIDIsRecognized(t *testing.T) {
	for filter, want := range map[string]bool{
		`{"_id": 7}`: true, `{"_id": {"$in": [7]}}`: true, `{"_id": {"$in": [7, 8]}}`: false, `{"_id": {"$in": [[7]]}}`: false, `{"_id": {"$eq": 7}, "a": 1}`: true, `{"$and": [{"_id": 7}]}`: true,
		`{"_id": {"$gt": 7}}`: false, `{"_id.a": 7}`: false, `{"$or": [{"_id": 7}, {"a": 1}]}`: false, `{"_id": [7]}`: false,
		`{"_id": {"$regularExpression": {"pattern": "7", "options": ""}}}`: false, `{}`: false,
	} {
		v, ok := compile(t, filter).ID()
		if n, _ := value.Int(v); ok != want || ok && n != 7 {
			t.Errorf("%s: %v, %v", filter, v, ok)
		}
	}
}

func TestConditionsAreOnValues(t *testing.T) {
	for _, c := range []struct {
		cond, value string
		want        bool
	}{
		{`5`, `5`, true},
		{`5`, `[5]`, false},
		{`[5]`, `[5]`, true},
		{`{"$gte": 5}`, `6`, true},
		{`{"$gte": 5}`, `[1, 6]`, true},
		{`{"$gte": 5}`, `"6"`, false},
		{`{"$not": {"$gte": 5}}`, `[1, 6]`, false},
		{`{"$in": ["x", "y"]}`, `"y"`, true},
		{`{"b": 1}`, `{"b": 1, "c": 2}`, true},
		{`{"b": 1}`, `{"b": 2}`, false},
		{`{"b": 1}`, `1`, false},
		{`{"$elemMatch": {"$gt": 1}}`, `[2]`, true},
		{`{"$regularExpression": {"pattern": "^x", "options": ""}}`, `"xy"`, true},
		{`null`, `null`, true},
	} {
		v, _ := value.Get(doctest.Document(t, `{"v": `+c.cond+`}`), "v")
		cond, err := CompileCondition(v)
		if err != nil {
			t.Fatal(c.cond, err)
		}
		w, _ := value.Get(doctest.Document(t, `{"v": `+c.value+`}`), "v")
		if cond.Matches(w) != c.want {
			t.Errorf("%s on %s: %v", c.cond, c.value, !c.want)
		}
	}
}

func marshal(t testing.TB, v any) bsoncore.Document {
	t.Helper()
	raw, err := bson.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestRegexOptionsMayComeFirst(t *testing.T) {
	doc := marshal(t, bson.D{{Key: "a", Value: "ABC"}})
	for _, c := range []struct {
		operators bson.D
		code      int32
	}{
		{bson.D{{Key: "$regex", Value: "^ab"}, {Key: "$options", Value: "i"}}, 0},
		{bson.D{{Key: "$options", Value: "i"}, {Key: "$regex", Value: "^ab"}}, 0},
		{bson.D{{Key: "$regex", Value: bson.Regex{Pattern: "^ab", Options: "i"}}}, 0},
		{bson.D{{Key: "$regex", Value: bson.Regex{Pattern: "^ab"}}, {Key: "$options", Value: "i"}}, 0},
		{bson.D{{Key: "$regex", Value: bson.Regex{Pattern: "a", Options: "i"}}, {Key: "$options", Value: "s"}}, value.RegexOptionsTwice},
		{bson.D{{Key: "$regex", Value: "a"}, {Key: "$options", Value: 1}}, value.BadValue},
		{bson.D{{Key: "$regex", Value: "a\x00b"}}, value.RegexNUL},
		{bson.D{{Key: "$regex", Value: strings.Repeat("a", maxPattern+1)}}, value.InvalidRegex},
	} {
		f, err := Compile(marshal(t, bson.D{{Key: "a", Value: c.operators}}))
		var e *value.Error
		switch {
		case c.code != 0:
			if !errors.As(err, &e) || e.Code != c.code {
				t.Errorf("%v: %v, want code %d", c.operators, err, c.code)
			}
		case err != nil:
			t.Errorf("%v: %v", c.operators, err)
		case !f.Matches(doc):
			t.Errorf("%v does not match", c.operators)
		}
	}
}

func TestARegexMatchesBytesThatAreNoText(t *testing.T) {
	f := compile(t, `{"a": {"$regularExpression": {"pattern": "^�", "options": ""}}}`)
	doc := marshal(t, bson.D{{Key: "a", Value: "\xff"}})
	if !f.Matches(doc) {
		t.Skip("package regexp no longer takes U+FFFD for bytes that are no text")
	}
	checkFields(t, "U+FFFD", f, doc)
}

// FuzzFilter gives Compile any bytes, and what it takes any document.
func FuzzFilter(f *testing.F) {
	tab := load(f)
	for i, c := range tab.cases {
		if i%3 == 0 {
			f.Add([]byte(doctest.Document(f, c.filter)), []byte(doctest.Document(f, c.doc)))
		}
	}
	f.Fuzz(func(t *testing.T, query, doc []byte) {
		flt, err := Compile(query)
		if err != nil {
			var e *value.Error
			if !errors.As(err, &e) || e.Code == 0 {
				t.Fatalf("%v has no code", err)
			}
			return
		}
		matches := flt.Matches(doc)
		if at := flt.Position(doc); at >= 0 && !matches {
			t.Fatalf("a position of %d without a match", at)
		}
		_ = flt.Equalities(func(string, bsoncore.Value) {})
		flt.ID()
		if value.Check(doc) == nil {
			checkFields(t, "fuzzed", flt, doc)
		}
	})
}
