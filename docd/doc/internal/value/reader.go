package value

import (
	"bytes"
	"encoding/binary"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// Reader goes through the elements of a document or an array. Name and Value lie in its bytes.
type Reader struct {
	Name  []byte
	Value bsoncore.Value
	rest  []byte
}

// Read returns a reader before the first element of a document or an array.
func Read[B ~[]byte](doc B) Reader {
	if len(doc) < 5 {
		return Reader{}
	}
	return Reader{rest: doc[4:]}
}

// Next goes to the next element. It reports whether there is one.
func (r *Reader) Next() bool {
	b := r.rest
	from, to := split(b)
	if to == 0 {
		if len(b) > 0 && b[0] != 0 {
			r.rest = nil // malformed, which Valid tells by it
		}
		return false
	}
	r.Name = b[1 : from-1 : from-1]
	r.Value = bsoncore.Value{Type: bsoncore.Type(b[0]), Data: b[from:to:to]}
	r.rest = b[to:]
	return true
}

// split returns where in b the value of the element at its beginning begins and ends, 0 if there is none.
func split(b []byte) (from, to int) {
	if len(b) < 3 || b[0] == 0 {
		return 0, 0
	}
	n := 1
	for n < len(b) && b[n] != 0 { // names are short: sooner done than bytes.IndexByte called
		n++
	}
	n++
	if n > len(b) {
		return 0, 0
	}
	size := int(fixed[b[0]]) - 1
	if size < 0 {
		size = sizeOf(bsoncore.Type(b[0]), b[n:])
	}
	if size < 0 || size > len(b)-n {
		return 0, 0
	}
	return n, n + size
}

// fixed has the sizes of the types that have one, plus 1.
var fixed = [256]byte{
	Double: 9, DateTime: 9, Timestamp: 9, Int64: 9, Int32: 5, Boolean: 2, ObjectID: 13, Decimal128: 17,
	Null: 1, Undefined: 1, MinKey: 1, MaxKey: 1,
}

// sizeOf returns how many bytes a value of no fixed size has at the beginning of b: less than 0 or more than there are if it is malformed.
func sizeOf(t bsoncore.Type, b []byte) int {
	switch t {
	case String, Symbol, JavaScript:
		return lengthPlus(b, 4, 5)
	case Document, Array:
		return lengthPlus(b, 0, 5)
	case Binary:
		return lengthPlus(b, 5, 5)
	case CodeWithScope:
		return lengthPlus(b, 0, 14)
	case DBPointer:
		return lengthPlus(b, 16, 17)
	case Regex:
		pattern, rest, ok := bytes.Cut(b, zeros[:1])
		options, _, also := bytes.Cut(rest, zeros[:1])
		if !ok || !also {
			return -1
		}
		return len(pattern) + len(options) + 2
	default:
		return -1
	}
}

// lengthPlus reads a length and adds to it what it leaves out; -1 if the sum is less than least.
func lengthPlus(b []byte, plus, least int) int {
	if len(b) < 4 {
		return -1
	}
	n := int(int32(binary.LittleEndian.Uint32(b)))
	if n < 0 || n+plus < least {
		return -1
	}
	return n + plus
}

func word(b []byte) uint64 {
	if len(b) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func half(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.LittleEndian.Uint32(b)
}

// Str returns the bytes of a string, a symbol or code, without the NUL at its end; nil for another type.
func Str(v bsoncore.Value) []byte {
	if v.Type != String && v.Type != Symbol && v.Type != JavaScript || len(v.Data) < 5 {
		return nil
	}
	return v.Data[4 : len(v.Data)-1]
}

// regexParts returns pattern and options of a regular expression.
func regexParts(b []byte) (pattern, options []byte) {
	pattern, options, _ = bytes.Cut(b, zeros[:1])
	options, _, _ = bytes.Cut(options, zeros[:1])
	return pattern, options
}

// scopeParts returns code and scope of code with scope.
func scopeParts(b []byte) (code, scope []byte) {
	if len(b) < 9 {
		return nil, nil
	}
	n := int(half(b[4:]))
	if n < 1 || n > len(b)-8 {
		return nil, nil
	}
	return b[8 : 8+n-1], b[8+n:]
}
