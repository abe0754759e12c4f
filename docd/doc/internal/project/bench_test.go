package project

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
)

func BenchmarkApply(b *testing.B) {
	doc := doctest.Document(b, `{"_id": 1, "name": "a name", "age": 30, "tags": ["x", "y", "z"], "at": {"city": "Dhaka", "zip": 1207}, "text": "some more text"}`)
	for name, text := range map[string]string{
		"include": `{"name": 1, "age": 1}`, "nested": `{"at.city": 1}`, "exclude": `{"text": 0}`, "slice": `{"tags": {"$slice": 1}}`,
	} {
		p, err := Compile(doctest.Document(b, text))
		if err != nil {
			b.Fatal(err)
		}
		b.Run("projection="+name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				dst = p.Apply(dst[:0], doc)
			}
		})
	}
}

func BenchmarkSortKey(b *testing.B) {
	plain := doctest.Document(b, `{"_id": 1, "name": "a name", "age": 30, "tags": ["x", "y", "z"]}`)
	for name, text := range map[string]string{"one": `{"age": 1}`, "two": `{"name": -1, "age": 1}`, "array": `{"tags": 1}`} {
		s, err := CompileSort(doctest.Document(b, text))
		if err != nil {
			b.Fatal(err)
		}
		b.Run("sort="+name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				dst = s.AppendKey(dst[:0], bsoncore.Document(plain))
			}
		})
	}
}
