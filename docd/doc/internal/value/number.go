package value

import (
	"cmp"
	"math"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// number is a number of any type, so that numbers of different types can be compared exactly: the nearest double that is
// not farther from zero, and, if that is not the number itself, the number in decimal. Only integers beyond 2^53 and
// decimals have such a rest, and both have at most 34 digits, so the rest is exact.
type number struct {
	double float64 // -0 only where there is a rest
	rest   bool
	exp    int    // of the first digit of the rest
	hi, lo uint64 // the rest's digits, as an integer of exactly 34 digits
}

// numberOf reads a number of any type.
func numberOf(v bsoncore.Value) number {
	switch v.Type {
	case Int32:
		return number{double: float64(int32(half(v.Data)))}
	case Int64:
		return numberOfInt(int64(word(v.Data)))
	case Decimal128:
		return numberOfDecimal(readDecimal(v.Data))
	default:
		f := math.Float64frombits(word(v.Data))
		return number{double: f + 0} // no negative zero
	}
}

func numberOfInt(n int64) number {
	m := uint64(n)
	if n < 0 {
		m = -m
	}
	f := float64(m)
	if uint64(f) == m {
		return number{double: float64(n)}
	}
	if uint64(f) > m {
		f = math.Nextafter(f, 0)
	}
	x := number{double: math.Copysign(f, float64(n)), rest: true}
	x.setDigits(0, m, 0)
	return x
}

func numberOfDecimal(d decimal) number {
	switch {
	case d.nan:
		return number{double: math.NaN()}
	case d.inf:
		return number{double: math.Inf(d.sign())}
	case d.hi == 0 && d.lo == 0:
		return number{}
	}
	d.trim()
	if d.hi == 0 && d.exp == 0 && d.lo <= 1<<53 {
		return number{double: math.Copysign(float64(d.lo), float64(d.sign()))}
	}
	f, exact := d.toDouble()
	x := number{double: math.Copysign(f, float64(d.sign())), rest: !exact}
	if x.rest {
		x.setDigits(d.hi, d.lo, d.exp)
	}
	return x
}

// setDigits takes the integer of hi and lo, times ten to the exp, for the rest.
func (x *number) setDigits(hi, lo uint64, exp int) {
	for hi < digits33hi || hi == digits33hi && lo < digits33lo {
		hi, lo = timesTen(hi, lo)
		exp--
	}
	x.hi, x.lo, x.exp = hi, lo, exp+33
}

// compareNumbers compares two numbers of any types; NaN is less than the others and equal to itself.
func compareNumbers(a, b bsoncore.Value) int {
	switch {
	case a.Type == b.Type && a.Type == Int32:
		return cmp.Compare(int32(half(a.Data)), int32(half(b.Data)))
	case a.Type == b.Type && a.Type == Int64:
		return cmp.Compare(int64(word(a.Data)), int64(word(b.Data)))
	}
	x, y := numberOf(a), numberOf(b)
	if c := cmp.Compare(x.double, y.double); c != 0 {
		return c
	}
	sx, sy := x.side(), y.side()
	if sx != sy || sx == 0 {
		return cmp.Compare(sx, sy)
	}
	return sx * cmp.Or(cmp.Compare(x.exp, y.exp), cmp.Compare(x.hi, y.hi), cmp.Compare(x.lo, y.lo))
}

// side says where from its double the number is: 0 at it, else on the side that is farther from zero.
func (x *number) side() int {
	switch {
	case !x.rest:
		return 0
	case math.Signbit(x.double):
		return -1
	}
	return 1
}

// Int returns a number as an integer, cut towards zero. exact says that it is the number itself; where nothing fits (NaN,
// infinity, beyond int64, no number) it returns 0 and false.
func Int(v bsoncore.Value) (n int64, exact bool) {
	n, _, exact = Truncate(v)
	return n, exact
}

// Truncate returns a number cut towards zero, whether an int64 can hold that, and whether nothing was cut off.
func Truncate(v bsoncore.Value) (n int64, fits, exact bool) {
	switch v.Type {
	case Int32:
		return int64(int32(half(v.Data))), true, true
	case Int64:
		return int64(word(v.Data)), true, true
	case Double:
		f := math.Float64frombits(word(v.Data))
		if f != f || f >= 1<<63 || f < -1<<63 {
			return 0, false, false
		}
		t := math.Trunc(f)
		return int64(t), true, t == f
	case Decimal128:
		return readDecimal(v.Data).truncate()
	default:
		return 0, false, false
	}
}

// IsNaN reports whether v is a number that is none.
func IsNaN(v bsoncore.Value) bool {
	switch v.Type {
	case Double:
		f := math.Float64frombits(word(v.Data))
		return f != f
	case Decimal128:
		return readDecimal(v.Data).nan
	default:
		return false
	}
}
