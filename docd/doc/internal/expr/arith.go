package expr

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/number"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeTwoDates     = 16612
	codeModZero      = 16610
	codeModType      = 16611
	codeAbsLeast     = 28680
	codeNumericOnly  = 28765
	codeRoundType    = 51081
	codeRoundPlace   = 51082
	codeRoundRange   = 51083
	codeRoundResult  = 51080
	leastRoundPlace  = -20
	largestRoundAway = 100
)

func add(s *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	sum, date := number.Int32(0), false
	for _, v := range args {
		n, ok := number.Of(v)
		switch {
		case ok:
		case nullish(v):
			return null, nil
		case v.Type == value.DateTime && date:
			return Missing, value.Errorf(codeTwoDates, "only one date allowed in an $add expression")
		case v.Type == value.DateTime:
			date = true
			n = number.Int64(millis(v))
		default:
			return Missing, value.Errorf(value.TypeMismatch, "$add only supports numeric or date types, not %s", value.TypeName(v.Type))
		}
		sum, _ = number.Add(sum, n)
	}
	if !date {
		return s.number(sum)
	}
	return s.date(sum)
}

// date makes a date of milliseconds that were computed.
func (s *Scratch) date(n number.Number) (bsoncore.Value, error) {
	if rounded, ok := n.Round(0); ok {
		if ms, ok := rounded.Integer(); ok {
			return s.dateOf(ms)
		}
	}
	return Missing, value.Errorf(value.Overflow, "date overflow: %s milliseconds are out of a date's range", n)
}

func (s *Scratch) dateOf(ms int64) (bsoncore.Value, error) {
	start := len(s.arena)
	s.arena = number.Int64(ms).Append(s.arena)
	return s.made(value.DateTime, start)
}

func subtract(s *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	a, b := args[0], args[1]
	left, leftOK := number.Of(a)
	right, rightOK := number.Of(b)
	switch {
	case leftOK && rightOK:
		d, _ := number.Subtract(left, right)
		return s.number(d)
	case nullish(a) || nullish(b):
		return null, nil
	case a.Type == value.DateTime && b.Type == value.DateTime:
		d, exact := number.Subtract(number.Int64(millis(a)), number.Int64(millis(b)))
		if !exact {
			return Missing, value.Errorf(value.Overflow, "date overflow in $subtract")
		}
		return s.number(d)
	case a.Type == value.DateTime && rightOK:
		d, _ := number.Subtract(number.Int64(millis(a)), right)
		return s.date(d)
	}
	return Missing, value.Errorf(value.TypeMismatch, "can't $subtract %s from %s", value.TypeName(b.Type), value.TypeName(a.Type))
}

func multiply(s *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	product := number.Int32(1)
	for _, v := range args {
		n, ok := number.Of(v)
		switch {
		case ok:
		case nullish(v):
			return null, nil
		default:
			return Missing, value.Errorf(value.TypeMismatch, "$multiply only supports numeric types, not %s", value.TypeName(v.Type))
		}
		product, _ = number.Multiply(product, n)
	}
	return s.number(product)
}

// twoNumbers reads the operands of $divide and $mod. isNull says that one is null and so is the result.
func twoNumbers(name string, code int32, args []bsoncore.Value) (a, b number.Number, isNull bool, err error) {
	a, ok := number.Of(args[0])
	b, also := number.Of(args[1])
	switch {
	case ok && also:
		return a, b, false, nil
	case nullish(args[0]) || nullish(args[1]):
		return a, b, true, nil
	}
	return a, b, false, value.Errorf(code, "%s only supports numeric types, not %s and %s", name, value.TypeName(args[0].Type), value.TypeName(args[1].Type))
}

func divide(s *Scratch, name string, args []bsoncore.Value) (bsoncore.Value, error) {
	a, b, isNull, err := twoNumbers(name, value.TypeMismatch, args)
	switch {
	case err != nil:
		return Missing, err
	case isNull:
		return null, nil
	case b.IsZero():
		return Missing, value.Errorf(value.BadValue, "can't $divide by zero")
	}
	return s.number(number.Divide(a, b))
}

func mod(s *Scratch, name string, args []bsoncore.Value) (bsoncore.Value, error) {
	a, b, isNull, err := twoNumbers(name, codeModType, args)
	switch {
	case err != nil:
		return Missing, err
	case isNull:
		return null, nil
	case b.IsZero():
		return Missing, value.Errorf(codeModZero, "can't $mod by zero")
	}
	return s.number(number.Mod(a, b))
}

func abs(s *Scratch, name string, args []bsoncore.Value) (bsoncore.Value, error) {
	n, isNull, err := oneNumber(name, args[0])
	if err != nil || isNull {
		return null, err
	}
	a, ok := number.Abs(n)
	if !ok {
		return Missing, value.Errorf(codeAbsLeast, "can't take $abs of long long min")
	}
	return s.number(a)
}

func ceil(s *Scratch, name string, args []bsoncore.Value) (bsoncore.Value, error) {
	n, isNull, err := oneNumber(name, args[0])
	if err != nil || isNull {
		return null, err
	}
	return s.number(n.Ceil())
}

func floor(s *Scratch, name string, args []bsoncore.Value) (bsoncore.Value, error) {
	n, isNull, err := oneNumber(name, args[0])
	if err != nil || isNull {
		return null, err
	}
	return s.number(n.Floor())
}

func oneNumber(name string, v bsoncore.Value) (n number.Number, isNull bool, err error) {
	n, ok := number.Of(v)
	if !ok && !nullish(v) {
		err = value.Errorf(codeNumericOnly, "%s only supports numeric types, not %s", name, value.TypeName(v.Type))
	}
	return n, !ok, err
}

// round serves $round and $trunc.
func round(s *Scratch, name string, args []bsoncore.Value) (bsoncore.Value, error) {
	place := int64(0)
	if len(args) == 2 {
		if nullish(args[1]) {
			return null, nil
		}
		p, ok := number.Of(args[1])
		if ok {
			place, ok = p.Integer()
		}
		if !ok {
			return Missing, value.Errorf(codeRoundPlace, "precision argument to  %s must be a integral value", name)
		}
		if place < leastRoundPlace || place > largestRoundAway {
			return Missing, value.Errorf(codeRoundRange, "cannot apply %s with precision value %d value must be in [%d, %d]", name, place, leastRoundPlace, largestRoundAway)
		}
	}
	n, ok := number.Of(args[0])
	if !ok {
		if nullish(args[0]) {
			return null, nil
		}
		return Missing, value.Errorf(codeRoundType, "%s only supports numeric types, not %s", name, value.TypeName(args[0].Type))
	}
	shorten := n.Round
	if name == "$trunc" {
		shorten = n.Trunc
	}
	r, ok := shorten(int(place))
	if !ok {
		return Missing, value.Errorf(codeRoundResult, "the result of %s of %s to %d places is out of an int64's range", name, n, place)
	}
	return s.number(r)
}
