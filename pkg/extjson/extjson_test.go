package extjson_test

import (
	"errors"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/extjson"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestTextThatIsNoOneDocumentIsRefused(t *testing.T) {
	for _, text := range []string{"", " ", "1", "[]", `"{}"`, `{"a":1} {}`, `{"a":1}}`, `{"a"`, `{a:1}`} {
		if doc, err := extjson.Document([]byte(text)); err == nil {
			t.Errorf("%q is the document %v", text, bson.Raw(doc))
		}
	}
	for _, text := range []string{"", "{}", "[1", "[1] 2", `["a"}`} {
		if list, err := extjson.Array([]byte(text)); err == nil {
			t.Errorf("%q is the array %v", text, bson.Raw(list))
		}
	}
}

func TestADocumentComesBackAsItWasWritten(t *testing.T) {
	const text = `{"a":1,"b":[true,null,{"c":"x"}],"d":{"$oid":"000000000000000000000001"},"e":{"$date":"2020-01-01T00:00:00Z"},"f":1.5}`
	doc, err := extjson.Document([]byte(" " + text))
	if err != nil {
		t.Fatal(err)
	}
	back, err := extjson.AppendDocument([]byte("> "), doc)
	if err != nil || string(back) != "> "+text {
		t.Errorf("it comes back as %s, %v", back, err)
	}
}

func TestAnIDIsMadeWhereThereIsNone(t *testing.T) {
	for text, want := range map[string]string{`{"a":1,"_id":7}`: "7", `{"_id":"x"}`: `"x"`, `{"a":1}`: ""} {
		doc, err := extjson.Document([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		with, id := extjson.WithID(doc)
		got, err := extjson.AppendValue(nil, id)
		if err != nil || want != "" && string(got) != want {
			t.Errorf("the _id of %s is %s, %v", text, got, err)
		}
		inside := bson.Raw(with).Lookup("_id")
		if string(id) != string(append([]byte{byte(inside.Type)}, inside.Value...)) {
			t.Errorf("the _id of %s is %s, but in it lies %v", text, got, inside)
		}
		if want == "" && (inside.Type != bson.TypeObjectID || bson.Raw(with).Lookup("a").Int32() != 1) {
			t.Errorf("%s became %v", text, bson.Raw(with))
		}
	}
}

func TestDocumentsAreTakenOneAfterTheOther(t *testing.T) {
	var all []byte
	for _, text := range []string{`{"a":1}`, `{}`, `{"b":"x"}`} {
		doc, err := extjson.Document([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, doc...)
	}
	var got []byte
	for rest := all; len(rest) > 0; {
		doc, more, err := extjson.Next(rest)
		if err == nil {
			got, err = extjson.AppendDocument(got, doc)
		}
		if err != nil {
			t.Fatal(err)
		}
		rest = more
	}
	if string(got) != `{"a":1}{}{"b":"x"}` {
		t.Errorf("they are %s", got)
	}
	if _, _, err := extjson.Next(all[:3]); !errors.Is(err, wire.ErrTruncated) {
		t.Errorf("of three bytes: %v", err)
	}
	if _, _, err := extjson.Next(all[:8]); !errors.Is(err, wire.ErrTruncated) {
		t.Errorf("of a document that is cut off: %v", err)
	}
}

// FuzzJSON looks for text that makes the parser panic, and for documents that do not come back from JSON as they were.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{
		`{"a":1}`, `{"a":{"$oid":"000000000000000000000001"},"b":{"$date":{"$numberLong":"5"}}}`, `{"a":{"$code":"x","$scope":{}}}`, `{"$uuid":"x"}`,
		`{"a":{"$binary":{"base64":"AAA=","subType":"00"}}}`, `{"a":{"$regularExpression":{"pattern":"x","options":""}}}`, `{"":{"$minKey":1}}`, `[{"a":1}]`, `{"a":1e400}`, "{",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _ = extjson.Array(text)
		doc, err := extjson.Document(text)
		if err != nil {
			return
		}
		if err := bson.Raw(doc).Validate(); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		with, id := extjson.WithID(doc)
		if err := bson.Raw(with).Validate(); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		_, _ = extjson.AppendValue(nil, id)
		back, err := extjson.AppendDocument(nil, with)
		if err != nil {
			return // more than JSON can say
		}
		if _, err := extjson.Document(back); err != nil {
			t.Fatalf("%q comes back as %q: %v", text, back, err)
		}
		_, _, _ = extjson.Next(text)
		_, _ = extjson.AppendValue(nil, text)
	})
}
