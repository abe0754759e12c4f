package resp

import (
	"bytes"
	"encoding/binary"
	"encoding/json"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Documents are said in relaxed Extended JSON and travel as BSON.

// readJSON reads a document.
func readJSON(p []byte) ([]byte, error) {
	if err := checkJSON(p); err != nil {
		return nil, err
	}
	if first(p) != '{' {
		return nil, wire.Errorf(wire.Invalid, "it does not begin with a {")
	}
	var doc bson.Raw
	if err := bson.UnmarshalExtJSON(p, false, &doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// readJSONArray reads an array of documents.
func readJSONArray(p []byte) ([]byte, error) {
	if first(p) != '[' {
		return nil, wire.Errorf(wire.Invalid, "it does not begin with a [")
	}
	if err := checkJSON(p); err != nil {
		return nil, err
	}
	doc, err := readJSON(append(append([]byte(`{"":`), p...), '}'))
	if err != nil {
		return nil, err
	}
	v := bson.Raw(doc).Lookup("")
	if v.Type != bson.TypeArray {
		return nil, wire.Errorf(wire.Invalid, "it is one value that is written as an array")
	}
	return v.Value, nil
}

// checkJSON reports what is wrong with a text in JSON: the parser of mongo-driver passes over what stands behind a value.
func checkJSON(p []byte) error {
	if json.Valid(p) {
		return nil
	}
	var v json.RawMessage
	return json.Unmarshal(p, &v)
}

// first is the first byte that is no white space.
func first(p []byte) byte {
	if p = bytes.TrimLeft(p, " \t\r\n"); len(p) == 0 {
		return 0
	}
	return p[0]
}

// appendJSONDoc appends a document as a bulk string.
func appendJSONDoc(b, doc []byte) ([]byte, error) {
	text, err := bson.MarshalExtJSON(bson.Raw(doc), false, false)
	if err != nil {
		return b, err
	}
	return appendBulk(b, text), nil
}

// appendJSONDocs appends the documents that lie behind each other, each as a bulk string, and returns how many there are.
func appendJSONDocs(b, docs []byte) (_ []byte, n int, err error) {
	for ; len(docs) > 0; n++ {
		if len(docs) < 4 {
			return b, n, wire.ErrTruncated
		}
		size := uint64(binary.LittleEndian.Uint32(docs))
		if size < 5 || size > uint64(len(docs)) {
			return b, n, wire.ErrTruncated
		}
		if b, err = appendJSONDoc(b, docs[:size]); err != nil {
			return b, n, err
		}
		docs = docs[size:]
	}
	return b, n, nil
}

// appendJSONValue appends a value, the byte of its type and its bytes, as a bulk string.
func appendJSONValue(b, v []byte) ([]byte, error) {
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
	return appendBulk(b, text[len(head):len(text)-len(tail)]), nil
}

// withID returns a document with its _id, a new ObjectID in front of its fields if it has none, and the _id: the byte of its type and
// its bytes.
func withID(doc []byte) (_, id []byte) {
	if v, err := bsoncore.Document(doc).LookupErr("_id"); err == nil {
		return doc, append([]byte{byte(v.Type)}, v.Data...)
	}
	fresh := bson.NewObjectID()
	b := append(make([]byte, 0, len(doc)+17), 0, 0, 0, 0)
	b = append(bsoncore.AppendObjectIDElement(b, "_id", fresh), doc[4:]...)
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	return b, append([]byte{byte(bson.TypeObjectID)}, fresh[:]...)
}
