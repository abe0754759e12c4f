package value

import (
	"bytes"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
)

func TestCheckRefusesWhatCannotBeStored(t *testing.T) {
	nested := func(levels int) string {
		return strings.Repeat(`{"a": `, levels-1) + "{}" + strings.Repeat("}", levels-1)
	}
	for _, c := range []struct {
		doc  string
		code int32
	}{
		{`{}`, 0},
		{`{"_id": 1, "a": {"$b": 1, "c.d": 2}, "e.f": 3, "g$": 4}`, 0},
		{`{"a": {"": 1}}`, 0},
		{`{"$a": 1}`, DollarPrefixedFieldName},
		{`{"": 1}`, EmptyFieldName},
		{`{"_id": [1]}`, InvalidIDField},
		{`{"_id": {"$regularExpression": {"pattern": "a", "options": ""}}}`, InvalidIDField},
		{`{"_id": {"$undefined": true}}`, InvalidIDField},
		{`{"_id": null}`, 0},
		{`{"_id": {"a": [1]}}`, 0},
		{`{"_id": {"$a": 1}}`, DollarPrefixedFieldName},
		{`{"_id": 1, "_id": 2}`, BadValue},
		{nested(MaxDepth), 0},
		{nested(MaxDepth + 1), Overflow},
	} {
		err := Check(doctest.Document(t, c.doc))
		if err == nil && c.code != 0 || err != nil && codeOf(err) != c.code {
			t.Errorf("%.80s: %v, want code %d", c.doc, err, c.code)
		}
	}
}

func TestTheSizeOfADocumentIsLimited(t *testing.T) {
	doc := func(size int) bsoncore.Document {
		return bsoncore.NewDocumentBuilder().AppendBinary("a", 0, make([]byte, size-13)).Build()
	}
	if d := doc(MaxSize); len(d) != MaxSize || Check(d) != nil {
		t.Errorf("%d bytes: %v", len(d), Check(d))
	}
	if err := Check(doc(MaxSize + 1)); err == nil || codeOf(err) != BSONObjectTooLarge {
		t.Errorf("one byte more: %v", err)
	}
}

// allTypes has a value of each type.
func allTypes(t testing.TB) bsoncore.Document {
	start, doc := Begin(nil)
	for _, line := range lines(t, "order.txt") {
		doc = AppendElement(doc, "v", values(t, line)[0])
	}
	return End(doc, start)
}

// TestMalformedDocumentsAreRefused cuts a document off at each byte, and lengthens it.
func TestMalformedDocumentsAreRefused(t *testing.T) {
	doc := allTypes(t)
	if err := Valid(doc); err != nil {
		t.Fatal(err)
	}
	for n := range doc {
		if Valid(doc[:n]) == nil {
			t.Errorf("the first %d bytes alone are taken", n)
		}
		short := bytes.Clone(doc[:n])
		if n >= 4 {
			short[0], short[1] = byte(n), byte(n>>8)
			if Valid(short) == nil && n > 5 {
				t.Errorf("the first %d bytes with their length are taken", n)
			}
		}
	}
	long := append(bytes.Clone(doc), 0)
	if Valid(long) == nil {
		t.Error("a byte too many is taken")
	}
	long[0]++
	if Valid(long) == nil {
		t.Error("a byte behind the end is taken")
	}
	for _, bad := range []string{
		"\x09\x00\x00\x00\x08a\x00\x02\x00",                     // a boolean of 2
		"\x0d\x00\x00\x00\x02a\x00\x01\x00\x00\x00x\x00",        // a string without its NUL
		"\x0c\x00\x00\x00\x02a\x00\x00\x00\x00\x00\x00",         // a string of no bytes at all
		"\x08\x00\x00\x00\x20a\x00\x00",                         // a type that does not exist
		"\x0e\x00\x00\x00\x05a\x00\xff\xff\xff\xff\x00\x00\x00", // a negative length
	} {
		if Valid([]byte(bad)) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// FuzzBytes gives all functions any bytes.
func FuzzBytes(f *testing.F) {
	f.Add([]byte(allTypes(f)), "v.0")
	f.Add([]byte(doctest.Document(f, `{"a": [{"b": 1}, {"b": [1, 2]}], "c": {"d": 1}}`)), "a.b")
	f.Add([]byte("\x05\x00\x00\x00\x00"), "")
	f.Fuzz(func(t *testing.T, doc []byte, path string) {
		valid := Check(doc) == nil
		if valid {
			if err := bsoncore.Document(doc).Validate(); err != nil {
				t.Fatalf("taken, but not by the driver: %v", err)
			}
		}
		Lookup(doc, path)
		Walk(doc, path, func(v bsoncore.Value, _ bool) bool { AppendKey(nil, v, true); return true })
		var k Keyer
		fields := []KeyField{{Path: path}, {Path: "a.b", Desc: true}}
		_, err := k.Keys(doc, fields, func([]byte) {})
		if _, other := k.Least(nil, doc, fields[:1]); other != nil || err != nil && codeOf(err) == 0 {
			t.Fatal(other, err)
		}
		var all []bsoncore.Value
		for r := Read(doc); r.Next() && len(all) < 20; {
			all = append(all, r.Value)
			Truncate(r.Value)
			_, _ = ParseTypes(r.Value)
		}
		for _, a := range all {
			for _, b := range all {
				c := Compare(a, b)
				if Compare(b, a) != -c {
					t.Fatalf("%v and %v: %d one way, not the other", a, b, c)
				}
				if valid {
					checkKeys(t, a, b, c)
				}
			}
		}
	})
}
