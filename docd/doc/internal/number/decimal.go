package number

import (
	"math/big"
	"strconv"

	"github.com/cockroachdb/apd/v3"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

const (
	decimalBias   = 6176 // the exponent 0, as a decimal128 stores it
	decimalDigits = 34
	// doubleDigits are what MongoDB takes of a double when it makes a decimal of it: all that a double surely holds.
	doubleDigits = 15
)

// context is decimal128's arithmetic. It traps nothing: an overflow is an infinity, as in MongoDB. It is only read.
var context = apd.Context{
	Precision: decimalDigits, MaxExponent: 6144, MinExponent: -6143, Rounding: apd.RoundHalfEven,
}

// decimal unpacks the number for apd, whatever its type.
func (n Number) decimal() *apd.Decimal {
	switch n.Type {
	case bsoncore.TypeDouble:
		return floatDecimal(n.f, doubleDigits)
	case bsoncore.TypeDecimal128:
	default:
		return apd.New(n.i, 0)
	}
	d := new(apd.Decimal)
	coeff, exp, err := bson.NewDecimal128(n.hi, n.lo).BigInt()
	switch {
	case n.IsNaN():
		d.Form = apd.NaN
		return d
	case err != nil:
		d.Form = apd.Infinite
	default:
		d.Exponent = int32(exp)
		d.Coeff.SetMathBigInt(coeff.Abs(coeff))
		if d.NumDigits() > decimalDigits {
			// The coefficient has room for a little more than 34 digits; the standard reads such bits as a zero.
			d.Coeff.SetInt64(0)
		}
	}
	d.Negative = n.hi>>63 != 0
	return d
}

// floatDecimal is f with so many significant digits.
func floatDecimal(f float64, digits int) *apd.Decimal {
	text := strconv.FormatFloat(f, 'e', digits-1, 64)
	d, _, err := context.NewFromString(text)
	if err != nil {
		return &apd.Decimal{Form: apd.NaN}
	}
	return d
}

// exactDecimal is f with 34 digits less the zeros at the end, for sums and for rounding, where 15 would be too few.
func exactDecimal(f float64) *apd.Decimal {
	d := floatDecimal(f, decimalDigits)
	if d.Form == apd.Finite {
		if d.IsZero() {
			d.Exponent = 0
		} else {
			d.Reduce(d)
			if d.Exponent > 0 {
				fit(d, 0)
			}
		}
	}
	return d
}

// fit lowers the exponent to at most high by zeros behind the coefficient, as far as 34 digits allow.
func fit(d *apd.Decimal, high int32) {
	for d.Exponent > high && (d.IsZero() || d.NumDigits() < decimalDigits) {
		if d.IsZero() {
			d.Exponent = high
			return
		}
		by := min(d.Exponent-high, int32(decimalDigits-d.NumDigits()))
		ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(by)), nil)
		d.Coeff.SetMathBigInt(ten.Mul(ten, d.Coeff.MathBigInt()))
		d.Exponent -= by
	}
}

// quotient divides into x. An exact quotient has the exponent that the standard prefers, where apd fills up with zeros.
func quotient(x, y *apd.Decimal) *apd.Decimal {
	ideal := x.Exponent - y.Exponent
	conditions, _ := context.Quo(x, x, y)
	if x.Form == apd.Finite && !conditions.Inexact() && !x.IsZero() && x.Exponent < ideal {
		x.Reduce(x)
		fit(x, ideal)
	}
	return x
}

// fromDecimal packs what apd computed in context.
func fromDecimal(d *apd.Decimal) Number {
	n := Number{Type: bsoncore.TypeDecimal128}
	switch d.Form {
	case apd.Infinite:
		n.hi = 0x1E << 58
	case apd.NaN, apd.NaNSignaling:
		n.hi = 0x1F << 58
		return n // NaN has no sign that means anything: one form for all
	case apd.Finite:
		fit(d, bson.MaxDecimal128Exp)
		p, ok := bson.ParseDecimal128FromBigInt(d.Coeff.MathBigInt(), int(d.Exponent))
		if !ok {
			n.hi = 0x1E << 58 // only what is too large is left
			break
		}
		n.hi, n.lo = p.GetBytes()
	}
	if d.Negative {
		n.hi |= 1 << 63
	}
	return n
}

// Decimal is the number as a decimal.
func (n Number) Decimal() Number {
	if n.Type == bsoncore.TypeDecimal128 {
		return n
	}
	return fromDecimal(n.decimal())
}

// ParseDecimal reads a decimal as MongoDB writes it.
func ParseDecimal(s string) (Number, bool) {
	p, err := bson.ParseDecimal128(s)
	if err != nil {
		return Number{}, false
	}
	hi, lo := p.GetBytes()
	return Number{Type: bsoncore.TypeDecimal128, hi: hi, lo: lo}, true
}

func (n Number) decimalFloat() float64 {
	// A text is the one road to a double that rounds once; out of range it gives the infinity of the right sign.
	f, _ := strconv.ParseFloat(n.String(), 64)
	return f
}
