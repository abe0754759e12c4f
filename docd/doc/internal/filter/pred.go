package filter

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// pred is a condition on a single value, which may be missing.
type pred interface {
	test(v bsoncore.Value) bool
	// spreads says whether an array at the end of a path is looked at element by element, before it is as a whole.
	spreads() bool
	// ranges returns where in an index the values are that meet the condition; ok is false if that could be anywhere.
	// exact says that all values there do.
	ranges() (r []Interval, exact, ok bool)
}

// spread is embedded in conditions that look at the elements of an array.
type spread struct{}

func (spread) spreads() bool { return true }

// equals is $eq, and a value in the place of operators. Null also stands for what is missing.
type equals struct {
	spread
	v bsoncore.Value
}

func (p *equals) test(v bsoncore.Value) bool {
	if v.Type == value.Missing {
		return p.v.Type == value.Null
	}
	return value.Equal(v, p.v)
}

type comparison uint8

const (
	less comparison = iota
	lessOrEqual
	greater
	greaterOrEqual
)

// compares is $lt, $lte, $gt or $gte: it holds among values of one class only.
type compares struct {
	spread
	op comparison
	v  bsoncore.Value
}

func (p *compares) test(v bsoncore.Value) bool {
	inclusive := p.op == lessOrEqual || p.op == greaterOrEqual
	if value.ClassOf(v.Type) != value.ClassOf(p.v.Type) {
		switch p.v.Type {
		case value.Null:
			return v.Type == value.Missing && inclusive
		case value.MinKey:
			return p.op == greater || p.op == greaterOrEqual
		case value.MaxKey:
			return p.op == less || p.op == lessOrEqual
		default:
			return false
		}
	}
	if value.IsNumber(v.Type) {
		// NaN equals NaN, and is neither less nor greater than any number.
		if x, y := value.IsNaN(v), value.IsNaN(p.v); x || y {
			return x && y && inclusive
		}
	}
	c := value.Compare(v, p.v)
	switch p.op {
	case less:
		return c < 0
	case lessOrEqual:
		return c <= 0
	case greater:
		return c > 0
	case greaterOrEqual:
		return c >= 0
	}
	return false
}

// isIn is $in: one of sorted values, or what one of the regular expressions matches.
type isIn struct {
	spread
	values  []bsoncore.Value
	regexes []*regex
	null    bool
}

func (p *isIn) test(v bsoncore.Value) bool {
	if v.Type == value.Missing {
		return p.null
	}
	if _, ok := slices.BinarySearchFunc(p.values, v, value.Compare); ok {
		return true
	}
	for _, r := range p.regexes {
		if r.test(v) {
			return true
		}
	}
	return false
}

// exists is $exists: true.
type exists struct{ spread }

func (exists) test(v bsoncore.Value) bool { return v.Type != value.Missing }

// never is met by nothing.
type never struct{ spread }

func (never) test(bsoncore.Value) bool { return false }

// hasType is $type.
type hasType struct {
	spread
	set value.TypeSet
}

func (p *hasType) test(v bsoncore.Value) bool { return p.set.Has(v.Type) }

// modulo is $mod: numbers are cut towards zero before.
type modulo struct {
	spread
	divisor, remainder int64
}

func (p *modulo) test(v bsoncore.Value) bool {
	n, fits, _ := value.Truncate(v)
	if !fits {
		return false
	}
	if p.divisor == -1 { // the least integer cannot be divided by it
		return p.remainder == 0
	}
	return n%p.divisor == p.remainder
}

// inverse is $not where the condition is on a value.
type inverse struct {
	spread
	p pred
}

func (p *inverse) test(v bsoncore.Value) bool { return !p.p.test(v) }

// every is several conditions on one value.
type every struct {
	spread
	all []pred
}

func (p *every) test(v bsoncore.Value) bool {
	for _, q := range p.all {
		if !q.test(v) {
			return false
		}
	}
	return true
}
