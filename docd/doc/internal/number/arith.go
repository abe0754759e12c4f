package number

import (
	"math"
	"math/bits"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// Widest is the type that arithmetic on a and b gives: decimal before double before int64 before int32.
func Widest(a, b bsoncore.Type) bsoncore.Type {
	for _, t := range [...]bsoncore.Type{bsoncore.TypeDecimal128, bsoncore.TypeDouble, bsoncore.TypeInt64} {
		if a == t || b == t {
			return t
		}
	}
	return bsoncore.TypeInt32
}

// Add adds. exact is false if an int64 ran over, and then the sum is a double.
func Add(a, b Number) (sum Number, exact bool) {
	switch Widest(a.Type, b.Type) {
	case bsoncore.TypeDecimal128:
		d := a.decimal()
		_, _ = context.Add(d, d, b.decimal())
		return fromDecimal(d), true
	case bsoncore.TypeDouble:
		return Double(a.Float() + b.Float()), true
	case bsoncore.TypeInt64:
		s := a.i + b.i
		if (s > a.i) != (b.i > 0) && b.i != 0 {
			return Double(float64(a.i) + float64(b.i)), false
		}
		return Int64(s), true
	default:
		return Int(a.i + b.i), true
	}
}

// Subtract takes b from a, with the same exact as Add.
func Subtract(a, b Number) (difference Number, exact bool) {
	switch Widest(a.Type, b.Type) {
	case bsoncore.TypeDecimal128:
		d := a.decimal()
		_, _ = context.Sub(d, d, b.decimal())
		return fromDecimal(d), true
	case bsoncore.TypeDouble:
		return Double(a.Float() - b.Float()), true
	case bsoncore.TypeInt64:
		s := a.i - b.i
		if (s < a.i) != (b.i > 0) && b.i != 0 {
			return Double(float64(a.i) - float64(b.i)), false
		}
		return Int64(s), true
	default:
		return Int(a.i - b.i), true
	}
}

// Multiply multiplies, with the same exact as Add.
func Multiply(a, b Number) (product Number, exact bool) {
	switch Widest(a.Type, b.Type) {
	case bsoncore.TypeDecimal128:
		d := a.decimal()
		_, _ = context.Mul(d, d, b.decimal())
		return fromDecimal(d), true
	case bsoncore.TypeDouble:
		return Double(float64(a.Float() * b.Float())), true // the conversion forbids a fused multiply-add
	case bsoncore.TypeInt64:
		if p, ok := multiplyInt(a.i, b.i); ok {
			return Int64(p), true
		}
		return Double(float64(float64(a.i) * float64(b.i))), false
	default:
		return Int(a.i * b.i), true
	}
}

func multiplyInt(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	negative := (a < 0) != (b < 0)
	switch {
	case hi != 0 || lo > 1<<63 || lo == 1<<63 && !negative:
		return 0, false
	case negative:
		return -int64(lo), true
	}
	return int64(lo), true
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// Divide divides. The quotient is a decimal or a double, never an integer. b is not zero.
func Divide(a, b Number) Number {
	if Widest(a.Type, b.Type) == bsoncore.TypeDecimal128 {
		return fromDecimal(quotient(a.decimal(), b.decimal()))
	}
	return Double(a.Float() / b.Float())
}

// Mod is the remainder of a by b with the sign of a. b is not zero.
func Mod(a, b Number) Number {
	switch Widest(a.Type, b.Type) {
	case bsoncore.TypeDecimal128:
		return modDecimal(a, b)
	case bsoncore.TypeDouble:
		return Double(math.Mod(a.Float(), b.Float()))
	case bsoncore.TypeInt64:
		if b.i == -1 {
			return Int64(0) // the quotient of the least int64 by it would not fit
		}
		return Int64(a.i % b.i)
	default:
		return Int32(int32(a.i % b.i))
	}
}

// Abs is the number without its sign. ok is false for the least int64, whose magnitude does not fit.
func Abs(n Number) (abs Number, ok bool) {
	switch n.Type {
	case bsoncore.TypeDecimal128:
		n.hi &^= 1 << 63
		return n, true
	case bsoncore.TypeDouble:
		return Double(math.Abs(n.f)), true
	case bsoncore.TypeInt64:
		if n.i == math.MinInt64 {
			return n, false
		}
		return Int64(max(n.i, -n.i)), true
	default:
		return Int(max(n.i, -n.i)), true
	}
}
