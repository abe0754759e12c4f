package value

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// decimal is a decimal128: the integer of hi and lo, times ten to the exp.
type decimal struct {
	neg, nan, inf bool
	hi, lo        uint64
	exp           int
}

// 10^33 and 10^34: the least integers of 34 and of 35 digits.
const (
	digits33hi = 54210108624275
	digits33lo = 4089650035136921600
	digits34hi = 542101086242752
	digits34lo = 4003012203950112768
)

func timesTen(hi, lo uint64) (uint64, uint64) {
	h, l := bits.Mul64(lo, 10)
	return hi*10 + h, l
}

// readDecimal reads a decimal128 in the binary integer format, where a coefficient beyond 34 digits is zero.
func readDecimal(b []byte) decimal {
	if len(b) < 16 {
		return decimal{}
	}
	lo, hi := word(b), word(b[8:])
	d := decimal{neg: hi>>63 == 1}
	switch hi >> 58 & 0x1F {
	case 0x1F:
		return decimal{nan: true}
	case 0x1E:
		d.inf = true
		return d
	}
	if hi>>61&3 == 3 {
		return d
	}
	d.exp = int(hi>>49&0x3FFF) - 6176
	d.hi, d.lo = hi&(1<<49-1), lo
	if d.hi > digits34hi || d.hi == digits34hi && d.lo >= digits34lo {
		d.hi, d.lo = 0, 0
	}
	return d
}

func (d *decimal) sign() int {
	if d.neg {
		return -1
	}
	return 1
}

// trim takes the zeros from the end of the coefficient, and gives small integers the exponent zero.
func (d *decimal) trim() {
	for {
		qhi, r := d.hi/10, d.hi%10
		qlo, r := bits.Div64(r, d.lo, 10)
		if r != 0 {
			break
		}
		d.hi, d.lo, d.exp = qhi, qlo, d.exp+1
	}
	for d.exp > 0 && d.hi == 0 && d.lo < 1<<53/10 {
		d.lo, d.exp = d.lo*10, d.exp-1
	}
}

// coefficient returns hi and lo as a big integer.
func (d *decimal) coefficient() *big.Int {
	n := new(big.Int).SetUint64(d.hi)
	return n.Or(n.Lsh(n, 64), new(big.Int).SetUint64(d.lo))
}

// toDouble returns the greatest double that is not above the magnitude of d, and whether it is that magnitude.
func (d *decimal) toDouble() (float64, bool) {
	if d.hi == 0 && d.lo < 1<<53 && d.exp < 0 && d.exp >= -19 {
		return divide(d.lo, -d.exp)
	}
	c := d.coefficient()
	text := c.Text(10)
	switch first := d.exp + len(text); {
	case first > 310:
		return math.MaxFloat64, false
	case first < -325:
		return 0, false
	}
	f, _ := strconv.ParseFloat(text+"e"+strconv.Itoa(d.exp), 64)
	if math.IsInf(f, 0) {
		return math.MaxFloat64, false
	}
	for {
		switch d.compareTo(c, f) {
		case 0:
			return f, true
		case 1:
			return f, false
		}
		f = math.Nextafter(f, 0)
	}
}

// divide is toDouble for c over 10^n, with c below 2^53 and n at most 19: for prices and the like, without big integers.
func divide(c uint64, n int) (float64, bool) {
	ten := uint64(1)
	for range n {
		ten *= 10
	}
	f := float64(c) / float64(ten)
	for {
		frac, exp := math.Frexp(f)
		hi, lo := bits.Mul64(uint64(frac*(1<<53)), ten) // f as an integer, times 10^n and 2^s
		s := uint(53 - exp)
		chi, clo := c<<(s-64), uint64(0) // c times 2^s
		if s < 64 {
			chi, clo = c>>(64-s), c<<s
		}
		if hi == chi && lo == clo {
			return f, true
		}
		if hi < chi || hi == chi && lo < clo {
			return f, false
		}
		f = math.Nextafter(f, 0)
	}
}

// compareTo compares the magnitude of d, whose coefficient is c, with a finite double that is not negative.
func (d *decimal) compareTo(c *big.Int, f float64) int {
	frac, exp := math.Frexp(f)
	m, e := new(big.Int).SetUint64(uint64(frac*(1<<53))), exp-53
	left, ten := new(big.Int).Set(c), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(d.exp, -d.exp))), nil)
	if d.exp >= 0 {
		left.Mul(left, ten)
	} else {
		m.Mul(m, ten)
	}
	if e >= 0 {
		m.Lsh(m, uint(e))
	} else {
		left.Lsh(left, uint(-e))
	}
	return left.Cmp(m)
}

// truncate cuts d towards zero, as Truncate does.
func (d decimal) truncate() (n int64, fits, exact bool) {
	if d.nan || d.inf {
		return 0, false, false
	}
	if d.hi == 0 && d.lo == 0 {
		return 0, true, true
	}
	d.trim()
	exact = true
	for ; d.exp < 0 && (d.hi != 0 || d.lo != 0); d.exp++ {
		qhi, r := d.hi/10, d.hi%10
		qlo, r := bits.Div64(r, d.lo, 10)
		exact = exact && r == 0
		d.hi, d.lo = qhi, qlo
	}
	for ; d.exp > 0; d.exp-- {
		if d.hi != 0 || d.lo > 1<<63/10 {
			return 0, false, false
		}
		d.lo *= 10
	}
	switch {
	case d.hi != 0, d.lo > 1<<63, d.lo == 1<<63 && !d.neg:
		return 0, false, false
	case d.neg:
		return int64(-d.lo), true, exact
	}
	return int64(d.lo), true, exact
}
