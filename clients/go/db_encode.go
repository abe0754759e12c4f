package flin

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// beginDoc appends the place for the length of a document, or of an array, which begins at len(b). endDoc must follow.
func beginDoc(b []byte) []byte { return append(b, 0, 0, 0, 0) }

// endDoc ends the document that begins at b[at].
func endDoc(b []byte, at int) []byte {
	b = append(b, 0)
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at))
	return b
}

// appendHead appends what stands before a value: its type and the name of its field.
func appendHead(b []byte, t bson.Type, name string) []byte {
	return append(append(append(b, byte(t)), name...), 0)
}

// appendDoc appends a document. It is depth levels down in another.
func appendDoc(b []byte, doc any, depth int) ([]byte, error) {
	switch d := doc.(type) {
	case Document:
		return appendMap(b, d, nil, depth)
	case bson.M:
		return appendMap(b, d, nil, depth)
	case D:
		return appendD(b, d, depth)
	case RawDocument:
		if len(d) < 5 || uint64(binary.LittleEndian.Uint32(d)) != uint64(len(d)) {
			return b, invalid("%d bytes are not a document as they say", len(d))
		}
		return append(b, d...), nil
	case nil:
		return b, invalid("nil is no document")
	}
	p, err := bson.Marshal(doc)
	if err != nil {
		return b, invalid("%T is no document: %v", doc, err)
	}
	return append(b, p...), nil
}

const idField = "_id"

// appendMap appends a map, its fields in the order of their names but _id first: that of the map or, if there is none, the given
// one, unless it is nil.
func appendMap(b []byte, m map[string]any, id any, depth int) (_ []byte, err error) {
	if depth >= wire.MaxDocDepth {
		return b, invalid("a document of more than %d levels", wire.MaxDocDepth)
	}
	var room [24]string
	names := room[:0]
	at := len(b)
	b = beginDoc(b)
	for name := range m {
		if name == idField {
			id = nil
			if b, err = appendField(b, name, m[name], depth); err != nil {
				return b, err
			}
			continue
		}
		names = append(names, name)
	}
	if id != nil {
		if b, err = appendField(b, idField, id, depth); err != nil {
			return b, err
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if b, err = appendField(b, name, m[name], depth); err != nil {
			return b, err
		}
	}
	return endDoc(b, at), nil
}

func appendD(b []byte, d D, depth int) (_ []byte, err error) {
	if depth >= wire.MaxDocDepth {
		return b, invalid("a document of more than %d levels", wire.MaxDocDepth)
	}
	at := len(b)
	b = beginDoc(b)
	for _, e := range d {
		if b, err = appendField(b, e.Key, e.Value, depth); err != nil {
			return b, err
		}
	}
	return endDoc(b, at), nil
}

// appendList appends the values of an array.
func appendList[T any](b []byte, list []T, depth int) (_ []byte, err error) {
	if depth >= wire.MaxDocDepth {
		return b, invalid("a document of more than %d levels", wire.MaxDocDepth)
	}
	at := len(b)
	b = beginDoc(b)
	for i, v := range list {
		if b, err = appendField(b, strconv.Itoa(i), v, depth); err != nil {
			return b, err
		}
	}
	return endDoc(b, at), nil
}

// appendField appends a field of a document that is depth levels down.
func appendField(b []byte, name string, v any, depth int) ([]byte, error) {
	if strings.IndexByte(name, 0) >= 0 {
		return b, invalid("%q is no name of a field: it has a NUL", name)
	}
	switch v := v.(type) {
	case nil:
		return appendHead(b, bson.TypeNull, name), nil
	case string:
		b = appendHead(b, bson.TypeString, name)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(v)+1))
		return append(append(b, v...), 0), nil
	case bool:
		if b = appendHead(b, bson.TypeBoolean, name); v {
			return append(b, 1), nil
		}
		return append(b, 0), nil
	case int:
		return appendInt(b, name, int64(v), true), nil
	case int32:
		return appendInt(b, name, int64(v), true), nil
	case int64:
		return appendInt(b, name, v, false), nil
	case float64:
		return binary.LittleEndian.AppendUint64(appendHead(b, bson.TypeDouble, name), math.Float64bits(v)), nil
	case time.Time:
		return binary.LittleEndian.AppendUint64(appendHead(b, bson.TypeDateTime, name), uint64(v.UnixMilli())), nil
	case ObjectID:
		return append(appendHead(b, bson.TypeObjectID, name), v[:]...), nil
	case Decimal128:
		high, low := v.GetBytes()
		b = binary.LittleEndian.AppendUint64(appendHead(b, bson.TypeDecimal128, name), low)
		return binary.LittleEndian.AppendUint64(b, high), nil
	case []byte:
		b = binary.LittleEndian.AppendUint32(appendHead(b, bson.TypeBinary, name), uint32(len(v)))
		return append(append(b, bson.TypeBinaryGeneric), v...), nil
	case Document:
		return appendMap(appendHead(b, bson.TypeEmbeddedDocument, name), v, nil, depth+1)
	case bson.M:
		return appendMap(appendHead(b, bson.TypeEmbeddedDocument, name), v, nil, depth+1)
	case D:
		return appendD(appendHead(b, bson.TypeEmbeddedDocument, name), v, depth+1)
	case []any:
		return appendList(appendHead(b, bson.TypeArray, name), v, depth+1)
	case bson.A:
		return appendList(appendHead(b, bson.TypeArray, name), v, depth+1)
	case []string:
		return appendList(appendHead(b, bson.TypeArray, name), v, depth+1)
	case []Document:
		return appendList(appendHead(b, bson.TypeArray, name), v, depth+1)
	case []D:
		return appendList(appendHead(b, bson.TypeArray, name), v, depth+1)
	}
	t, p, err := bson.MarshalValue(v)
	if err != nil {
		return b, invalid("field %q: a %T cannot be stored: %v", name, v, err)
	}
	return append(appendHead(b, t, name), p...), nil
}

// appendInt appends a whole number, with narrow as an int32 where it fits.
func appendInt(b []byte, name string, n int64, narrow bool) []byte {
	if narrow && n >= math.MinInt32 && n <= math.MaxInt32 {
		return binary.LittleEndian.AppendUint32(appendHead(b, bson.TypeInt32, name), uint32(n))
	}
	return binary.LittleEndian.AppendUint64(appendHead(b, bson.TypeInt64, name), uint64(n))
}

// appendInsert appends a document that is to be inserted, and returns its _id. One that has none gets a new ObjectID.
func appendInsert(b []byte, doc any) (_ []byte, id any, err error) {
	at := len(b)
	fresh := NewObjectID()
	switch d := doc.(type) {
	case Document:
		b, err = appendMap(b, d, fresh, 0)
	case bson.M:
		b, err = appendMap(b, d, fresh, 0)
	default:
		b, err = appendDoc(b, doc, 0)
	}
	if err != nil {
		return b, nil, err
	}
	v, ok := lookup(b[at:], idField)
	if !ok {
		return insertID(b, at, fresh), fresh, nil
	}
	if t := bson.Type(v.Type); t == bson.TypeObjectID && len(v.Data) == len(fresh) {
		return b, ObjectID(v.Data), nil
	}
	var d decoder
	id, err = d.value(v, 0)
	return b, id, err
}

// insertID puts an _id in front of the fields of the document b[at:].
func insertID(b []byte, at int, id ObjectID) []byte {
	var field [17]byte
	b = append(b, field[:]...)
	copy(b[at+4+len(field):], b[at+4:])
	copy(b[at+4:], append(appendHead(field[:0], bson.TypeObjectID, idField), id[:]...))
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at))
	return b
}
