package number

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// parse reads a number as the tables write it: 1 is an int32, 1l an int64, 1. or 1e3 a double, 1d a decimal.
func parse(t testing.TB, s string) Number {
	t.Helper()
	switch {
	case strings.HasSuffix(s, "d"):
		n, ok := ParseDecimal(strings.TrimSuffix(s, "d"))
		if !ok {
			t.Fatalf("%q is no decimal", s)
		}
		return n
	case strings.HasSuffix(s, "l"):
		i, err := strconv.ParseInt(strings.TrimSuffix(s, "l"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return Int64(i)
	case strings.ContainsAny(s, ".einN"):
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return Double(f)
	}
	i, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return Int32(int32(i))
}

func show(n Number) string {
	s := n.String()
	switch n.Type {
	case bsoncore.TypeDecimal128:
		return s + "d"
	case bsoncore.TypeInt64:
		return s + "l"
	case bsoncore.TypeDouble:
		if !strings.ContainsAny(s, ".einN") {
			s += "."
		}
	}
	return s
}

func TestArithmeticPromotesAsMongoDBDoes(t *testing.T) {
	first := func(f func(a, b Number) (Number, bool)) func(a, b Number) Number {
		return func(a, b Number) Number {
			n, _ := f(a, b)
			return n
		}
	}
	ops := map[string]func(a, b Number) Number{
		"+": first(Add), "-": first(Subtract), "*": first(Multiply), "/": Divide, "%": Mod,
		"round": func(a, b Number) Number { n, _ := a.Round(int(b.i)); return n },
		"trunc": func(a, b Number) Number { n, _ := a.Trunc(int(b.i)); return n },
		"ceil":  func(a, _ Number) Number { return a.Ceil() },
		"floor": func(a, _ Number) Number { return a.Floor() },
		"abs":   func(a, _ Number) Number { n, _ := Abs(a); return n },
	}
	for _, line := range []string{
		"1 + 2 = 3", "2147483647 + 1 = 2147483648l", "1 + 2l = 3l", "1 + 0.5 = 1.5", "1l + 1. = 2.",
		"9223372036854775807l + 1 = 9.223372036854776e+18", "-9223372036854775808l + -1 = -9.223372036854776e+18",
		"9223372036854775807l + 0 = 9223372036854775807l", "1 + 1.5d = 2.5d", "0.1 + 0d = 0.100000000000000d",
		"2.0d + 1.50d = 3.50d", "-2147483648 - 1 = -2147483649l", "-9223372036854775808l - 1l = -9.223372036854776e+18",
		"65536 * 65536 = 4294967296l", "4294967296l * 4294967296l = 1.8446744073709552e+19", "-4294967296l * 2147483648l = -9223372036854775808l",
		"9223372036854775807l * 1l = 9223372036854775807l", "3 * 0.5 = 1.5", "1.20d * 3d = 3.60d",
		"1 / 2 = 0.5", "1d / 3 = 0.3333333333333333333333333333333333d", "4l / 2l = 2.", "2.40d / 2d = 1.20d", "1d / 8d = 0.125d",
		"7 % 3 = 1", "-7 % 3 = -1", "7 % 2.5 = 2.", "-9223372036854775808l % -1l = 0l", "7.5d % 2d = 1.5d", "1E6144d % 7d = 1d",
		"-2147483648 % -1 = 0", "9.999999999999999999999999999999999E6144d * 10d = Infinityd", "1E6144d + -1E6144d = 0E+6111d",
		"2.5 round 0 = 2.", "3.5 round 0 = 4.", "-2.5 round 0 = -2.", "2.345 round 2 = 2.35", "1234.5678 round 2 = 1234.57",
		"1234.5678 round -2 = 1200.", "15 round -1 = 20", "25 round -1 = 20", "25 round 1 = 25", "2147483647 round -1 = 2147483650l",
		"2.345d round 2 = 2.34d", "2.5d round 3 = 2.500d", "1.65 trunc 1 = 1.6", "-19 trunc -1 = -10", "2.9d trunc 0 = 2d",
		"NaN round 2 = NaN", "Infinityd round 1 = Infinityd", "1e300 round 2 = 1e+300", "5 round -10 = 0", "2.5d round 100 = 2.500000000000000000000000000000000d",
		"1.2 ceil 0 = 2.", "-1.2 ceil 0 = -1.", "1.2d ceil 0 = 2d", "-1.2d floor 0 = -2d", "3 floor 0 = 3", "1E10d ceil 0 = 10000000000d",
		"-5 abs 0 = 5", "-2147483648 abs 0 = 2147483648l", "-1.5 abs 0 = 1.5", "-1.5d abs 0 = 1.5d",
		"NaNd + 1 = NaNd", "Infinityd - Infinityd = NaNd", "1E-6176d / 10d = 0E-6176d",
	} {
		f := strings.Fields(line)
		if got := show(ops[f[1]](parse(t, f[0]), parse(t, f[2]))); got != f[4] {
			t.Errorf("%s: got %s", line, got)
		}
	}
}

func TestWhatDoesNotFitIsSaid(t *testing.T) {
	if _, exact := Add(Int64(math.MaxInt64), Int32(1)); exact {
		t.Error("a sum over int64 was called exact")
	}
	if _, exact := Subtract(Int64(math.MinInt64), Int32(1)); exact {
		t.Error("a difference under int64 was called exact")
	}
	if _, exact := Multiply(Int64(math.MinInt64), Int32(-1)); exact {
		t.Error("a product over int64 was called exact")
	}
	if _, ok := Abs(Int64(math.MinInt64)); ok {
		t.Error("the magnitude of the least int64 fitted")
	}
	if _, ok := Int64(math.MaxInt64).Round(-1); ok {
		t.Error("a rounded int64 over its range fitted")
	}
	for _, s := range []string{"9223372036854775808.", "NaN", "inf", "1.5", "1.5d", "NaNd", "Infinityd", "1E30d"} {
		if i, ok := parse(t, s).Integer(); ok {
			t.Errorf("%s is the integer %d", s, i)
		}
	}
	for _, s := range []string{"7", "7l", "7.", "7.9", "7.9d", "7d", "0.7E1d"} {
		if i, ok := parse(t, s).Truncated(); !ok || i != 7 {
			t.Errorf("%s truncated is %d, %v", s, i, ok)
		}
	}
}

func TestSumsAreOfTheWidestType(t *testing.T) {
	for _, c := range []struct{ in, total, mean string }{
		{"1 2 3", "6", "2."},
		{"2147483647 1", "2147483648l", "1073741824."},
		{"1l 2", "3l", "1.5"},
		{"9223372036854775807l 1 -1", "9223372036854775807l", "3.0744573456182584e+18"},
		{"9223372036854775807l 1", "9.223372036854776e+18", "4.611686018427388e+18"},
		{"0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1.", "5.5", "0.55"},
		{"1e100 1. -1e100", "1.", "0.3333333333333333"},
		{"inf 1.", "Infinity.", "Infinity."},
		{"1 2.5d", "3.5d", "1.75d"},
		{"1 2d", "3d", "1.5d"},
	} {
		var s Sum
		for f := range strings.FieldsSeq(c.in) {
			s.Add(parse(t, f))
		}
		mean, _ := s.Average()
		if got := show(s.Total()); strings.TrimSuffix(got, ".") != strings.TrimSuffix(c.total, ".") {
			t.Errorf("sum of %s: got %s, want %s", c.in, got, c.total)
		}
		if got := show(mean); strings.TrimSuffix(got, ".") != strings.TrimSuffix(c.mean, ".") {
			t.Errorf("mean of %s: got %s, want %s", c.in, got, c.mean)
		}
	}
}

func FuzzDecimals(f *testing.F) {
	for _, s := range []string{"1d", "NaNd", "-Infinityd", "9.999999999999999999999999999999999E6144d", "1E-6176d", "0E6111d"} {
		n := parse(f, s)
		f.Add(n.hi, n.lo, uint64(3)<<49, uint64(7))
	}
	f.Fuzz(func(t *testing.T, ah, al, bh, bl uint64) {
		a, b := Number{Type: bsoncore.TypeDecimal128, hi: ah, lo: al}, Number{Type: bsoncore.TypeDecimal128, hi: bh, lo: bl}
		sum, _ := Add(a, b)
		back, _ := Add(b, a)
		if sum != back {
			t.Fatalf("%s + %s is %s, turned round %s", a, b, sum, back)
		}
		_, _ = Subtract(a, b)
		_, _ = Multiply(a, b)
		if !b.IsZero() {
			_, _ = Divide(a, b), Mod(a, b)
		}
		for _, place := range []int{-20, 0, 2, 100} {
			_, _ = a.Round(place)
			_, _ = a.Trunc(place)
		}
		_, _, _ = a.Ceil(), a.Floor(), a.Float()
		var s Sum
		s.Add(a)
		s.Add(Double(b.Float()))
		s.Total()
	})
}
