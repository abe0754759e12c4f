package expr

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/number"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const codeConversion = 241

func typeOf(s *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	return text(s, value.TypeName(args[0].Type))
}

// converted makes an operator of a conversion: null and what is missing convert to null.
func converted(to func(s *Scratch, v bsoncore.Value) (bsoncore.Value, error)) func(*Scratch, string, []bsoncore.Value) (bsoncore.Value, error) {
	return func(s *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
		if nullish(args[0]) {
			return null, nil
		}
		return to(s, args[0])
	}
}

func unsupported(v bsoncore.Value, to string) (bsoncore.Value, error) {
	return Missing, value.Errorf(codeConversion, "Unsupported conversion from %s to %s in $convert with no onError value", value.TypeName(v.Type), to)
}

func overflow(v bsoncore.Value) (bsoncore.Value, error) {
	return Missing, value.Errorf(codeConversion, "Conversion would overflow target type in $convert with no onError value: %s", value.Text(v))
}

func toString(s *Scratch, v bsoncore.Value) (bsoncore.Value, error) {
	if n, ok := number.Of(v); ok {
		return text(s, n.String())
	}
	switch v.Type {
	case value.String:
		return v, nil
	case value.Symbol:
		return text(s, value.Str(v))
	case value.Boolean:
		return text(s, strconv.FormatBool(value.Truthy(v)))
	case value.ObjectID:
		return text(s, hex.EncodeToString(v.Data))
	case value.DateTime:
		start := s.beginText()
		s.arena = appendISO(s.arena, millis(v))
		return s.endText(start)
	default:
		return unsupported(v, "string")
	}
}

func toBool(_ *Scratch, v bsoncore.Value) (bsoncore.Value, error) {
	switch {
	case value.IsNumber(v.Type), v.Type == value.Boolean:
		return boolean(value.Truthy(v)), nil
	case v.Type == value.String, v.Type == value.ObjectID, v.Type == value.DateTime, v.Type == value.Binary, v.Type == value.Timestamp:
		return trueVal, nil
	}
	return unsupported(v, "bool")
}

func toInt(s *Scratch, v bsoncore.Value) (bsoncore.Value, error) {
	n, err := whole64(v, "int")
	if err != nil {
		return Missing, err
	}
	if n != int64(int32(n)) {
		return overflow(v)
	}
	return s.number(number.Int32(int32(n)))
}

func toLong(s *Scratch, v bsoncore.Value) (bsoncore.Value, error) {
	if v.Type == value.DateTime {
		return s.number(number.Int64(millis(v)))
	}
	n, err := whole64(v, "long")
	if err != nil {
		return Missing, err
	}
	return s.number(number.Int64(n))
}

// whole64 is a value as a whole number, cut towards zero.
func whole64(v bsoncore.Value, to string) (int64, error) {
	if n, ok := number.Of(v); ok {
		i, fits := n.Truncated()
		switch {
		case fits:
			return i, nil
		case n.IsNaN():
			return 0, value.Errorf(codeConversion, "Attempt to convert NaN value to integer type in $convert with no onError value")
		case n.IsInf():
			return 0, value.Errorf(codeConversion, "Attempt to convert infinity value to integer type in $convert with no onError value")
		}
		_, err := overflow(v)
		return 0, err
	}
	switch v.Type {
	case value.Boolean:
		if value.Truthy(v) {
			return 1, nil
		}
		return 0, nil
	case value.String:
		n, err := strconv.ParseInt(string(value.Str(v)), 10, 64)
		if err != nil {
			return 0, unparsed(v)
		}
		return n, nil
	default:
		_, err := unsupported(v, to)
		return 0, err
	}
}

func unparsed(v bsoncore.Value) error {
	return value.Errorf(codeConversion, "Failed to parse number %s in $convert with no onError value", value.Text(v))
}

func toDouble(s *Scratch, v bsoncore.Value) (bsoncore.Value, error) {
	if n, ok := number.Of(v); ok {
		f := n.Float()
		if math.IsInf(f, 0) && !n.IsInf() {
			return overflow(v)
		}
		return s.number(number.Double(f))
	}
	switch v.Type {
	case value.Boolean:
		f := 0.0
		if value.Truthy(v) {
			f = 1
		}
		return s.number(number.Double(f))
	case value.DateTime:
		return s.number(number.Double(float64(millis(v))))
	case value.String:
		t := string(value.Str(v))
		f, err := strconv.ParseFloat(t, 64)
		if err != nil || strings.ContainsAny(t, "xXpP_") { // what only Go's parser takes
			return Missing, unparsed(v)
		}
		return s.number(number.Double(f))
	default:
		return unsupported(v, "double")
	}
}
