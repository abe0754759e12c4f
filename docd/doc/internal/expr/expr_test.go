package expr

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// parse reads a value in extended JSON.
func parse(t testing.TB, s string) bsoncore.Value {
	t.Helper()
	var d bson.D
	if err := bson.UnmarshalExtJSON([]byte(`{"v": `+s+`}`), false, &d); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	b, err := bson.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return bsoncore.Document(b).Lookup("v")
}

// run compiles and evaluates, and returns the value or the error's code as the tables write them.
func run(t testing.TB, s *Scratch, expr bsoncore.Value, doc bsoncore.Document) (string, bsoncore.Value) {
	t.Helper()
	e, err := Compile(expr)
	var v bsoncore.Value
	if err == nil {
		v, err = e.Eval(s, doc)
	}
	if err != nil {
		var known *value.Error
		if !errors.As(err, &known) {
			t.Fatalf("an error without a code: %v", err)
		}
		return fmt.Sprintf("error %d", known.Code), v
	}
	if v.Type == 0 {
		return "missing", v
	}
	return "", v
}

func TestExpressionsGiveWhatMongoDBDocuments(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no tables")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			table, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			doc := bsoncore.Document(parse(t, "{}").Data)
			var s Scratch
			for n, line := range strings.Split(string(table), "\n") {
				if text, ok := strings.CutPrefix(line, "doc "); ok {
					doc = parse(t, text).Data
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
				state, got := run(t, &s, parse(t, source), doc)
				switch {
				case state != "" && state != want:
					t.Errorf("line %d: %s: got %s, want %s", n+1, source, state, want)
				case state == "" && (strings.HasPrefix(want, "error ") || want == "missing"):
					t.Errorf("line %d: %s: got %s, want %s", n+1, source, got, want)
				case state == "":
					if w := parse(t, want); w.Type != got.Type || !bytes.Equal(w.Data, got.Data) {
						t.Errorf("line %d: %s: got %s %s, want %s", n+1, source, value.TypeName(got.Type), got, want)
					}
				}
			}
		})
	}
}

func TestVariablesOfTheCallerAreSeen(t *testing.T) {
	e, err := Compile(parse(t, `{"$map": {"input": "$$list", "as": "x", "in": {"$add": ["$$x", "$$by.n", "$k"]}}}`), "list", "by")
	if err != nil {
		t.Fatal(err)
	}
	var s Scratch
	got, err := e.Eval(&s, parse(t, `{"k": 100}`).Data, parse(t, `[1, 2]`), parse(t, `{"n": 10}`))
	if err != nil || value.Compare(got, parse(t, `[111, 112]`)) != 0 {
		t.Fatal(got, err)
	}
	if v, err := e.Eval(&s, parse(t, `{"k": 100}`).Data); err != nil || v.Type != value.Null {
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
			state, _ := run(t, &s, parse(t, c.expr), parse(t, `{"long": `+long+`}`).Data)
			if state != fmt.Sprintf("error %d", c.code) {
				t.Errorf("got %q, want code %d", state, c.code)
			}
		})
	}
}

func FuzzExpressionsNeverPanic(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		table, _ := os.ReadFile(file)
		doc := []byte{5, 0, 0, 0, 0}
		for line := range strings.SplitSeq(string(table), "\n") {
			if text, ok := strings.CutPrefix(line, "doc "); ok {
				doc = parse(f, text).Data
			} else if source, _, ok := strings.Cut(line, " => "); ok && line[0] != '#' {
				v := parse(f, source)
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
	doc := parse(b, `{"a": 5, "b": 7, "s": "Hello", "c": {"d": [1, 2, 3]}, "pad": "`+strings.Repeat("x", 900)+`"}`).Data
	for _, c := range []struct{ name, expr string }{
		{"path", `"$c.d"`},
		{"add", `{"$add": ["$a", "$b", 1]}`},
		{"cond", `{"$cond": [{"$gt": ["$a", 3]}, "$s", null]}`},
		{"map", `{"$map": {"input": "$c.d", "in": {"$multiply": ["$$this", 2]}}}`},
	} {
		b.Run("expr="+c.name, func(b *testing.B) {
			e, err := Compile(parse(b, c.expr))
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
