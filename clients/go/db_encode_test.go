package flin

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestTypesSurviveAJourney(t *testing.T) {
	id := NewObjectID()
	price, err := ParseDecimal128("19.990")
	must(t, err)
	at := time.Date(2026, 11, 23, 18, 0, 0, 123_000_000, time.UTC)
	doc := Document{
		"_id": id, "null": nil, "s": "ä\x00b", "t": true, "f": false, "i32": int32(-7), "i64": int64(5), "f64": 2.5, "at": at, "price": price, "bytes": []byte{0, 1}, "empty": []byte{},
		"doc": map[string]any{"a": map[string]any{}, "b": int32(1)}, "list": []any{int32(1), "x", []any{}, map[string]any{"c": nil}},
		"regex": bson.Regex{Pattern: "^a", Options: "i"}, "ts": bson.Timestamp{T: 1, I: 2}, "min": bson.MinKey{}, "uuid": bson.Binary{Subtype: 4, Data: make([]byte, 16)},
	}
	b, err := appendDoc(nil, doc, 0)
	must(t, err)
	must(t, bson.Raw(b).Validate())
	var dec decoder
	got, err := dec.document(b, 0)
	must(t, err)
	if !reflect.DeepEqual(got, doc) {
		t.Errorf("got  %v\nwant %v", got, doc)
	}
	var theirs Document
	must(t, bson.Unmarshal(b, &theirs))
	if theirs["s"] != doc["s"] || theirs["price"] != doc["price"] || theirs["i64"] != doc["i64"] {
		t.Errorf("mongo-driver reads %v", theirs)
	}
}

func TestAnIntIsAsSmallAsItFits(t *testing.T) {
	type some struct{ A, B int }
	for _, doc := range []any{
		Document{"a": 1, "b": math.MaxInt32 + 1},
		D{{Key: "a", Value: 1}, {Key: "b", Value: math.MaxInt32 + 1}},
		some{1, math.MaxInt32 + 1},
		&some{1, math.MaxInt32 + 1},
		bson.M{"a": int32(1), "b": int64(math.MaxInt32 + 1)},
		Document{"a": int8(1), "b": uint64(math.MaxInt32 + 1)},
		RawDocument(raw(t, d("a", 1, "b", math.MaxInt32+1))),
	} {
		b, err := appendDoc(nil, doc, 0)
		must(t, err)
		if want := raw(t, d("a", int32(1), "b", int64(math.MaxInt32+1))); !bytes.Equal(b, want) {
			t.Errorf("%T: % x, want % x", doc, b, want)
		}
	}
}

func TestADocumentGetsAnObjectIDInFrontUnlessItHasAnID(t *testing.T) {
	type plain struct{ Name string }
	type own struct {
		ID   ObjectID `bson:"_id,omitempty"`
		Name string
	}
	for _, doc := range []any{Document{"name": "x", "aa": 1}, bson.M{"name": "x"}, D{{Key: "name", Value: "x"}}, plain{"x"}, own{Name: "x"}, RawDocument(raw(t, plain{"x"})), Document{}, D{}} {
		b, id, err := appendInsert([]byte("before"), doc)
		must(t, err)
		b, ok := bytes.CutPrefix(b, []byte("before"))
		if !ok {
			t.Fatalf("%T: what was there before is %q", doc, b)
		}
		must(t, bson.Raw(b).Validate())
		elements, err := bson.Raw(b).Elements()
		must(t, err)
		if elements[0].Key() != "_id" || elements[0].Value().ObjectID() != id || id == (ObjectID{}) {
			t.Errorf("%T: %v, %v", doc, id, bson.Raw(b))
		}
	}
	mine := NewObjectID()
	for want, doc := range map[any]any{"k": Document{"_id": "k"}, int32(7): D{{Key: "a", Value: 1}, {Key: "_id", Value: 7}}, mine: own{ID: mine}, nil: Document{"_id": nil}} {
		b, id, err := appendInsert(nil, doc)
		if err != nil || id != want || bytes.Count(b, []byte("_id\x00")) != 1 {
			t.Errorf("%v: %v, %v", doc, id, err)
		}
	}
}

func TestWhatCannotBeStoredIsRefusedAtOnce(t *testing.T) {
	deep := Document{}
	for range wire.MaxDocDepth {
		deep = Document{"a": deep}
	}
	cycle := []any{nil}
	cycle[0] = cycle
	for says, doc := range map[string]any{
		"no document": 7, "nil is no document": nil, "levels": deep, "100 levels": Document{"a": cycle}, "NUL": Document{"a\x00b": 1}, `field "f"`: Document{"f": func() {}},
		"3 bytes": RawDocument{1, 2, 3}, "overflows": Document{"a": uint64(math.MaxUint64)}, "levels ": D{{Key: "a", Value: deep}},
	} {
		_, _, err := appendInsert(nil, doc)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), strings.TrimSpace(says)) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func TestObjectIDsAndDecimalsAreRead(t *testing.T) {
	id := NewObjectID()
	if got, err := ParseObjectID(id.Hex()); err != nil || got != id {
		t.Error(got, err)
	}
	if _, err := ParseObjectID("7"); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := ParseDecimal128("x"); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func FuzzDecodeDocument(f *testing.F) {
	b, err := appendDoc(nil, Document{"a": []any{1, "x", Document{"b": 2.5}}, "c": bson.Regex{Pattern: "x"}, "d": []byte{1}, "e": time.Now(), "f": Decimal128{}}, 0)
	must(f, err)
	f.Add(b)
	f.Add([]byte{5, 0, 0, 0, 0})
	f.Fuzz(func(_ *testing.T, p []byte) {
		var d decoder
		_, _ = d.document(p, 0)
		_, _ = d.list(p, 0)
		_, _ = decodeID(p)
		_, _ = decodeInto[struct{ A, B, C any }](&d, p)
		for len(p) > 0 {
			_, more, err := takeDocument(p)
			if err != nil {
				break
			}
			p = more
		}
	})
}

func BenchmarkEncodeDocument(b *testing.B) {
	doc := tenFields()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, _, err = appendInsert(buf[:0], doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeDocument(b *testing.B) {
	p, _, err := appendInsert(nil, tenFields())
	must(b, err)
	var dec decoder
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dec.document(p, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// tenFields is a document of ten fields and about 1 KiB.
func tenFields() Document {
	return Document{
		"name": "John Doe", "email": "john@example.com", "age": 30, "status": "active", "score": 12.5, "created_at": time.UnixMilli(1_900_000_000_000), "tags": []any{"a", "b", "c"},
		"address": Document{"city": "Dhaka", "zip": 1207}, "verified": true, "text": strings.Repeat("x", 700),
	}
}
