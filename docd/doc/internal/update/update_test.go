package update

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/docd/doc/internal/value/valuetest"
)

// testNow is 2020-01-02T03:04:05.006Z.
const testNow = 1577934245006

// options reads what stands behind an update in a table.
func options(t testing.TB, s string) (c Context, filters []bsoncore.Document) {
	t.Helper()
	c = Context{Now: testNow, Position: -1}
	for _, o := range strings.Split(s, " | ")[1:] {
		switch {
		case o[0] == '[':
			filters = doctest.List(t, o)
		case o == "insert":
			c.Insert = true
		default:
			n, err := strconv.Atoi(strings.TrimPrefix(o, "position="))
			if err != nil {
				t.Fatal(err)
			}
			c.Position = n
		}
	}
	return c, filters
}

// eachLine goes through the tables that match a pattern.
func eachLine(t testing.TB, pattern string, fn func(at, doc, left, right string)) {
	t.Helper()
	for file, table := range doctest.Tables(t, pattern) {
		doc := "{}"
		for n, line := range table {
			if text, ok := strings.CutPrefix(line, "doc "); ok {
				doc = text
			} else if left, right, ok := strings.Cut(line, " => "); ok && line[0] != '#' {
				fn(fmt.Sprintf("%s:%d", file, n+1), doc, left, right)
			}
		}
	}
}

func TestUpdatesGiveWhatMongoDBDocuments(t *testing.T) {
	eachLine(t, "testdata/[^u]*.txt", func(at, text, left, want string) {
		doc := doctest.Document(t, text)
		before := bytes.Clone(doc)
		c, filters := options(t, left)
		source, _, _ := strings.Cut(left, " | ")
		u, err := Compile(doctest.Document(t, source), filters)
		var out bsoncore.Document
		var changed bool
		if err == nil {
			out, changed, err = u.Apply([]byte("prefix"), doc, c)
		}
		switch {
		case err != nil:
			if got := valuetest.Code(t, err); got != want {
				t.Errorf("%s: %s: got %s (%v), want %s", at, left, got, err, want)
			}
			return
		case strings.HasPrefix(want, "error "):
			t.Errorf("%s: %s: got %s, want %s", at, left, out, want)
		case want == "noop":
			if changed || !bytes.Equal(out, doc) {
				t.Errorf("%s: %s: got %s, changed %v, want no change", at, left, out, changed)
			}
		case !changed || !bytes.Equal(out, doctest.Document(t, want)):
			t.Errorf("%s: %s: got %s, changed %v, want %s", at, left, out, changed, want)
		}
		if !bytes.Equal(before, doc) {
			t.Errorf("%s: %s wrote into the document", at, left)
		}
	})
}

func TestUpsertsBeginWithTheEqualitiesOfTheFilter(t *testing.T) {
	eachLine(t, "testdata/upsert.txt", func(at, _, left, want string) {
		query, source, _ := strings.Cut(left, " >> ")
		f, err := filter.Compile(doctest.Document(t, query))
		if err != nil {
			t.Fatal(err)
		}
		u, err := Compile(doctest.Document(t, source), nil)
		if err != nil {
			t.Fatal(err)
		}
		out, err := Upsert(f, u, Context{Now: testNow})
		switch {
		case err != nil:
			if got := valuetest.Code(t, err); got != want {
				t.Errorf("%s: %s: got %s (%v), want %s", at, left, got, err, want)
			}
		case strings.HasPrefix(want, "error ") || !bytes.Equal(out, doctest.Document(t, want)):
			t.Errorf("%s: %s: got %s, want %s", at, left, out, want)
		}
	})
}

func TestAnUpdateSaysWhatItNeeds(t *testing.T) {
	for source, want := range map[string][2]bool{
		`{"a": 1}`:                  {true, false},
		`{"$set": {"a.$.b": 1}}`:    {false, true},
		`{"$set": {"a.b": 1}}`:      {false, false},
		`{"$push": {"a.$[].b": 1}}`: {false, false},
	} {
		u, err := Compile(doctest.Document(t, source), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{u.Replacement(), u.Positional()}; got != want {
			t.Errorf("%s: got %v, want %v", source, got, want)
		}
	}
}

func TestManyFieldsAreSetAtOnce(t *testing.T) {
	fields, want := map[string]int{}, map[string]int{"f3": 0, "other": 1}
	for i := range 200 {
		fields[fmt.Sprintf("f%d", i)], want[fmt.Sprintf("f%d", i)] = i+1, i+1
	}
	update, err := bson.Marshal(map[string]any{"$inc": fields})
	if err != nil {
		t.Fatal(err)
	}
	u, err := Compile(update, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, changed, err := u.Apply(nil, doctest.Document(t, `{"f3": 0, "other": 1}`), Context{})
	if err != nil || !changed {
		t.Fatal(changed, err)
	}
	got := map[string]int{}
	if err := bson.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for name, n := range want {
		if got[name] != n {
			t.Errorf("%s is %d, want %d", name, got[name], n)
		}
	}
}

func TestWhatGrowsTooLargeIsStopped(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	elements := `[` + strings.Repeat(`1,`, 9999) + `1]`
	deep := strings.Repeat("a.", 120) + "a"
	for _, c := range []struct {
		name, update, doc string
		code              int32
	}{
		{"a value for each element", `{"$set": {"a.$[]": "` + long + `"}}`, `{"a": ` + elements + `}`, value.BSONObjectTooLarge},
		{"padding again and again", `{"$set": {"a.1500000": 1, "a.3000000": 1, "a.4500000": 1, "a.6000000": 1}}`, `{"a": []}`, value.BSONObjectTooLarge},
		{"a deep path", `{"$set": {"` + deep + `": 1}}`, `{}`, value.Overflow},
		{"a path that makes the document too deep", `{"$set": {"` + strings.Repeat("a.", 60) + `a": ` + strings.Repeat(`{"b": `, 60) + `1` + strings.Repeat(`}`, 60) + `}}`, `{}`, value.Overflow},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, err := Compile(doctest.Document(t, c.update), nil)
			if err == nil {
				_, _, err = u.Apply(nil, doctest.Document(t, c.doc), Context{})
			}
			if got := valuetest.Code(t, err); got != fmt.Sprintf("error %d", c.code) {
				t.Errorf("got %s (%.200v), want %d", got, err, c.code)
			}
		})
	}
}
