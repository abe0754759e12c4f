package value

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// OfInt32 makes a value of an integer.
func OfInt32(n int32) bsoncore.Value {
	return bsoncore.Value{Type: Int32, Data: binary.LittleEndian.AppendUint32(nil, uint32(n))}
}

// OfInt64 makes a value of an integer.
func OfInt64(n int64) bsoncore.Value {
	return bsoncore.Value{Type: Int64, Data: binary.LittleEndian.AppendUint64(nil, uint64(n))}
}

// OfDouble makes a value of a double.
func OfDouble(f float64) bsoncore.Value {
	return bsoncore.Value{Type: Double, Data: binary.LittleEndian.AppendUint64(nil, math.Float64bits(f))}
}

// OfString makes a value of a string.
func OfString(s string) bsoncore.Value {
	return bsoncore.Value{Type: String, Data: bsoncore.AppendString(nil, s)}
}

// OfBool makes a value of a boolean.
func OfBool(b bool) bsoncore.Value {
	v := bsoncore.Value{Type: Boolean, Data: []byte{0}}
	if b {
		v.Data[0] = 1
	}
	return v
}

// OfDocument makes a value of a document.
func OfDocument(d bsoncore.Document) bsoncore.Value { return bsoncore.Value{Type: Document, Data: d} }

// OfArray makes a value of an array.
func OfArray(a bsoncore.Array) bsoncore.Value { return bsoncore.Value{Type: Array, Data: a} }

// OfNull makes null.
func OfNull() bsoncore.Value { return bsoncore.Value{Type: Null} }

// AppendElement appends an element: type, name and value.
func AppendElement[S ~[]byte | ~string](dst []byte, name S, v bsoncore.Value) []byte {
	dst = append(dst, byte(v.Type))
	dst = append(append(dst, name...), 0)
	return append(dst, v.Data...)
}

// Begin appends the place of a document's length. End, given where that was, closes the document.
func Begin(dst []byte) (int, []byte) { return len(dst), append(dst, 0, 0, 0, 0) }

// End closes the document, or the array, that began at start.
func End(dst []byte, start int) []byte {
	dst = append(dst, 0)
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start))
	return dst
}

// AppendIndexName appends the name of the i-th element of an array, without the NUL.
func AppendIndexName(dst []byte, i int) []byte { return strconv.AppendInt(dst, int64(i), 10) }

// longText bounds what Text and Short return: it is for error messages.
const longText = 200

// Short returns a text, cut short where it is long.
func Short(s string) string {
	if len(s) > longText {
		return strings.ToValidUTF8(s[:longText], "") + "…"
	}
	return s
}

// Text returns a value as extended JSON, cut short where it is long.
func Text(v bsoncore.Value) string {
	if len(v.Data) > 16*longText {
		return "a long " + TypeName(v.Type)
	}
	return Short(v.String())
}
