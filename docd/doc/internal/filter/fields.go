package filter

import (
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// Field is what one condition says about a path: each document that matches has an index key in one of the intervals,
// which are in order and do not overlap. None means that nothing matches. A path may have several, all of which hold; on a
// multikey index different keys may meet them, else they may be intersected.
type Field struct {
	Path      string
	Intervals []Interval
	// Exact says that on an index that is not multikey all documents with a key there meet the condition. (A multikey one
	// needs a look at the document.)
	Exact bool
}

// Fields returns what all documents that match have in common, path by path, in the order of the filter.
func (f *Filter) Fields() []Field {
	fields, _ := fieldsOf(f.root)
	return fields
}

// Exact reports whether Fields say all that the filter does: where all of them are exact on the fields of one index, whose
// intervals are followed, no document needs to be matched.
func (f *Filter) Exact() bool {
	fields, complete := fieldsOf(f.root)
	return complete && !slices.ContainsFunc(fields, func(f Field) bool { return !f.Exact })
}

// fieldsOf returns the fields of a node, and whether there is one for each condition.
func fieldsOf(n node) (fields []Field, complete bool) {
	switch n := n.(type) {
	case and:
		complete = true
		for _, c := range n {
			fs, all := fieldsOf(c)
			fields, complete = append(fields, fs...), complete && all
		}
		return fields, complete
	case *field:
		if e, ok := n.pred.(*elemFilter); ok {
			return inElements(n.path, e), false
		}
		r, exact, ok := n.ranges()
		return ofRanges(n.path, r, exact, ok)
	case not:
		return ofInverse(n.node)
	case nor:
		complete = true
		for _, c := range n {
			fs, all := ofInverse(c)
			fields, complete = append(fields, fs...), complete && all
		}
		return fields, complete
	case or:
		return ofUnion(n)
	}
	return nil, false
}

// ofRanges makes a field of a condition's ranges. A position in a path also means the name of a field of the documents in
// an array, one that mostly is missing, so nothing is exact there, and null tells nothing.
func ofRanges(path string, r []Interval, exact, ok bool) ([]Field, bool) {
	if !ok || !indexable(path) {
		return nil, false
	}
	if numbered(path) {
		if contains(r, value.Null) {
			return nil, false
		}
		exact = false
	}
	return []Field{{Path: path, Intervals: r, Exact: exact}}, true
}

// ofInverse returns the fields of what must not match. $exists: false is that what is missing is null among the keys.
func ofInverse(n node) ([]Field, bool) {
	f, ok := n.(*field)
	if !ok {
		return nil, false
	}
	if _, ok := f.pred.(exists); ok {
		null := everything()
		null.Low.Type, null.High.Type = value.Null, value.Null
		return ofRanges(f.path, []Interval{null}, false, true)
	}
	if numbered(f.path) || !f.spreads() {
		return nil, false
	}
	r, exact, ok := inverted(f.pred)
	return ofRanges(f.path, r, exact, ok)
}

// maxUnion bounds the fields of the branches of $or, of which common ones are sought.
const maxUnion = 64

// ofUnion returns the fields that all branches of $or have.
func ofUnion(branches or) ([]Field, bool) {
	all := make([][]Field, len(branches))
	single := true
	for i, b := range branches {
		var complete bool
		all[i], complete = fieldsOf(b)
		single = single && complete && len(all[i]) == 1
		if len(all[i]) > maxUnion {
			return nil, false
		}
	}
	var fields []Field
	for _, f := range all[0] {
		if find(fields, f.Path) >= 0 {
			continue
		}
		if u, ok := unite(all, f.Path); ok {
			u.Exact = u.Exact && single
			fields = append(fields, u)
		}
	}
	return fields, single && len(fields) == 1
}

// unite returns the union of the first field that each branch has for a path.
func unite(all [][]Field, path string) (Field, bool) {
	u := Field{Path: path, Exact: true}
	for _, fs := range all {
		i := find(fs, path)
		if i < 0 {
			return Field{}, false
		}
		u.Intervals = append(u.Intervals, fs[i].Intervals...)
		u.Exact = u.Exact && fs[i].Exact
	}
	u.Intervals = Union(u.Intervals)
	return u, true
}

func find(fields []Field, path string) int {
	return slices.IndexFunc(fields, func(f Field) bool { return f.Path == path })
}

// inElements returns the fields of a filter for the elements of an array. Null tells nothing there: for elements that are
// arrays themselves the filter's paths mean something else.
func inElements(path string, e *elemFilter) []Field {
	if !indexable(path) {
		return nil
	}
	inner, _ := fieldsOf(e.node)
	var fields []Field
	for _, f := range inner {
		first, _, _ := value.Cut(f.Path)
		if _, isIndex := value.Index(first); isIndex || contains(f.Intervals, value.Null) {
			continue
		}
		f.Path, f.Exact = path+"."+f.Path, false
		fields = append(fields, f)
	}
	return fields
}

// indexable reports whether an index may have a path: a filter may ask for a field whose name is empty, which no index has.
func indexable(path string) bool { return value.CheckPath(path) == nil }

// numbered reports whether a component of a path is a number.
func numbered(path string) bool {
	for part := range strings.SplitSeq(path, ".") {
		if _, ok := value.Index(part); ok {
			return true
		}
	}
	return false
}
