package expr

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/docd/doc/internal/value/valuetest"
)

// run compiles and evaluates, and returns the value or the error's code as the tables write them.
func run(t testing.TB, s *Scratch, expr bsoncore.Value, doc bsoncore.Document) (string, bsoncore.Value) {
	t.Helper()
	e, err := Compile(expr)
	var v bsoncore.Value
	if err == nil {
		v, err = e.Eval(s, doc)
	}
	if err != nil {
		return valuetest.Code(t, err), v
	}
	if v.Type == 0 {
		return "missing", v
	}
	return "", v
}

func TestExpressionsGiveWhatMongoDBDocuments(t *testing.T) {
	for file, table := range doctest.Tables(t, "testdata/*.txt") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			doc := doctest.Document(t, "{}")
			var s Scratch
			for n, line := range table {
				if text, ok := strings.CutPrefix(line, "doc "); ok {
					doc = doctest.Value(t, text).Data
					continue
				}
				if line == "" || line[0] == '#' {
					continue
				}
				source, want, ok := strings.Cut(line, " => ")
				if !ok {
					t.Fatalf("line %d has no =>", n+1)
				}
				s.Reset()
				state, got := run(t, &s, doctest.Value(t, source), doc)
				switch {
				case state != "" && state != want:
					t.Errorf("line %d: %s: got %s, want %s", n+1, source, state, want)
				case state == "" && (strings.HasPrefix(want, "error ") || want == "missing"):
					t.Errorf("line %d: %s: got %s, want %s", n+1, source, got, want)
				case state == "":
					if w := doctest.Value(t, want); w.Type != got.Type || !bytes.Equal(w.Data, got.Data) {
						t.Errorf("line %d: %s: got %s %s, want %s", n+1, source, value.TypeName(got.Type), got, want)
					}
				}
			}
		})
	}
}

func TestVariablesOfTheCallerAreSeen(t *testing.T) {
	e, err := Compile(doctest.Value(t, `{"$map": {"input": "$$list", "as": "x", "in": {"$add": ["$$x", "$$by.n", "$k"]}}}`), "list", "by")
	if err != nil {
		t.Fatal(err)
	}
	var s Scratch
	got, err := e.Eval(&s, doctest.Value(t, `{"k": 100}`).Data, doctest.Value(t, `[1, 2]`), doctest.Value(t, `{"n": 10}`))
	if err != nil || value.Compare(got, doctest.Value(t, `[111, 112]`)) != 0 {
		t.Fatal(got, err)
	}
	if v, err := e.Eval(&s, doctest.Value(t, `{"k": 100}`).Data); err != nil || v.Type != value.Null {
		t.Fatal("variables that are not given are missing", v, err)
	}
}

func TestWhatHasNoEndIsStopped(t *testing.T) {
	long := `[` + strings.Repeat(`1,`, 5000) + `1]`
	nested := `1`
	for range 120 {
		nested = `{"$add": [` + nested + `]}`
	}
	for _, c := range []struct {
		name, expr string
		code       int32
	}{
		{"nesting", nested, value.Overflow},
		{"a string that doubles", `{"$reduce": {"input": "$long", "initialValue": "xx", "in": {"$concat": ["$$value", "$$value"]}}}`, value.BSONObjectTooLarge},
		{"an array that doubles", `{"$reduce": {"input": "$long", "initialValue": [1], "in": {"$concatArrays": ["$$value", "$$value"]}}}`, value.BSONObjectTooLarge},
		{"an array around an array", `{"$reduce": {"input": "$long", "initialValue": [], "in": ["$$value"]}}`, value.Overflow},
		{"loops in loops", `{"$map": {"input": "$long", "in": {"$filter": {"input": "$long", "cond": {"$isArray": "$long"}}}}}`, value.BadValue},
		{"many values at once", `{"$map": {"input": "$long", "in": "$long"}}`, value.BSONObjectTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Scratch
			state, _ := run(t, &s, doctest.Value(t, c.expr), doctest.Value(t, `{"long": `+long+`}`).Data)
			if state != fmt.Sprintf("error %d", c.code) {
				t.Errorf("got %q, want code %d", state, c.code)
			}
		})
	}
}

func FuzzExpressionsNeverPanic(f *testing.F) {
	for _, table := range doctest.Tables(f, "testdata/*.txt") {
		doc := []byte{5, 0, 0, 0, 0}
		for _, line := range table {
			if text, ok := strings.CutPrefix(line, "doc "); ok {
				doc = doctest.Value(f, text).Data
			} else if source, _, ok := strings.Cut(line, " => "); ok && line[0] != '#' {
				v := doctest.Value(f, source)
				f.Add(byte(v.Type), v.Data, doc)
			}
		}
	}
	f.Fuzz(func(t *testing.T, kind byte, expr, doc []byte) {
		e, err := Compile(bsoncore.Value{Type: bsoncore.Type(kind), Data: expr})
		if err != nil {
			return
		}
		var s Scratch
		first, err := e.Eval(&s, doc)
		again, errAgain := e.Eval(&s, doc)
		if (err == nil) != (errAgain == nil) || first.Type != again.Type || !bytes.Equal(first.Data, again.Data) {
			t.Fatalf("two evaluations differ: %v, %v and %v, %v", first, err, again, errAgain)
		}
	})
}

func BenchmarkEval(b *testing.B) {
	doc := doctest.Value(b, `{"a": 5, "b": 7, "s": "Hello", "c": {"d": [1, 2, 3]}, "pad": "`+strings.Repeat("x", 900)+`"}`).Data
	for _, c := range []struct{ name, expr string }{
		{"path", `"$c.d"`},
		{"add", `{"$add": ["$a", "$b", 1]}`},
		{"cond", `{"$cond": [{"$gt": ["$a", 3]}, "$s", null]}`},
		{"map", `{"$map": {"input": "$c.d", "in": {"$multiply": ["$$this", 2]}}}`},
	} {
		b.Run("expr="+c.name, func(b *testing.B) {
			e, err := Compile(doctest.Value(b, c.expr))
			if err != nil {
				b.Fatal(err)
			}
			var s Scratch
			b.ReportAllocs()
			for b.Loop() {
				s.Reset()
				if _, err := e.Eval(&s, doc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
