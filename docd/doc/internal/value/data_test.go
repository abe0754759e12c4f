package value

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
)

// values reads values from an array in extended JSON.
func values(t testing.TB, text string) []bsoncore.Value {
	t.Helper()
	array, ok := Get(doctest.Document(t, `{"v": `+text+`}`), "v")
	if !ok || array.Type != Array {
		t.Fatalf("%s is no array", text)
	}
	var out []bsoncore.Value
	for r := Read(array.Data); r.Next(); {
		out = append(out, r.Value)
	}
	return out
}

// lines returns what is in a file of testdata but for comments, by line number.
func lines(t testing.TB, name string) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

// parse cuts a line of the form "word document => answer".
func parse(t testing.TB, line string) (word string, doc bsoncore.Document, want string) {
	t.Helper()
	left, want, ok := strings.Cut(line, "=>")
	word, text, also := strings.Cut(left, " ")
	if !ok || !also {
		t.Fatalf("not of the form: %s", line)
	}
	return word, doctest.Document(t, text), strings.TrimSpace(want)
}

func show(v bsoncore.Value) string {
	raw, err := bson.MarshalExtJSON(bson.D{{Key: "v", Value: bson.RawValue{Type: bson.Type(v.Type), Value: v.Data}}}, false, false)
	if err != nil {
		return fmt.Sprint(err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(raw), `{"v":`), "}")
}

// codeOf returns the code of an error, 0 if it has none.
func codeOf(err error) int32 {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return 0
}
