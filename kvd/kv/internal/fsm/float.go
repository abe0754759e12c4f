package fsm

import (
	"bytes"
	"math/big"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Redis adds in the x87's long double: 64 bits of mantissa, exponents of 2 up to 16384. So do we, so that answers agree
// to the last digit and on every machine.
const (
	floatBits   = 64
	floatMaxExp = 16384
	floatMinExp = -16445
	floatText   = 5 << 10 // bytes; Redis's buffer for a number
)

// incrFloat serves OpKVIncrFloat. The key's expiry stays.
func incrFloat(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVPair
	if err := m.Decode(body); err != nil {
		return err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return err
	}
	by, byOK := parseFloat(m.Value)
	h, val, ok, err := tx.load(0, p)
	if err != nil {
		return err
	}
	sum := newFloat()
	if ok {
		if sum, ok = parseFloat(val); !ok {
			return errNotFloat
		}
	}
	if !byOK {
		return errNotFloat
	}
	if sum.IsInf() || by.IsInf() {
		return errNaN
	}
	if sum.Add(sum, by); sum.MantExp(nil) > floatMaxExp {
		return errNaN
	}
	text := tx.keep(formatFloat(sum))
	ans.Rev, ans.Body = tx.rev, text
	return tx.put(p, wire.TypeString, h.expires, h.expires, text)
}

func newFloat() *big.Float { return new(big.Float).SetPrec(floatBits) }

// parseFloat reads a number as Redis's string2ld does, which is strtold without blanks or anything else around it.
func parseFloat(p []byte) (*big.Float, bool) {
	if len(p) == 0 || len(p) >= floatText {
		return nil, false
	}
	s := string(p)
	sign, digits := false, s
	if s[0] == '+' || s[0] == '-' {
		sign, digits = s[0] == '-', s[1:]
	}
	switch strings.ToLower(digits) {
	case "inf", "infinity":
		return newFloat().SetInf(sign), true
	}
	base := 10
	if len(digits) > 2 && digits[0] == '0' && digits[1]|0x20 == 'x' {
		base, digits = 16, digits[2:]
	}
	if !plainNumber(digits, base) {
		return nil, false
	}
	f, _, err := newFloat().Parse(digits, base)
	if err != nil || f.IsInf() || f.MantExp(nil) > floatMaxExp {
		return nil, false
	}
	if f.Sign() == 0 && strings.ContainsAny(strings.ToLower(mantissa(digits, base)), "123456789abcdef") || f.Sign() != 0 && f.MantExp(nil) < floatMinExp {
		return nil, false // too small to be told from zero: strtold says so, and Redis takes that for an error
	}
	if sign {
		f.Neg(f)
	}
	return f, true
}

// plainNumber lets through digits, at most one point and an exponent, and keeps out what only Go's parser takes.
func plainNumber(s string, base int) bool {
	m := mantissa(s, base)
	if exponent := s[len(m):]; exponent != "" {
		exponent = exponent[1:]
		if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
			exponent = exponent[1:]
		}
		// More than nine digits are out of any range, and would keep the parser busy.
		if exponent == "" || len(exponent) > 9 || strings.Trim(exponent, "0123456789") != "" {
			return false
		}
	}
	whole, part, _ := strings.Cut(m, ".")
	set := "0123456789"
	if base == 16 {
		set += "abcdefABCDEF"
	}
	return whole+part != "" && strings.Trim(whole, set) == "" && strings.Trim(part, set) == ""
}

// mantissa is a number without its exponent.
func mantissa(s string, base int) string {
	marks := "eE"
	if base == 16 {
		marks = "pP"
	}
	if i := strings.IndexAny(s, marks); i >= 0 {
		return s[:i]
	}
	return s
}

// formatFloat writes 17 digits behind the point less the zeros at the end, as Redis does for people.
func formatFloat(f *big.Float) []byte {
	b := f.Append(make([]byte, 0, 40), 'f', 17)
	b = bytes.TrimRight(b, "0")
	b = bytes.TrimSuffix(b, []byte{'.'})
	if len(b) == 2 && b[0] == '-' && b[1] == '0' {
		return b[1:]
	}
	return b
}
