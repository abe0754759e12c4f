package agg

import (
	"bytes"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/build"
	"github.com/skshohagmiah/flin/docd/doc/internal/expr"
	"github.com/skshohagmiah/flin/docd/doc/internal/number"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// accumulator sums up the values of one group.
type accumulator interface {
	// add takes a value, which is not kept, and returns by how many bytes the accumulator grew.
	add(v bsoncore.Value) (grew int)
	// result appends the outcome to dst and returns its type.
	result(dst []byte) (out []byte, t bsoncore.Type)
}

// accumulators make new accumulators, by the name of the operator.
var accumulators = map[string]func() accumulator{
	"$sum":      func() accumulator { return &sum{} },
	"$avg":      func() accumulator { return &average{} },
	"$min":      func() accumulator { return &extreme{sign: -1} },
	"$max":      func() accumulator { return &extreme{sign: 1} },
	"$first":    func() accumulator { return &edge{} },
	"$last":     func() accumulator { return &edge{last: true} },
	"$push":     func() accumulator { return &list{} },
	"$addToSet": func() accumulator { return &list{seen: map[string]struct{}{}} },
	"$count":    func() accumulator { return &sum{} },
}

// sizeOfAccumulator is about what one takes before it has kept anything, its place in the group included.
const sizeOfAccumulator = 96

// sum is $sum, and $count, which sums ones. What is no number does not count.
type sum struct{ number.Sum }

func (a *sum) add(v bsoncore.Value) int {
	if n, ok := number.Of(v); ok {
		a.Add(n)
	}
	return 0
}

func (a *sum) result(dst []byte) ([]byte, bsoncore.Type) {
	t := a.Total()
	return t.Append(dst), t.Type
}

// average is $avg: null without numbers.
type average struct{ sum }

func (a *average) result(dst []byte) ([]byte, bsoncore.Type) {
	mean, ok := a.Average()
	if !ok {
		return dst, value.Null
	}
	return mean.Append(dst), mean.Type
}

// extreme is $min, of sign -1, and $max. Null and what is missing do not count.
type extreme struct {
	sign int
	kept bsoncore.Value
}

func (a *extreme) add(v bsoncore.Value) int {
	if v.Type == 0 || v.Type == value.Null || v.Type == value.Undefined {
		return 0
	}
	if a.kept.Type != 0 && expr.Compare(v, a.kept)*a.sign <= 0 {
		return 0
	}
	return keep(&a.kept, v)
}

func (a *extreme) result(dst []byte) ([]byte, bsoncore.Type) { return appendKept(dst, a.kept) }

// edge is $first and $last. What is missing becomes null.
type edge struct {
	last, met bool
	kept      bsoncore.Value
}

func (a *edge) add(v bsoncore.Value) int {
	if a.met && !a.last {
		return 0
	}
	a.met = true
	return keep(&a.kept, v)
}

func (a *edge) result(dst []byte) ([]byte, bsoncore.Type) { return appendKept(dst, a.kept) }

// keep copies a value over another and returns by how much more memory it takes.
func keep(kept *bsoncore.Value, v bsoncore.Value) (grew int) {
	before := cap(kept.Data)
	kept.Type, kept.Data = v.Type, append(kept.Data[:0], v.Data...)
	return cap(kept.Data) - before
}

func appendKept(dst []byte, v bsoncore.Value) ([]byte, bsoncore.Type) {
	if v.Type == 0 {
		return dst, value.Null
	}
	return append(dst, v.Data...), v.Type
}

// list is $push, and with seen $addToSet, which leaves out what it has; its elements are in the order in which they came.
type list struct {
	items bytes.Buffer
	n     int
	seen  map[string]struct{}
	key   []byte
}

func (a *list) add(v bsoncore.Value) int {
	if v.Type == 0 {
		return 0
	}
	grew := 0
	if a.seen != nil {
		a.key = value.AppendKey(a.key[:0], v, false)
		if _, ok := a.seen[string(a.key)]; ok {
			return 0
		}
		a.seen[string(a.key)] = struct{}{}
		grew = len(a.key) + sizeOfEntry
	}
	before := a.items.Cap()
	a.items.Write(build.Item(a.items.AvailableBuffer(), a.n, v))
	a.n++
	return grew + a.items.Cap() - before
}

func (a *list) result(dst []byte) ([]byte, bsoncore.Type) {
	at, dst := value.Begin(dst)
	return value.End(append(dst, a.items.Bytes()...), at), value.Array
}
