// Package extjson turns documents as people write them, in relaxed Extended JSON, into BSON as they travel, and back.
package extjson

import (
	"bytes"
	"encoding/binary"
	"encoding/json"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Document reads a document.
func Document(text []byte) ([]byte, error) {
	if err := check(text); err != nil {
		return nil, err
	}
	if First(text) != '{' {
		return nil, wire.Errorf(wire.Invalid, "it does not begin with a {")
	}
	var doc bson.Raw
	if err := bson.UnmarshalExtJSON(text, false, &doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// Array reads an array, as of the stages of a pipeline: BSON's array is a document of which the keys are numbers.
func Array(text []byte) ([]byte, error) {
	if First(text) != '[' {
		return nil, wire.Errorf(wire.Invalid, "it does not begin with a [")
	}
	if err := check(text); err != nil {
		return nil, err
	}
	doc, err := Document(append(append([]byte(`{"":`), text...), '}'))
	if err != nil {
		return nil, err
	}
	v := bson.Raw(doc).Lookup("")
	if v.Type != bson.TypeArray {
		return nil, wire.Errorf(wire.Invalid, "it is one value that is written as an array")
	}
	return v.Value, nil
}

// check reports what is wrong with a text in JSON: the parser of mongo-driver passes over what stands behind a value.
func check(text []byte) error {
	if json.Valid(text) {
		return nil
	}
	var v json.RawMessage
	return json.Unmarshal(text, &v)
}

// First returns the first byte of a text that is no white space, 0 if there is none: { begins a document, [ an array.
func First(text []byte) byte {
	if text = bytes.TrimLeft(text, " \t\r\n"); len(text) == 0 {
		return 0
	}
	return text[0]
}

// AppendDocument appends a document as JSON.
func AppendDocument(b, doc []byte) ([]byte, error) {
	text, err := bson.MarshalExtJSON(bson.Raw(doc), false, false)
	if err != nil {
		return b, err
	}
	return append(b, text...), nil
}

// AppendValue appends a value, the byte of its type and its bytes, as JSON.
func AppendValue(b, v []byte) ([]byte, error) {
	if len(v) == 0 {
		return b, wire.ErrTruncated
	}
	doc := append([]byte{0, 0, 0, 0, v[0], 0}, v[1:]...)
	doc = append(doc, 0)
	binary.LittleEndian.PutUint32(doc, uint32(len(doc)))
	if err := bson.Raw(doc).Validate(); err != nil {
		return b, err
	}
	text, err := bson.MarshalExtJSON(bson.Raw(doc), false, false)
	const head, tail = `{"":`, `}`
	if err != nil || len(text) < len(head)+len(tail) {
		return b, wire.ErrTruncated
	}
	return append(b, text[len(head):len(text)-len(tail)]...), nil
}

// Next returns the first of documents that lie behind each other, and the others.
func Next(docs []byte) (doc, rest []byte, err error) {
	if len(docs) < 4 {
		return nil, nil, wire.ErrTruncated
	}
	size := uint64(binary.LittleEndian.Uint32(docs))
	if size < 5 || size > uint64(len(docs)) {
		return nil, nil, wire.ErrTruncated
	}
	return docs[:size], docs[size:], nil
}

// WithID returns a document with its _id, a new ObjectID in front of its fields if it has none, and the _id: the byte of its type and
// its bytes.
func WithID(doc []byte) (with, id []byte) {
	if v, err := bsoncore.Document(doc).LookupErr("_id"); err == nil {
		return doc, append([]byte{byte(v.Type)}, v.Data...)
	}
	fresh := bson.NewObjectID()
	b := append(make([]byte, 0, len(doc)+17), 0, 0, 0, 0)
	b = append(bsoncore.AppendObjectIDElement(b, "_id", fresh), doc[4:]...)
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	return b, append([]byte{byte(bson.TypeObjectID)}, fresh[:]...)
}
