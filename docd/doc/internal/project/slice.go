package project

import (
	"math"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// slice is $slice: limit elements, after skip of them. A negative skip counts from the end, and without a skip a negative
// limit takes the last ones.
type slice struct{ skip, limit int64 }

// parseSlice reads the operand of $slice: a limit, or skip and limit.
func parseSlice(v bsoncore.Value) (*slice, error) {
	if value.IsNumber(v.Type) {
		n := number(v)
		if n < 0 {
			return &slice{skip: n, limit: math.MaxInt64}, nil
		}
		return &slice{limit: n}, nil
	}
	bad := value.Errorf(value.SliceArguments, "Invalid $slice syntax. The given syntax %s did not match the find() syntax: it takes a number, or an array of two: [ skip, limit ]", value.Text(v))
	if v.Type != value.Array {
		return nil, bad
	}
	var args [2]int64
	n := 0
	for r := value.Read(v.Data); r.Next(); n++ {
		if n == len(args) || !value.IsNumber(r.Value.Type) {
			return nil, bad
		}
		args[n] = number(r.Value)
	}
	switch {
	case n != len(args):
		return nil, bad
	case args[1] <= 0:
		return nil, value.Errorf(value.SliceLimit, "First argument to $slice must be an number, and second argument must be a positive number, but it is %d", args[1])
	}
	return &slice{skip: args[0], limit: args[1]}, nil
}

// number reads an integer, cut to what an int32 holds: no array is longer.
func number(v bsoncore.Value) int64 {
	n, fits, _ := value.Truncate(v)
	if !fits {
		if value.Truthy(v) && value.Compare(v, value.OfInt32(0)) > 0 {
			return math.MaxInt32
		}
		if value.IsNaN(v) {
			return 0
		}
		return math.MinInt32
	}
	return min(max(n, math.MinInt32), math.MaxInt32)
}

// apply appends the piece of an array.
func (s *slice) apply(dst, array []byte) []byte {
	skip := s.skip
	if skip < 0 {
		n := int64(0)
		for r := value.Read(array); r.Next(); {
			n++
		}
		skip = max(0, n+skip)
	}
	start, dst := value.Begin(dst)
	i, out := int64(0), 0
	for r := value.Read(array); r.Next(); i++ {
		if i < skip {
			continue
		}
		if int64(out) >= s.limit {
			break
		}
		dst = append(value.AppendIndexName(append(dst, byte(r.Value.Type)), out), 0)
		dst = append(dst, r.Value.Data...)
		out++
	}
	return value.End(dst, start)
}
