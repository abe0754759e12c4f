package number

import (
	"math"

	"github.com/cockroachdb/apd/v3"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// wide computes remainders: the quotient of the largest decimal by the smallest has some 12,300 digits.
var wide = apd.Context{Precision: 13000, MaxExponent: 6144, MinExponent: -6143, Rounding: apd.RoundHalfEven}

func modDecimal(a, b Number) Number {
	d := a.decimal()
	_, _ = wide.Rem(d, d, b.decimal())
	return fromDecimal(d)
}

// Round rounds half to even to place digits behind the point, before it where place is negative, and keeps the type
// but for an int32 that becomes too large. ok is false where an int64 would not hold the result.
func (n Number) Round(place int) (rounded Number, ok bool) {
	if n.Type == bsoncore.TypeDouble && place == 0 {
		return Double(math.RoundToEven(n.f)), true
	}
	return n.quantize(place, apd.RoundHalfEven)
}

// Trunc cuts off what lies behind place digits behind the point, as Round otherwise.
func (n Number) Trunc(place int) (cut Number, ok bool) {
	if n.Type == bsoncore.TypeDouble && place == 0 {
		return Double(math.Trunc(n.f)), true
	}
	return n.quantize(place, apd.RoundDown)
}

// Ceil is the least whole number not under n.
func (n Number) Ceil() Number {
	if n.Type == bsoncore.TypeDouble {
		return Double(math.Ceil(n.f))
	}
	up, _ := n.quantize(0, apd.RoundCeiling)
	return up
}

// Floor is the greatest whole number not over n.
func (n Number) Floor() Number {
	if n.Type == bsoncore.TypeDouble {
		return Double(math.Floor(n.f))
	}
	down, _ := n.quantize(0, apd.RoundFloor)
	return down
}

func (n Number) quantize(place int, mode apd.Rounder) (Number, bool) {
	whole := n.Type == bsoncore.TypeInt32 || n.Type == bsoncore.TypeInt64
	if whole && place >= 0 || n.IsNaN() || n.IsInf() {
		return n, true
	}
	d := n.decimal()
	if n.Type == bsoncore.TypeDouble {
		d = exactDecimal(n.f)
	}
	if d.Exponent >= int32(-place) {
		// Nothing to cut. A decimal is shown with the zeros asked for, as far as it has room for them.
		if n.Type == bsoncore.TypeDecimal128 {
			fit(d, int32(-place))
			return fromDecimal(d), true
		}
		return n, true
	}
	c := context
	c.Rounding = mode
	_, _ = c.Quantize(d, d, int32(-place))
	switch n.Type {
	case bsoncore.TypeDecimal128:
		return fromDecimal(d), true
	case bsoncore.TypeDouble:
		return Double(fromDecimal(d).Float()), true
	default:
	}
	i, err := d.Int64()
	if n.Type == bsoncore.TypeInt32 {
		return Int(i), err == nil
	}
	return Int64(i), err == nil
}
