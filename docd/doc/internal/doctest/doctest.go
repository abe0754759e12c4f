// Package doctest reads what tests are given as text: documents and values in extended JSON, and tables of testdata. It imports no package whose tests need it.
package doctest

import (
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// Document makes a document of relaxed extended JSON.
func Document(t testing.TB, text string) bsoncore.Document {
	t.Helper()
	var raw bson.Raw
	if err := bson.UnmarshalExtJSON([]byte(text), false, &raw); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return bsoncore.Document(raw)
}

// Value makes a value of relaxed extended JSON.
func Value(t testing.TB, text string) bsoncore.Value {
	t.Helper()
	return Document(t, `{"v": `+text+`}`).Lookup("v")
}

// List makes the documents of an array in relaxed extended JSON.
func List(t testing.TB, text string) (docs []bsoncore.Document) {
	t.Helper()
	values, err := bsoncore.Document(Value(t, text).Data).Values()
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for _, v := range values {
		docs = append(docs, v.Data)
	}
	return docs
}

// Tables yields the files that match a pattern, with their lines. There has to be one.
func Tables(t testing.TB, pattern string) iter.Seq2[string, []string] {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no tables %s: %v", pattern, err)
	}
	return func(yield func(string, []string) bool) {
		for _, file := range files {
			table, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !yield(file, strings.Split(string(table), "\n")) {
				return
			}
		}
	}
}
