package value

import (
	"bytes"
	"cmp"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// Compare compares two values in MongoDB's order over all types: by class, then within it. Numbers are compared exactly
// whatever their types, NaN being the least; strings and symbols by their bytes; documents element by element, each by
// class, name and value; arrays element by element. A missing value is less than all others.
func Compare(a, b bsoncore.Value) int { return compare(a, b, 0) }

// Equal reports whether Compare is 0.
func Equal(a, b bsoncore.Value) bool { return compare(a, b, 0) == 0 }

func compare(a, b bsoncore.Value, depth int) int {
	class := classes[a.Type]
	if c := cmp.Compare(class, classes[b.Type]); c != 0 {
		return c
	}
	switch class {
	case ClassNumber:
		return compareNumbers(a, b)
	case ClassString, ClassCode:
		return bytes.Compare(Str(a), Str(b))
	case ClassDocument, ClassArray:
		return compareElements(a.Data, b.Data, class == ClassDocument, depth+1)
	case ClassObjectID, ClassBoolean:
		return bytes.Compare(a.Data, b.Data)
	case ClassDateTime:
		return cmp.Compare(int64(word(a.Data)), int64(word(b.Data)))
	case ClassTimestamp:
		return cmp.Compare(word(a.Data), word(b.Data))
	case ClassBinary, ClassDBPointer:
		return cmp.Or(cmp.Compare(len(a.Data), len(b.Data)), bytes.Compare(behindLength(a.Data), behindLength(b.Data)))
	case ClassRegex:
		ap, ao := regexParts(a.Data)
		bp, bo := regexParts(b.Data)
		return cmp.Or(bytes.Compare(ap, bp), bytes.Compare(ao, bo))
	case ClassCodeScope:
		ac, as := scopeParts(a.Data)
		bc, bs := scopeParts(b.Data)
		if c := bytes.Compare(ac, bc); c != 0 {
			return c
		}
		return compareElements(as, bs, true, depth+1)
	default: // of a class with one value
		return 0
	}
}

// compareElements compares two documents, or two arrays, whose names are no more than positions.
func compareElements(a, b []byte, names bool, depth int) int {
	if depth > deepest {
		return bytes.Compare(a, b)
	}
	x, y := Read(a), Read(b)
	for {
		more, other := x.Next(), y.Next()
		switch {
		case !more && !other:
			return 0
		case !more:
			return -1
		case !other:
			return 1
		}
		if c := cmp.Compare(classes[x.Value.Type], classes[y.Value.Type]); c != 0 {
			return c
		}
		if names {
			if c := bytes.Compare(x.Name, y.Name); c != 0 {
				return c
			}
		}
		if c := compare(x.Value, y.Value, depth); c != 0 {
			return c
		}
	}
}

// behindLength returns what follows the length that a value begins with.
func behindLength(b []byte) []byte { return b[min(4, len(b)):] }

// Truthy reports whether a value counts as true: all do but false, zeros, null, undefined and what is missing.
func Truthy(v bsoncore.Value) bool {
	switch classes[v.Type] {
	case ClassMissing, ClassNull, ClassUndefined:
		return false
	case ClassBoolean:
		return len(v.Data) > 0 && v.Data[0] != 0
	case ClassNumber:
		return compareNumbers(v, bsoncore.Value{Type: Int32, Data: zeros[:4]}) != 0
	default:
		return true
	}
}

// zeros are the bytes of the least values of several types, and only read.
var zeros [17]byte
