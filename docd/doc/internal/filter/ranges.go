package filter

import (
	"bytes"
	"math"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// The ranges of the conditions. They speak of index keys: an array at the end of a path is there by its elements, an empty
// one as undefined, and what is missing as null. So a range must hold one of the keys of each document that matches.

func (p *equals) ranges() ([]Interval, bool, bool) {
	if p.v.Type != value.Array {
		return []Interval{point(p.v)}, true, true
	}
	// The array is the document's own, and then its first element is a key, or it is an element.
	first := bsoncore.Value{Type: value.Undefined}
	if r := value.Read(p.v.Data); r.Next() {
		first = r.Value
	}
	return Union([]Interval{point(first), point(p.v)}), false, true
}

func (p *compares) ranges() ([]Interval, bool, bool) {
	inclusive := p.op == lessOrEqual || p.op == greaterOrEqual
	upward := p.op == greater || p.op == greaterOrEqual
	switch class := value.ClassOf(p.v.Type); class {
	case value.ClassArray:
		return nil, false, false // its elements say nothing about it
	case value.ClassMinKey, value.ClassMaxKey:
		return p.extreme(inclusive, upward)
	case value.ClassNull:
		if !inclusive {
			return nil, true, true
		}
		return []Interval{point(p.v)}, true, true
	default:
		r := ofClass(class)
		if class == value.ClassNumber {
			if value.IsNaN(p.v) {
				if !inclusive {
					return nil, true, true
				}
				return []Interval{point(p.v)}, true, true
			}
			r.Low = value.OfDouble(math.Inf(-1))
		}
		if upward {
			r.Low, r.LowOpen = p.v, !inclusive
		} else {
			r.High, r.HighOpen = p.v, !inclusive
		}
		return Union([]Interval{r}), true, true
	}
}

// extreme returns the ranges of comparisons with MinKey and MaxKey, which hold across classes.
func (p *compares) extreme(inclusive, upward bool) ([]Interval, bool, bool) {
	switch {
	case upward == (p.v.Type == value.MinKey):
		return []Interval{everything()}, inclusive, true
	case inclusive:
		return []Interval{point(p.v)}, true, true
	}
	return nil, true, true
}

func (p *isIn) ranges() ([]Interval, bool, bool) {
	var all []Interval
	exact := true
	for _, v := range p.values {
		r, e, _ := (&equals{v: v}).ranges()
		all, exact = append(all, r...), exact && e
	}
	for _, re := range p.regexes {
		r, e, _ := re.ranges()
		all, exact = append(all, r...), exact && e
	}
	return Union(all), exact, true
}

// ranges is everything, for a sparse index. A null among the keys may stand for what is missing.
func (exists) ranges() ([]Interval, bool, bool) { return []Interval{everything()}, false, true }

func (never) ranges() ([]Interval, bool, bool) { return nil, true, true }

func (p *hasType) ranges() ([]Interval, bool, bool) {
	if p.set.Has(value.Array) {
		return nil, false, false
	}
	var all []Interval
	exact := true
	for t := range 256 {
		t := bsoncore.Type(t)
		if !p.set.Has(t) {
			continue
		}
		all = append(all, ofClass(value.ClassOf(t)))
		switch {
		case value.IsNumber(t):
			exact = exact && p.set&value.Numbers == value.Numbers
		case t == value.String, t == value.Symbol:
			exact = exact && p.set.Has(value.String) && p.set.Has(value.Symbol)
		case t == value.Null, t == value.Undefined: // keys of these stand for other things as well
			exact = false
		}
	}
	return Union(all), exact, true
}

func (p *modulo) ranges() ([]Interval, bool, bool) {
	return []Interval{ofClass(value.ClassNumber)}, false, true
}

func (p *regex) ranges() ([]Interval, bool, bool) {
	r := ofClass(value.ClassString)
	r.Low = bsoncore.Value{Type: value.String, Data: bsoncore.AppendString(nil, string(p.prefix))}
	if after, ok := successor(p.prefix); ok {
		r.High = bsoncore.Value{Type: value.String, Data: bsoncore.AppendString(nil, string(after))}
	}
	return Union([]Interval{r, point(p.v)}), p.plain, true
}

// successor returns the least string behind all those that begin with s; there is none if s consists of the highest bytes.
func successor(s []byte) ([]byte, bool) {
	s = bytes.TrimRight(bytes.Clone(s), "\xff")
	if len(s) == 0 {
		return nil, false
	}
	s[len(s)-1]++
	return s, true
}

func (p *inverse) ranges() ([]Interval, bool, bool) { return inverted(p.p) }

// inverted returns everything that a condition's ranges leave out. Null and undefined among the keys stand for what is
// missing and for empty arrays too, so a condition whose ranges have them cannot be inverted.
func inverted(p pred) ([]Interval, bool, bool) {
	r, exact, ok := p.ranges()
	if !ok || !exact || contains(r, value.Null) || contains(r, value.Undefined) {
		return nil, false, false
	}
	return complement(r), true, true
}

func (p *every) ranges() ([]Interval, bool, bool) {
	all, some, exact := []Interval{everything()}, false, true
	for _, q := range p.all {
		r, e, ok := q.ranges()
		if ok = ok && q.spreads(); ok {
			all, some = Intersect(all, r), true
		}
		exact = exact && e && ok
	}
	return all, exact, some
}

func (p *hasSize) ranges() ([]Interval, bool, bool) { return nil, false, false }

// ranges is that of the elements: they are the keys, whereas what is no array cannot match.
func (p *elemMatch) ranges() ([]Interval, bool, bool) {
	if !p.each.spreads() { // an array within the array is one key
		return nil, false, false
	}
	r, _, ok := p.each.ranges()
	return r, false, ok
}

func (p *elemFilter) ranges() ([]Interval, bool, bool) { return nil, false, false }
