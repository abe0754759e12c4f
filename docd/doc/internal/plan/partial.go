package plan

import (
	"bytes"
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// holds reports whether an index has all documents that match. It may say no where it has.
func (c *chooser) holds(ix *fsm.Index) bool {
	if ix.Flags&wire.DocIndexSparse != 0 && !slices.ContainsFunc(ix.Fields, func(f value.KeyField) bool { return c.exists(f.Path) }) {
		return false
	}
	if ix.Flags&wire.DocIndexPartial == 0 {
		return true
	}
	for r := value.Read(ix.Partial); r.Next(); {
		if !c.implies(string(r.Name), r.Value) {
			return false
		}
	}
	return true
}

// exists reports whether all documents that match have something at a path: a condition leaves null out, which stands for nothing,
// and undefined, or it is said.
func (c *chooser) exists(path string) bool {
	for i := range c.fields {
		f := &c.fields[i]
		if f.Path == path && !holdsType(f.Intervals, value.Null) && !holdsType(f.Intervals, value.Undefined) {
			return true
		}
	}
	for r := value.Read(c.q.Raw); r.Next(); {
		if string(r.Name) != path || r.Value.Type != value.Document {
			continue
		}
		if v, ok := value.Get(r.Value.Data, "$exists"); ok && value.Truthy(v) {
			return true
		}
	}
	return false
}

func holdsType(intervals []filter.Interval, t bsoncore.Type) bool {
	return slices.ContainsFunc(intervals, func(iv filter.Interval) bool { return iv.Contains(bsoncore.Value{Type: t}) })
}

// implies reports whether all documents that match meet an element of a partial index's filter: it is an element of the query's
// filter, too, or consists of comparisons that the query's conditions are within.
func (c *chooser) implies(name string, v bsoncore.Value) bool {
	for r := value.Read(c.q.Raw); r.Next(); {
		if string(r.Name) == name && r.Value.Type == v.Type && bytes.Equal(r.Value.Data, v.Data) {
			return true
		}
	}
	if name == "$and" && v.Type == value.Array {
		return c.impliesAll(v.Data)
	}
	if name == "" || name[0] == '$' {
		return false
	}
	if !operators(v) {
		return plain(v) && c.within(name, "$eq", v)
	}
	for r := value.Read(v.Data); r.Next(); {
		op := string(r.Name)
		switch {
		case op == "$exists" && value.Truthy(r.Value) && c.exists(name):
		case (op == "$eq" || op == "$gt" || op == "$gte" || op == "$lt" || op == "$lte") && plain(r.Value) && c.within(name, op, r.Value):
		case op == "$in" && allPlain(r.Value) && c.within(name, op, r.Value):
		default:
			return false
		}
	}
	return true
}

func (c *chooser) impliesAll(filters []byte) bool {
	for r := value.Read(filters); r.Next(); {
		for e := value.Read(r.Value.Data); e.Next(); {
			if !c.implies(string(e.Name), e.Value) {
				return false
			}
		}
	}
	return true
}

// operators reports whether a condition consists of operators.
func operators(v bsoncore.Value) bool {
	if v.Type != value.Document {
		return false
	}
	r := value.Read(v.Data)
	return r.Next() && len(r.Name) > 0 && r.Name[0] == '$'
}

// plain reports whether a comparison with v is met by a key of its class and by nothing else.
func plain(v bsoncore.Value) bool {
	switch v.Type {
	case value.Array, value.Regex, value.Null, value.Undefined, value.MinKey, value.MaxKey, value.Document:
		return false
	}
	return true
}

func allPlain(list bsoncore.Value) bool {
	if list.Type != value.Array {
		return false
	}
	for r := value.Read(list.Data); r.Next(); {
		if !plain(r.Value) {
			return false
		}
	}
	return true
}

// within reports whether a condition of the query on the path lies within a comparison.
func (c *chooser) within(path, op string, v bsoncore.Value) bool {
	inner, cond := value.Begin(nil)
	cond = value.End(value.AppendElement(cond, op, v), inner)
	outer, doc := value.Begin(nil)
	doc = value.End(value.AppendElement(doc, path, value.OfDocument(cond)), outer)
	f, err := filter.Compile(doc)
	if err != nil {
		return false
	}
	bound := f.Fields()
	if len(bound) != 1 || !bound[0].Exact {
		return false
	}
	for i := range c.fields {
		mine := &c.fields[i]
		if mine.Path == path && len(mine.Intervals) > 0 && sameIntervals(filter.Intersect(mine.Intervals, bound[0].Intervals), mine.Intervals) {
			return true
		}
	}
	return false
}

func sameIntervals(a, b []filter.Interval) bool {
	return slices.EqualFunc(a, b, func(x, y filter.Interval) bool {
		return x.LowOpen == y.LowOpen && x.HighOpen == y.HighOpen && value.Equal(x.Low, y.Low) && value.Equal(x.High, y.High)
	})
}
