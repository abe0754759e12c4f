package filter

import (
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
)

// BenchmarkMatches matches filters against a document of about 1 KiB with 10 fields. It must take below 1 µs and not
// allocate.
func BenchmarkMatches(b *testing.B) {
	d := bson.D{{Key: "_id", Value: bson.ObjectID{1, 2, 3}}}
	for i := range 7 {
		d = append(d, bson.E{Key: fmt.Sprintf("field%d", i), Value: strings.Repeat("x", 120)})
	}
	d = append(d, bson.E{Key: "age", Value: int32(30)}, bson.E{Key: "tags", Value: bson.A{"red", "green", bson.D{{Key: "k", Value: 1}}}})
	d = append(d, bson.E{Key: "at", Value: bson.D{{Key: "city", Value: "Dhaka"}, {Key: "zip", Value: 1207}}})
	doc := marshal(b, d)
	for name, text := range map[string]string{
		"int":       `{"age": 30}`,
		"range":     `{"age": {"$gte": 18, "$lt": 65}}`,
		"nested":    `{"at.city": "Dhaka"}`,
		"array":     `{"tags": "green"}`,
		"inarray":   `{"tags.k": 1}`,
		"in":        `{"age": {"$in": [10, 20, 30, 40, 50]}}`,
		"regex":     `{"at.city": {"$regularExpression": {"pattern": "^Dh", "options": ""}}}`,
		"elemMatch": `{"tags": {"$elemMatch": {"k": {"$gt": 0}}}}`,
		"and5":      `{"age": {"$gt": 1}, "at.zip": 1207, "tags": "red", "field6": {"$exists": true}, "field0": {"$ne": "y"}}`,
		"or":        `{"$or": [{"age": 1}, {"at.city": "Dhaka"}]}`,
		"decimal":   `{"age": {"$lt": {"$numberDecimal": "30.5"}}}`,
	} {
		f := compile(b, text)
		b.Run("filter="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !f.Matches(doc) {
					b.Fatal("no match")
				}
			}
		})
	}
}

func TestMatchingAllocatesNothing(t *testing.T) {
	doc := doctest.Document(t, `{"a": 5, "b": {"c": [1, {"d": "x"}]}, "e": ["x", "y"]}`)
	for _, text := range []string{
		`{"a": 5}`, `{"a": {"$gt": 1, "$in": [4, 5]}}`, `{"b.c.d": "x"}`, `{"e": "y"}`, `{"b.c": {"$elemMatch": {"d": "x"}}}`,
		`{"$or": [{"a": 1}, {"e": {"$all": ["x", "y"]}}]}`, `{"b.c": {"$size": 2}}`, `{"a": {"$not": {"$type": "string"}}}`,
	} {
		f := compile(t, text)
		if n := testing.AllocsPerRun(100, func() {
			if !f.Matches(doc) {
				t.Errorf("%s does not match", text)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}
