package update

import (
	"bytes"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// FuzzUpdates applies any bytes to any bytes: nothing panics, a sound document stays sound, twice gives the same, and
// changed says whether the bytes differ.
func FuzzUpdates(f *testing.F) {
	eachLine(f, "testdata/[^u]*.txt", func(_, doc, left, _ string) {
		c, filters := options(f, left)
		source, _, _ := strings.Cut(left, " | ")
		var picked []byte
		if len(filters) > 0 {
			picked = filters[0]
		}
		f.Add([]byte(doctest.Document(f, source)), picked, []byte(doctest.Document(f, doc)), c.Position, c.Insert)
	})
	f.Fuzz(func(t *testing.T, update, arrayFilter, doc []byte, position int, insert bool) {
		var filters []bsoncore.Document
		if len(arrayFilter) > 0 {
			filters = append(filters, arrayFilter)
		}
		u, err := Compile(update, filters)
		if err != nil {
			return
		}
		c := Context{Now: testNow, Insert: insert, Position: position}
		sound := value.Check(doc) == nil
		out, changed, err := u.Apply(nil, doc, c)
		again, changedAgain, errAgain := u.Apply(nil, doc, c)
		if (err == nil) != (errAgain == nil) || changed != changedAgain || !bytes.Equal(out, again) {
			t.Fatalf("two applications differ: %x, %v, %v and %x, %v, %v", out, changed, err, again, changedAgain, errAgain)
		}
		if err != nil || !sound {
			return
		}
		if changed == bytes.Equal(out, doc) {
			t.Fatalf("changed is %v: %x from %x", changed, out, doc)
		}
		if err := value.Check(out); err != nil {
			t.Fatalf("%x from %x: %v", out, doc, err)
		}
		if q, err := filter.Compile(doc); err == nil {
			if made, err := Upsert(q, u, c); err == nil && value.Check(made) != nil {
				t.Fatalf("the upsert %x is not sound", made)
			}
		}
	})
}

func BenchmarkApply(b *testing.B) {
	doc := doctest.Document(b, `{"_id": 1, "f0": 0, "f1": "`+strings.Repeat("x", 200)+`", "f2": "`+strings.Repeat("x", 200)+`", "f3": 3.5, "f4": {"a": 1, "b": "`+
		strings.Repeat("x", 200)+`"}, "f5": [1, 2, 3], "f6": "`+strings.Repeat("x", 300)+`", "f7": true, "f8": 8}`)
	for _, c := range []struct{ name, update string }{
		{"set", `{"$set": {"f8": 9}}`},
		{"inc", `{"$inc": {"f0": 1}}`},
		{"nested", `{"$set": {"f4.a": 2}}`},
		{"push", `{"$push": {"f5": 4}}`},
		{"slice", `{"$push": {"f5": {"$each": [4], "$slice": -3}}}`},
		{"new", `{"$set": {"n": 1}}`},
		{"noop", `{"$set": {"f8": 8}}`},
	} {
		b.Run("op="+c.name, func(b *testing.B) {
			u, err := Compile(doctest.Document(b, c.update), nil)
			if err != nil {
				b.Fatal(err)
			}
			dst := make([]byte, 0, 4096)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := u.Apply(dst, doc, Context{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
