package plan

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// IDIndex is the name of the index that the documents themselves are.
const IDIndex = "_id_"

// Natural is the hint for a walk through all documents.
const Natural = "$natural"

// Query is what a plan is wanted for.
type Query struct {
	Filter *filter.Filter    // nil matches all
	Raw    bsoncore.Document // what Filter was compiled from, or conditions that it has among others; may be empty
	Sort   []value.KeyField  // none: any order
	Hint   string            // the name of an index, Natural, or empty
	Limit  int64             // documents that are wanted, 0: all
}

// Plan is a way to documents.
type Plan struct {
	Index    *fsm.Index // nil: the documents by their _id
	Ranges   []Range    // of keys, in their order, without overlaps; none: nothing matches
	Reverse  bool       // the ranges are walked from their ends
	Ordered  bool       // the documents come as the query's sort says
	Residual bool       // not every document there matches
	Dedupe   bool       // a document may come more than once

	// Bounds are the intervals of the index's first fields, as far as there are conditions on them.
	Bounds [][]filter.Interval
	// Guess is how many keys there are in the ranges, as far as that is known; Rejected are the plans that seemed worse.
	Guess    float64
	Rejected []*Plan

	points int // fields of which Bounds are values only
}

// Range is a range of keys: from From, before To. nil is no bound.
type Range struct{ From, To []byte }

// idFields are the fields of the index that the documents are.
var idFields = []value.KeyField{{Path: "_id"}}

// Fields returns the fields of the index.
func (p *Plan) Fields() []value.KeyField {
	if p.Index == nil {
		return idFields
	}
	return p.Index.Fields
}

// Whole reports whether the plan is a walk through all documents.
func (p *Plan) Whole() bool { return p.Index == nil && len(p.Bounds) == 0 }

// Name is that of the index.
func (p *Plan) Name() string {
	if p.Index == nil {
		return IDIndex
	}
	return p.Index.Name
}

// Multikey reports whether a document may have several keys in the index.
func (p *Plan) Multikey() bool { return p.Index != nil && p.Index.Multikey }

// Point reports whether the plan is one key of a unique index.
func (p *Plan) Point() bool { return p.unique() && len(p.Ranges) == 1 }

// unique reports whether each range has at most one key.
func (p *Plan) unique() bool {
	return p.points == len(p.Fields()) && (p.Index == nil || p.Index.Unique())
}

// Choose returns the plan that seems best for the collection that r reads. A hint that cannot be followed is a *value.Error.
func Choose(r *fsm.Reader, q *Query) (*Plan, error) {
	c := chooser{r: r, q: q, exact: true}
	if q.Filter != nil {
		c.fields, c.exact = q.Filter.Fields(), q.Filter.Exact()
	}
	if q.Hint != "" {
		return c.hinted()
	}
	return c.best()
}

// chooser is one choice.
type chooser struct {
	r      *fsm.Reader
	q      *Query
	fields []filter.Field
	exact  bool
}

// hinted returns the plan with the index that the query wants.
func (c *chooser) hinted() (*Plan, error) {
	switch c.q.Hint {
	case IDIndex:
		return c.build(nil), nil
	case Natural:
		fields := c.fields
		c.fields = nil
		p := c.build(nil)
		p.Residual = len(fields) > 0 || !c.exact
		return p, nil
	}
	ix := c.r.Index(c.q.Hint)
	switch {
	case ix == nil:
		return nil, value.Errorf(value.BadValue, "hint provided does not correspond to an existing index: collection %s.%s has no index %q", c.r.DB, c.r.Name, c.q.Hint)
	case !ix.Ready():
		return nil, value.Errorf(value.BadValue, "index %s of the hint is not built yet: wait until it is ready", ix.Name)
	case !c.holds(ix):
		return nil, value.Errorf(value.BadValue, "index %s of the hint may lack documents that match: it is sparse or partial, and the filter does not imply what is in it", ix.Name)
	}
	return c.build(ix), nil
}

// build makes the plan of an index; nil is that of _id.
func (c *chooser) build(ix *fsm.Index) *Plan {
	p := &Plan{Index: ix, Ranges: []Range{{}}}
	fields, multikey := p.Fields(), p.Multikey()
	p.Dedupe = multikey
	b := bounder{prefixes: [][]byte{nil}}
	for i, f := range fields {
		if multikey && sharesArray(fields[:i], f.Path) {
			break
		}
		intervals, ok := c.intervals(f.Path, multikey)
		if !ok || !b.add(intervals, f.Desc) {
			break
		}
		p.Bounds = append(p.Bounds, intervals)
		if b.ranges != nil || len(b.prefixes) == 0 {
			break
		}
		p.points++
	}
	if len(p.Bounds) > 0 {
		p.Ranges = b.finish()
	}
	p.Residual = !c.exact || multikey && len(c.fields) > 0 || slices.ContainsFunc(c.fields, func(f filter.Field) bool {
		return !slices.ContainsFunc(fields[:len(p.Bounds)], func(k value.KeyField) bool { return k.Path == f.Path })
	})
	p.order(c.q.Sort)
	return p
}

// order finds out whether the index has the documents in an order.
func (p *Plan) order(sort []value.KeyField) {
	if len(sort) == 0 || len(p.Ranges) == 0 {
		p.Ordered = true
		return
	}
	if p.Multikey() && len(p.Bounds) > 0 {
		return // the key that a document is sorted by may lie outside of the ranges
	}
	fields := p.Fields()
	i, j, turned, known := 0, 0, false, false
	for i < len(fields) && j < len(sort) {
		turn := fields[i].Desc != sort[j].Desc
		switch {
		case p.fixed(sort[j].Path):
			j++
		case p.fixed(fields[i].Path):
			i++
		case fields[i].Path != sort[j].Path, known && turn != turned:
			return
		default:
			i, j, turned, known = i+1, j+1, turn, true
		}
	}
	for j < len(sort) && p.fixed(sort[j].Path) {
		j++
	}
	// No two documents have one _id, so what follows it does not matter.
	if j < len(sort) && (p.Index != nil || i == 0) {
		return
	}
	p.Ordered, p.Reverse = true, turned
}

// fixed reports whether all keys in the ranges have one value in a field.
func (p *Plan) fixed(path string) bool {
	for i, f := range p.Fields()[:len(p.Bounds)] {
		if f.Path == path {
			return len(p.Bounds[i]) == 1 && p.Bounds[i][0].IsPoint()
		}
	}
	return false
}
