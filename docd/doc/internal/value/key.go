package value

import (
	"encoding/binary"
	"math"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// AppendKey appends a key of v such that keys are in the order of Compare as bytes: two are equal if and only if Compare
// is 0. No key is the beginning of another one, so the order holds where further keys follow. With desc all bits are
// inverted, which turns the order round.
//
// A key is the class and then: for numbers the double (see number) in order-preserving form and its rest; for strings their
// bytes, escaped, and NUL; for documents class, name and value of each element, then NUL; for arrays the same without the
// names; for other types fixed bytes, or length and bytes.
func AppendKey(dst []byte, v bsoncore.Value, desc bool) []byte {
	from := len(dst)
	dst = append(dst, byte(classes[v.Type]))
	dst = appendBody(dst, v, 0)
	if desc {
		invert(dst[from:])
	}
	return dst
}

// AppendMin appends the bound of a class on the side of its least value. Between it and AppendMax, byte by byte, are all
// keys of the class and no others. With desc it is the upper bound, to be left out, and AppendMax is the lower one.
func AppendMin(dst []byte, c Class, desc bool) []byte {
	if desc {
		return append(dst, ^byte(c)+1)
	}
	return append(dst, byte(c))
}

// AppendMax appends the bound of a class on the side of its greatest value (see AppendMin). Without desc it is the upper
// bound, to be left out.
func AppendMax(dst []byte, c Class, desc bool) []byte {
	if desc {
		return append(dst, ^byte(c))
	}
	return append(dst, byte(c)+1)
}

func invert(b []byte) {
	for len(b) >= 8 {
		binary.NativeEndian.PutUint64(b, ^binary.NativeEndian.Uint64(b))
		b = b[8:]
	}
	for i := range b {
		b[i] = ^b[i]
	}
}

const signBit = 1 << 63

// appendBody appends what follows the class.
func appendBody(dst []byte, v bsoncore.Value, depth int) []byte {
	switch classes[v.Type] {
	case ClassNumber:
		return appendNumber(dst, v)
	case ClassString, ClassCode:
		return appendText(dst, Str(v))
	case ClassDocument, ClassArray:
		return appendElements(dst, v.Data, v.Type == Document, depth+1)
	case ClassObjectID:
		return append(append(dst, v.Data...), zeros[:max(0, 12-len(v.Data))]...)
	case ClassBoolean:
		if Truthy(v) {
			return append(dst, 1)
		}
		return append(dst, 0)
	case ClassDateTime:
		return binary.BigEndian.AppendUint64(dst, word(v.Data)^signBit)
	case ClassTimestamp:
		return binary.BigEndian.AppendUint64(dst, word(v.Data))
	case ClassBinary, ClassDBPointer:
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(v.Data)))
		return append(dst, behindLength(v.Data)...)
	case ClassRegex:
		pattern, options := regexParts(v.Data)
		dst = append(append(dst, pattern...), 0)
		return append(append(dst, options...), 0)
	case ClassCodeScope:
		code, scope := scopeParts(v.Data)
		return appendElements(appendText(dst, code), scope, true, depth+1)
	default: // the class says it all
		return dst
	}
}

// appendText appends bytes so that a NUL can end them: NUL becomes 1 1, and 1 becomes 1 2.
func appendText(dst, s []byte) []byte {
	from := 0
	for i, c := range s {
		if c > 1 {
			continue
		}
		dst = append(append(dst, s[from:i]...), 1, c+1)
		from = i + 1
	}
	return append(append(dst, s[from:]...), 0)
}

func appendElements(dst, doc []byte, names bool, depth int) []byte {
	if depth > deepest {
		return appendText(dst, doc)
	}
	for r := Read(doc); r.Next(); {
		dst = append(dst, byte(classes[r.Value.Type]))
		if names {
			dst = append(append(dst, r.Name...), 0)
		}
		dst = appendBody(dst, r.Value, depth)
	}
	return append(dst, 0)
}

// appendNumber appends the double, turned so that doubles are in order as unsigned integers, and 0 if it has no rest, else
// 1, the exponent and the digits. Below zero all bits are inverted, for there the rest leads down. NaN comes first.
func appendNumber(dst []byte, v bsoncore.Value) []byte {
	x := numberOf(v)
	if x.double != x.double {
		return append(dst, zeros[:9]...)
	}
	from, u := len(dst), math.Float64bits(x.double)
	dst = binary.BigEndian.AppendUint64(dst, u|signBit)
	if !x.rest {
		dst = append(dst, 0)
	} else {
		dst = append(dst, 1)
		dst = binary.BigEndian.AppendUint16(dst, uint16(x.exp+1<<15))
		dst = binary.BigEndian.AppendUint64(dst, x.hi)
		dst = binary.BigEndian.AppendUint64(dst, x.lo)
	}
	if u&signBit != 0 {
		invert(dst[from:])
	}
	return dst
}
