package plan

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/store/keys"
)

// maxRanges bounds the ranges that several fields of an index make together; those of the first field are as many as there are.
const maxRanges = 10_000

// bounder makes ranges of keys of the intervals of the fields of an index, one field after the other.
type bounder struct {
	prefixes [][]byte // of keys: one value for each field so far; in order
	ranges   []Range  // once a field had intervals that are no single values
}

// add bounds the next field. It is false if that would be too many ranges.
func (b *bounder) add(intervals []filter.Interval, desc bool) bool {
	n := len(b.prefixes) * len(intervals)
	if n > maxRanges && len(b.prefixes) > 1 {
		return false
	}
	points := true
	for _, iv := range intervals {
		points = points && iv.IsPoint()
	}
	if points {
		longer := make([][]byte, 0, n)
		for _, prefix := range b.prefixes {
			inKeyOrder(intervals, desc, func(iv *filter.Interval) {
				longer = append(longer, appendKey(prefix, iv.Low, desc))
			})
		}
		b.prefixes = longer
		return true
	}
	b.ranges = make([]Range, 0, n)
	for _, prefix := range b.prefixes {
		inKeyOrder(intervals, desc, func(iv *filter.Interval) {
			b.ranges = append(b.ranges, rangeOf(prefix, iv, desc))
		})
	}
	return true
}

// finish returns the ranges.
func (b *bounder) finish() []Range {
	if b.ranges != nil {
		return b.ranges
	}
	all := make([]Range, 0, len(b.prefixes))
	for _, prefix := range b.prefixes {
		all = append(all, Range{prefix, keys.After(prefix)})
	}
	return all
}

// inKeyOrder calls fn for intervals in the order of their keys.
func inKeyOrder(intervals []filter.Interval, desc bool, fn func(iv *filter.Interval)) {
	for i := range intervals {
		if desc {
			i = len(intervals) - 1 - i
		}
		fn(&intervals[i])
	}
}

func appendKey(prefix []byte, v bsoncore.Value, desc bool) []byte {
	return value.AppendKey(append(make([]byte, 0, len(prefix)+len(v.Data)+12), prefix...), v, desc)
}

// rangeOf returns the keys that begin with a prefix and go on in an interval.
func rangeOf(prefix []byte, iv *filter.Interval, desc bool) Range {
	r := Range{appendKey(prefix, iv.Low, desc), appendKey(prefix, iv.High, desc)}
	fromOpen, toOpen := iv.LowOpen, iv.HighOpen
	if desc {
		r.From, r.To = r.To, r.From
		fromOpen, toOpen = toOpen, fromOpen
	}
	if fromOpen {
		r.From = keys.After(r.From)
	}
	if !toOpen {
		r.To = keys.After(r.To)
	}
	return r
}

// intervals returns what the conditions say about a path. On an index that has a document by several keys each of them may be met
// by another key, so there it is the one that seems to leave least.
func (c *chooser) intervals(path string, multikey bool) (all []filter.Interval, ok bool) {
	for i := range c.fields {
		f := &c.fields[i]
		switch {
		case f.Path != path:
		case !ok:
			all, ok = f.Intervals, true
		case multikey:
			if guess(f.Intervals) < guess(all) {
				all = f.Intervals
			}
		default:
			all = filter.Intersect(all, f.Intervals)
		}
	}
	return all, ok
}

// sharesArray reports whether a path may go through the same array as the paths of other fields: then their values need not be of
// the same key.
func sharesArray(fields []value.KeyField, path string) bool {
	first, _, _ := value.Cut(path)
	for _, f := range fields {
		if other, _, _ := value.Cut(f.Path); other == first {
			return true
		}
	}
	return false
}
