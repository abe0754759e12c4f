package filter

import (
	"cmp"
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// Interval is a range of values in the order of value.Compare. An open end is not part of it.
type Interval struct {
	Low, High         bsoncore.Value
	LowOpen, HighOpen bool
}

// IsPoint reports whether an interval is a single value.
func (i Interval) IsPoint() bool {
	return !i.LowOpen && !i.HighOpen && value.Equal(i.Low, i.High)
}

// Contains reports whether a value is in the interval.
func (i Interval) Contains(v bsoncore.Value) bool {
	low, high := value.Compare(i.Low, v), value.Compare(v, i.High)
	return (low < 0 || low == 0 && !i.LowOpen) && (high < 0 || high == 0 && !i.HighOpen)
}

func (i Interval) empty() bool {
	c := value.Compare(i.Low, i.High)
	return c > 0 || c == 0 && (i.LowOpen || i.HighOpen)
}

// everything is the interval of all values.
func everything() Interval {
	return Interval{Low: bsoncore.Value{Type: value.MinKey}, High: bsoncore.Value{Type: value.MaxKey}}
}

func point(v bsoncore.Value) Interval { return Interval{Low: v, High: v} }

// ofClass returns the interval of a class.
func ofClass(c value.Class) Interval {
	low, high, open := value.Bounds(c)
	return Interval{Low: low, High: high, HighOpen: open}
}

// compareLows compares where two intervals begin: an open end is behind a closed one.
func compareLows(a, b Interval) int {
	return cmp.Or(value.Compare(a.Low, b.Low), order(a.LowOpen, b.LowOpen))
}

// compareHighs compares where two intervals end: an open end is before a closed one.
func compareHighs(a, b Interval) int {
	return cmp.Or(value.Compare(a.High, b.High), order(b.HighOpen, a.HighOpen))
}

func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Union returns intervals in order, without overlaps, that cover what those given cover. It reorders rs.
func Union(rs []Interval) []Interval {
	rs = slices.DeleteFunc(rs, Interval.empty)
	slices.SortStableFunc(rs, compareLows)
	out := rs[:0]
	for _, r := range rs {
		if len(out) > 0 && touches(out[len(out)-1], r) {
			if last := &out[len(out)-1]; compareHighs(*last, r) < 0 {
				last.High, last.HighOpen = r.High, r.HighOpen
			}
			continue
		}
		out = append(out, r)
	}
	return out
}

// touches reports whether nothing lies between two intervals of which the first begins first.
func touches(a, b Interval) bool {
	c := value.Compare(a.High, b.Low)
	return c > 0 || c == 0 && !(a.HighOpen && b.LowOpen)
}

// Intersect returns what two unions of intervals have in common. Two conditions on one field may be intersected where the
// index is not multikey, or where they come from one $elemMatch.
func Intersect(a, b []Interval) []Interval {
	var out []Interval
	for len(a) > 0 && len(b) > 0 {
		r := a[0]
		if compareLows(b[0], r) > 0 {
			r.Low, r.LowOpen = b[0].Low, b[0].LowOpen
		}
		before := compareHighs(a[0], b[0]) < 0
		if !before {
			r.High, r.HighOpen = b[0].High, b[0].HighOpen
			b = b[1:]
		} else {
			a = a[1:]
		}
		if !r.empty() {
			out = append(out, r)
		}
	}
	return out
}

// complement returns everything that a union of intervals leaves out.
func complement(rs []Interval) []Interval {
	var out []Interval
	rest := everything()
	for _, r := range rs {
		gap := rest
		gap.High, gap.HighOpen = r.Low, !r.LowOpen
		if !gap.empty() {
			out = append(out, gap)
		}
		rest.Low, rest.LowOpen = r.High, !r.HighOpen
	}
	if !rest.empty() {
		out = append(out, rest)
	}
	return out
}

// contains reports whether one of the intervals has a value of a type that has only one.
func contains(rs []Interval, t bsoncore.Type) bool {
	return slices.ContainsFunc(rs, func(r Interval) bool { return r.Contains(bsoncore.Value{Type: t}) })
}
