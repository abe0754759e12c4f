package flin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/wire"
)

var errBadDocument = errors.New("a document in it is damaged")

// types says what becomes of a field whose type in Go is any.
var types = goTypes()

func goTypes() *bson.Registry {
	r := bson.NewRegistry()
	r.RegisterTypeMapEntry(bson.TypeEmbeddedDocument, reflect.TypeFor[map[string]any]())
	r.RegisterTypeMapEntry(bson.TypeArray, reflect.TypeFor[[]any]())
	r.RegisterTypeMapEntry(bson.TypeDateTime, reflect.TypeFor[time.Time]())
	return r
}

// decoder reads documents. Those of one decoder share the names of their fields.
type decoder struct{ names map[string]string }

// maxNames bounds what a decoder remembers.
const maxNames = 1000

func (d *decoder) name(p []byte) string {
	if s, ok := d.names[string(p)]; ok {
		return s
	}
	s := string(p)
	if d.names == nil {
		d.names = make(map[string]string)
	}
	if len(d.names) < maxNames {
		d.names[s] = s
	}
	return s
}

// fields returns the fields of a document or an array.
func fields(doc []byte) ([]byte, error) {
	if len(doc) < 5 || uint64(binary.LittleEndian.Uint32(doc)) != uint64(len(doc)) || doc[len(doc)-1] != 0 {
		return nil, errBadDocument
	}
	return doc[4 : len(doc)-1], nil
}

// takeField takes the first field of rest.
func takeField(rest []byte) (name []byte, v bsoncore.Value, more []byte, err error) {
	e, more, ok := bsoncore.ReadElement(rest)
	if !ok {
		return nil, v, nil, errBadDocument
	}
	end := bytes.IndexByte(e, 0) // ReadElement has found it
	return e[1:end], bsoncore.Value{Type: bsoncore.Type(e[0]), Data: e[end+1:]}, more, nil
}

// lookup finds a field of a document that is well formed.
func lookup(doc []byte, field string) (bsoncore.Value, bool) {
	for rest, err := fields(doc); err == nil && len(rest) > 0; {
		var name []byte
		var v bsoncore.Value
		if name, v, rest, err = takeField(rest); err == nil && string(name) == field {
			return v, true
		}
	}
	return bsoncore.Value{}, false
}

// document reads a document that is depth levels down in another.
func (d *decoder) document(doc []byte, depth int) (Document, error) {
	rest, err := fields(doc)
	if err != nil || depth > 2*wire.MaxDocDepth {
		return nil, errBadDocument
	}
	n := 0
	for r := rest; len(r) > 0; n++ {
		if _, _, r, err = takeField(r); err != nil {
			return nil, err
		}
	}
	m := make(Document, n)
	for len(rest) > 0 {
		var name []byte
		var v bsoncore.Value
		if name, v, rest, err = takeField(rest); err != nil {
			return nil, err
		}
		if m[d.name(name)], err = d.value(v, depth); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (d *decoder) list(array []byte, depth int) ([]any, error) {
	rest, err := fields(array)
	if err != nil || depth > 2*wire.MaxDocDepth {
		return nil, errBadDocument
	}
	list := []any{}
	for len(rest) > 0 {
		var v bsoncore.Value
		if _, v, rest, err = takeField(rest); err != nil {
			return nil, err
		}
		one, err := d.value(v, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

// value reads a value, whose length is that of its type, of a document that is depth levels down. What it returns owns its memory.
func (d *decoder) value(v bsoncore.Value, depth int) (any, error) {
	p := v.Data
	switch bson.Type(v.Type) {
	case bson.TypeNull, bson.TypeUndefined:
		return nil, nil //nolint:nilnil // that is the value
	case bson.TypeString:
		if len(p) < 5 || p[len(p)-1] != 0 {
			return nil, errBadDocument
		}
		return string(p[4 : len(p)-1]), nil
	case bson.TypeBoolean:
		return p[0] != 0, nil
	case bson.TypeInt32:
		return int32(binary.LittleEndian.Uint32(p)), nil
	case bson.TypeInt64:
		return int64(binary.LittleEndian.Uint64(p)), nil
	case bson.TypeDouble:
		return math.Float64frombits(binary.LittleEndian.Uint64(p)), nil
	case bson.TypeDateTime:
		return time.UnixMilli(int64(binary.LittleEndian.Uint64(p))).UTC(), nil
	case bson.TypeObjectID:
		return ObjectID(p), nil
	case bson.TypeDecimal128:
		return bson.NewDecimal128(binary.LittleEndian.Uint64(p[8:]), binary.LittleEndian.Uint64(p)), nil
	case bson.TypeEmbeddedDocument:
		return d.document(p, depth+1)
	case bson.TypeArray:
		return d.list(p, depth+1)
	case bson.TypeBinary:
		if subtype, data, _, ok := bsoncore.ReadBinary(p); ok && subtype == bson.TypeBinaryGeneric {
			return append([]byte{}, data...), nil
		}
	default: // seldom seen
	}
	var other any
	if err := (bson.RawValue{Type: bson.Type(v.Type), Value: bytes.Clone(p)}).UnmarshalWithRegistry(types, &other); err != nil {
		return nil, errors.Join(errBadDocument, err)
	}
	return other, nil
}

// takeDocument takes the first document of an answer.
func takeDocument(body []byte) (doc, more []byte, err error) {
	if len(body) < 5 {
		return nil, nil, errBadDocument
	}
	n := uint64(binary.LittleEndian.Uint32(body))
	if n < 5 || n > uint64(len(body)) {
		return nil, nil, errBadDocument
	}
	return body[:n:n], body[n:], nil
}

// decodeInto reads a document into a T.
func decodeInto[T any](d *decoder, doc []byte) (v T, err error) {
	switch to := any(&v).(type) {
	case *Document:
		*to, err = d.document(doc, 0)
	case *RawDocument:
		*to = doc
	default:
		err = bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: doc}.UnmarshalWithRegistry(types, &v)
	}
	return v, err
}

// decodeID reads the _id in an answer: the byte of its type, and its bytes.
func decodeID(p []byte) (any, error) {
	if len(p) == 0 {
		return nil, errBadDocument
	}
	data, _, ok := bsoncore.ReadValue(p[1:], bsoncore.Type(p[0]))
	if !ok {
		return nil, errBadDocument
	}
	var d decoder
	return d.value(data, 0)
}
