package number

import (
	"math"

	"github.com/cockroachdb/apd/v3"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// Sum adds up numbers as $sum and $avg do: integers exactly, doubles with the rounding errors carried along in a second
// double (Knuth's two-sum), decimals as decimals. The zero Sum is ready.
type Sum struct {
	count     int64
	typ       bsoncore.Type // the widest so far; 0 before the first
	high, low float64       // of the doubles, and of the integers that total has no room for
	total     int64         // of the integers
	decimal   *apd.Decimal
}

// Add takes one more number into the sum.
func (s *Sum) Add(n Number) {
	s.count++
	if s.typ == 0 {
		s.typ = n.Type
	} else {
		s.typ = Widest(s.typ, n.Type)
	}
	switch n.Type {
	case bsoncore.TypeDecimal128:
		if s.decimal == nil {
			s.decimal = n.decimal()
			return
		}
		_, _ = context.Add(s.decimal, s.decimal, n.decimal())
	case bsoncore.TypeDouble:
		s.addFloat(n.f)
	default:
		t, exact := Add(Int64(s.total), Int64(n.i))
		if exact {
			s.total = t.i
			return
		}
		s.addInt(s.total)
		s.total = n.i
	}
}

// addInt adds an integer of more bits than a double has, in two parts that a double each holds exactly.
func (s *Sum) addInt(n int64) {
	low := n & (1<<32 - 1)
	s.addFloat(float64(n - low))
	s.addFloat(float64(low))
}

func (s *Sum) addFloat(f float64) {
	sum := s.high + f
	back := sum - s.high
	part := (s.high - (sum - back)) + (f - back)
	s.high = sum
	if !math.IsNaN(part) { // of infinities: the sum itself says what they come to
		s.low += part
	}
}

// Count is how many numbers were added.
func (s *Sum) Count() int64 { return s.count }

// Total is the sum, of the widest type that was added; an int64 that ran over becomes a double. Without numbers it is
// the int32 zero.
func (s *Sum) Total() Number {
	switch s.typ {
	case bsoncore.TypeDecimal128:
		return fromDecimal(s.exact())
	case bsoncore.TypeDouble:
		return Double(s.float())
	default:
		return s.integers()
	}
}

// integers is the sum where nothing but integers was added.
func (s *Sum) integers() Number {
	if s.high != 0 || s.low != 0 {
		// What ran over may have come back: the parts are whole numbers, so their decimal is exact.
		if n, ok := fromDecimal(s.exact()).Integer(); ok {
			return Int64(n)
		}
		return Double(s.float())
	}
	if s.typ == bsoncore.TypeInt64 {
		return Int64(s.total)
	}
	return Int(s.total)
}

// Average is the mean, a double or a decimal. ok is false without numbers.
func (s *Sum) Average() (mean Number, ok bool) {
	if s.count == 0 {
		return Number{}, false
	}
	if s.typ == bsoncore.TypeDecimal128 {
		return fromDecimal(quotient(s.exact(), apd.New(s.count, 0))), true
	}
	return Double(s.float() / float64(s.count)), true
}

func (s *Sum) float() float64 {
	t := *s
	t.addInt(s.total)
	if math.IsInf(t.high, 0) {
		return t.high
	}
	return t.high + t.low
}

func (s *Sum) exact() *apd.Decimal {
	d := apd.New(s.total, 0)
	for _, f := range [...]float64{s.high, s.low} {
		if f != 0 {
			_, _ = context.Add(d, d, exactDecimal(f))
		}
	}
	if s.decimal != nil {
		_, _ = context.Add(d, d, s.decimal)
	}
	return d
}
