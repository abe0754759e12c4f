package expr

import (
	"math"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/number"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeSize         = 17124
	codeElemArray    = 28689
	codeElemIndex    = 28690
	codeElemRange    = 28691
	codeInArray      = 40081
	codeConcatArrays = 28664
	codeSliceArray   = 28724
	codeSliceNumber  = 28725
	codeSliceInt     = 28726
	codeSliceSecond  = 28727
	codeSliceThird   = 28728
	codeSlicePositiv = 28729
)

func isArray(_ *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	return boolean(args[0].Type == value.Array), nil
}

func length(v bsoncore.Value) (n int) {
	for r := value.Read(v.Data); r.Next(); {
		n++
	}
	return n
}

func size(s *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	if args[0].Type != value.Array {
		return Missing, value.Errorf(codeSize, "The argument to $size must be an array, but was of type: %s", value.TypeName(args[0].Type))
	}
	return s.int(length(args[0]))
}

// element returns the element i of an array, from the end where i is negative.
func element(v bsoncore.Value, i int64) bsoncore.Value {
	if i < 0 {
		if i += int64(length(v)); i < 0 {
			return Missing
		}
	}
	for r := value.Read(v.Data); r.Next(); i-- {
		if i == 0 {
			return r.Value
		}
	}
	return Missing
}

// int32Of is a number that is an int32 in value.
func int32Of(n number.Number) (int64, bool) {
	i, ok := n.Integer()
	return i, ok && i >= math.MinInt32 && i <= math.MaxInt32
}

func arrayElemAt(_ *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	if nullish(args[0]) || nullish(args[1]) {
		return null, nil
	}
	if args[0].Type != value.Array {
		return Missing, value.Errorf(codeElemArray, "$arrayElemAt's first argument must be an array, but is %s", value.TypeName(args[0].Type))
	}
	n, ok := number.Of(args[1])
	if !ok {
		return Missing, value.Errorf(codeElemIndex, "$arrayElemAt's second argument must be a numeric value, but is %s", value.TypeName(args[1].Type))
	}
	i, ok := int32Of(n)
	if !ok {
		return Missing, value.Errorf(codeElemRange, "$arrayElemAt's second argument must be representable as a 32-bit integer: %s", n)
	}
	return element(args[0], i), nil
}

// endOf is $first and $last.
func endOf(i int64) func(*Scratch, string, []bsoncore.Value) (bsoncore.Value, error) {
	return func(_ *Scratch, name string, args []bsoncore.Value) (bsoncore.Value, error) {
		switch {
		case nullish(args[0]):
			return null, nil
		case args[0].Type != value.Array:
			return Missing, value.Errorf(codeElemArray, "%s's argument must be an array, but is %s", name, value.TypeName(args[0].Type))
		}
		return element(args[0], i), nil
	}
}

func in(_ *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	if args[1].Type != value.Array {
		return Missing, value.Errorf(codeInArray, "$in requires an array as a second argument, found: %s", value.TypeName(args[1].Type))
	}
	for r := value.Read(args[1].Data); r.Next(); {
		if Compare(args[0], r.Value) == 0 {
			return trueVal, nil
		}
	}
	return falseVal, nil
}

func concatArrays(s *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	total := 0
	for _, v := range args {
		total += len(v.Data)
		switch {
		case nullish(v):
			return null, nil
		case v.Type != value.Array:
			return Missing, value.Errorf(codeConcatArrays, "$concatArrays only supports arrays, not %s", value.TypeName(v.Type))
		}
	}
	if total-5*len(args) > maxValue {
		return Missing, value.Errorf(value.BSONObjectTooLarge, "$concatArrays makes an array of over %d bytes, over the limit: concatenate fewer or shorter ones", maxValue)
	}
	mark := len(s.stack)
	for _, v := range args {
		for r := value.Read(v.Data); r.Next(); {
			s.stack = append(s.stack, r.Value)
		}
	}
	return s.array(mark)
}

func slice(s *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	var by [2]int64
	for i, v := range args {
		if nullish(v) {
			return null, nil
		}
		if i == 0 {
			if v.Type != value.Array {
				return Missing, value.Errorf(codeSliceArray, "First argument to $slice must be an array, but is of type: %s", value.TypeName(v.Type))
			}
			continue
		}
		var err error
		if by[i-1], err = sliceNumber(i, v); err != nil {
			return Missing, err
		}
	}
	total := int64(length(args[0]))
	var from, count int64
	switch {
	case len(args) == 3:
		if by[1] <= 0 {
			return Missing, value.Errorf(codeSlicePositiv, "Third argument to $slice must be positive: %d", by[1])
		}
		from, count = by[0], by[1]
		if from < 0 {
			from = max(0, from+total)
		}
	case by[0] < 0:
		from, count = max(0, total+by[0]), -by[0]
	default:
		count = by[0]
	}
	mark, i := len(s.stack), int64(0)
	for r := value.Read(args[0].Data); r.Next() && i < from+count; i++ {
		if i >= from {
			s.stack = append(s.stack, r.Value)
		}
	}
	return s.array(mark)
}

// sliceNumber reads the second or third argument of $slice.
func sliceNumber(i int, v bsoncore.Value) (int64, error) {
	ordinal, badType, badRange := "Second", int32(codeSliceNumber), int32(codeSliceInt)
	if i == 2 {
		ordinal, badType, badRange = "Third", codeSliceSecond, codeSliceThird
	}
	n, ok := number.Of(v)
	if !ok {
		return 0, value.Errorf(badType, "%s argument to $slice must be a numeric value, but is of type: %s", ordinal, value.TypeName(v.Type))
	}
	k, ok := int32Of(n)
	if !ok {
		return 0, value.Errorf(badRange, "%s argument to $slice can't be represented as a 32-bit integer: %s", ordinal, n)
	}
	return k, nil
}
