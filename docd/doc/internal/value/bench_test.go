package value

import (
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
)

// kilobyte is a document of about 1 KiB with 10 fields.
func kilobyte(b *testing.B) bsoncore.Document {
	var parts []string
	for i := range 7 {
		parts = append(parts, fmt.Sprintf(`"field%d": "%s"`, i, strings.Repeat("x", 120)))
	}
	return doctest.Document(b, `{"_id": {"$oid": "507f1f77bcf86cd799439011"}, `+strings.Join(parts, ",")+`, "age": 30, "tags": ["red", "green", "blue"]}`)
}

func BenchmarkCheck(b *testing.B) {
	doc := kilobyte(b)
	for b.Loop() {
		if err := Check(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKeys(b *testing.B) {
	doc := kilobyte(b)
	for _, spec := range []string{"age", "-field6,age", "tags", "tags,age"} {
		b.Run("index="+spec, func(b *testing.B) {
			b.ReportAllocs()
			var k Keyer
			fields, n := keyFields(spec), 0
			for b.Loop() {
				if _, err := k.Keys(doc, fields, func([]byte) { n++ }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	for _, pair := range []string{`[1, 2]`, `[1.5, 2]`, `["some text", "some more"]`, `[{"a": 1, "b": 2}, {"a": 1, "b": 3}]`, `[{"$numberDecimal": "19.99"}, 20]`} {
		vs := values(b, pair)
		b.Run("pair="+strings.ReplaceAll(pair, " ", ""), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Compare(vs[0], vs[1])
			}
		})
	}
}

// BenchmarkLeast makes a sort key of a document with an array and, beside it, a long field: its time must grow with their sum, not
// their product.
func BenchmarkLeast(b *testing.B) {
	for _, n := range []int{10, 1000} {
		doc := doctest.Document(b, `{"a": [`+strings.Repeat("1, ", n)+`2], "s": "`+strings.Repeat("y", 100*n)+`"}`)
		b.Run(fmt.Sprintf("elements=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			var k Keyer
			var key []byte
			for b.Loop() {
				key, _ = k.Least(key[:0], doc, keyFields("a,s"))
			}
		})
	}
}
