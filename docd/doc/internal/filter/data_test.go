package filter

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

func compile(t testing.TB, text string) *Filter {
	t.Helper()
	f, err := Compile(doctest.Document(t, text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

// table is what the files in testdata say: filters with documents.
type table struct {
	filters []string
	docs    []string
	cases   []tableCase
	errors  []tableError
}

type tableCase struct {
	filter, doc string
	want        bool
	at          string
}

type tableError struct {
	filter string
	code   int32
}

func load(t testing.TB) *table {
	t.Helper()
	tab := &table{}
	for name, lines := range doctest.Tables(t, "testdata/*.txt") {
		for n, line := range lines {
			tab.line(t, name+":"+strconv.Itoa(n+1), strings.TrimSpace(line))
		}
	}
	return tab
}

func (tab *table) line(t testing.TB, at, line string) {
	t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "", "#":
	case "filter":
		tab.filters = append(tab.filters, rest)
	case "yes", "no":
		tab.docs = append(tab.docs, rest)
		tab.cases = append(tab.cases, tableCase{tab.filters[len(tab.filters)-1], rest, word == "yes", at})
	case "error":
		number, filter, _ := strings.Cut(rest, " ")
		code, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		tab.errors = append(tab.errors, tableError{filter, int32(code)})
	default:
		t.Fatalf("%s: %s", at, line)
	}
}

func TestFiltersMatchAsDocumented(t *testing.T) {
	for _, c := range load(t).cases {
		f := compile(t, c.filter)
		if got := f.Matches(doctest.Document(t, c.doc)); got != c.want {
			t.Errorf("%s: %s on %s: %v", c.at, c.filter, c.doc, got)
		}
	}
}

func TestBadFiltersAreRefused(t *testing.T) {
	for _, c := range load(t).errors {
		_, err := Compile(doctest.Document(t, c.filter))
		var e *value.Error
		if !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%s: %v, want code %d", c.filter, err, c.code)
		}
	}
}

func TestAnUnknownOperatorIsNamed(t *testing.T) {
	for filter, want := range map[string]string{
		`{"a": {"$foo": 1}}`:             "unknown operator: $foo",
		`{"a": {"$eq": 1, "b": 1}}`:      "unknown operator: b",
		`{"a": {"$expr": {}}}`:           "$expr",
		`{"$expr": {}}`:                  "$expr",
		`{"$foo": 1}`:                    "unknown top level operator: $foo",
		`{"a": {"$geoWithin": {"b":1}}}`: "unsupported operator: $geoWithin",
	} {
		if _, err := Compile(doctest.Document(t, filter)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", filter, err, want)
		}
	}
}

func TestMalformedFiltersAreRefused(t *testing.T) {
	deep := strings.Repeat(`{"$nor": [`, 60) + `{}` + strings.Repeat(`]}`, 60)
	for _, doc := range []bsoncore.Document{nil, {4, 0, 0, 0, 0}, {5, 0, 0, 0}, doctest.Document(t, deep), doctest.Document(t, `{"`+strings.Repeat("a.", value.MaxPath)+`": 1}`)} {
		if _, err := Compile(doc); err == nil {
			t.Errorf("%v is taken", doc)
		}
	}
}
