package number

import (
	"encoding/binary"
	"math"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// Number is a BSON number, unpacked. The zero Number is no number; Of and the functions named for types make one.
type Number struct {
	// Type is TypeInt32, TypeInt64, TypeDouble or TypeDecimal128.
	Type bsoncore.Type

	i      int64 // of both integers
	f      float64
	hi, lo uint64 // of a decimal
}

// Of unpacks v. It reports false for what is no number, or has too few bytes.
func Of(v bsoncore.Value) (Number, bool) {
	d := v.Data
	switch {
	case v.Type == bsoncore.TypeInt32 && len(d) >= 4:
		return Number{Type: v.Type, i: int64(int32(binary.LittleEndian.Uint32(d)))}, true
	case v.Type == bsoncore.TypeInt64 && len(d) >= 8:
		return Number{Type: v.Type, i: int64(binary.LittleEndian.Uint64(d))}, true
	case v.Type == bsoncore.TypeDouble && len(d) >= 8:
		return Number{Type: v.Type, f: math.Float64frombits(binary.LittleEndian.Uint64(d))}, true
	case v.Type == bsoncore.TypeDecimal128 && len(d) >= 16:
		return Number{Type: v.Type, lo: binary.LittleEndian.Uint64(d), hi: binary.LittleEndian.Uint64(d[8:])}, true
	}
	return Number{}, false
}

// Int32 is the number as an int32.
func Int32(n int32) Number { return Number{Type: bsoncore.TypeInt32, i: int64(n)} }

// Int64 is the number as an int64.
func Int64(n int64) Number { return Number{Type: bsoncore.TypeInt64, i: n} }

// Int is the number as an int32 if it fits, else as an int64.
func Int(n int64) Number {
	if n == int64(int32(n)) {
		return Int32(int32(n))
	}
	return Int64(n)
}

// Double is the number as a double.
func Double(f float64) Number { return Number{Type: bsoncore.TypeDouble, f: f} }

// Append appends the number's bytes, without its type, to dst.
func (n Number) Append(dst []byte) []byte {
	switch n.Type {
	case bsoncore.TypeInt32:
		return binary.LittleEndian.AppendUint32(dst, uint32(n.i))
	case bsoncore.TypeInt64:
		return binary.LittleEndian.AppendUint64(dst, uint64(n.i))
	case bsoncore.TypeDouble:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(n.f))
	case bsoncore.TypeDecimal128:
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, n.lo), n.hi)
	default:
		return dst
	}
}

// Float is the number as the nearest double.
func (n Number) Float() float64 {
	switch n.Type {
	case bsoncore.TypeDouble:
		return n.f
	case bsoncore.TypeDecimal128:
		return n.decimalFloat()
	default:
		return float64(n.i)
	}
}

// Integer is the number as an int64. It reports false if it has a fraction, is out of range or no number.
func (n Number) Integer() (int64, bool) {
	switch n.Type {
	case bsoncore.TypeDouble:
		return n.i64(n.f == math.Trunc(n.f))
	case bsoncore.TypeDecimal128:
		d := n.decimal()
		if d.Form != 0 {
			return 0, false
		}
		i, err := d.Int64()
		return i, err == nil
	default:
		return n.i, n.Type != 0
	}
}

// Truncated is the number without its fraction as an int64. It reports false if that is out of range.
func (n Number) Truncated() (int64, bool) {
	switch n.Type {
	case bsoncore.TypeDouble:
		return n.i64(true)
	case bsoncore.TypeDecimal128:
		t, ok := n.Trunc(0)
		if !ok {
			return 0, false
		}
		return t.Integer()
	default:
		return n.i, n.Type != 0
	}
}

// i64 converts a double in range. The bounds are what a double can say: 2^63 itself does not fit.
func (n Number) i64(ok bool) (int64, bool) {
	if !ok || math.IsNaN(n.f) || n.f < -1<<63 || n.f >= 1<<63 {
		return 0, false
	}
	return int64(n.f), true
}

// IsZero reports a zero of either sign.
func (n Number) IsZero() bool {
	switch n.Type {
	case bsoncore.TypeDouble:
		return n.f == 0
	case bsoncore.TypeDecimal128:
		d := n.decimal()
		return d.IsZero()
	default:
		return n.i == 0
	}
}

// IsNaN reports a double or decimal that is not a number.
func (n Number) IsNaN() bool {
	return n.Type == bsoncore.TypeDouble && math.IsNaN(n.f) || n.Type == bsoncore.TypeDecimal128 && n.hi>>58&0x1F == 0x1F
}

// IsInf reports an infinity of either sign.
func (n Number) IsInf() bool {
	return n.Type == bsoncore.TypeDouble && math.IsInf(n.f, 0) || n.Type == bsoncore.TypeDecimal128 && n.hi>>58&0x1F == 0x1E
}

// Zero is the zero of the number's type, which is what $mul makes of a missing field.
func (n Number) Zero() Number {
	if n.Type == bsoncore.TypeDecimal128 {
		return Number{Type: n.Type, hi: decimalBias << 49}
	}
	return Number{Type: n.Type}
}
