package doc

import (
	"math"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/plan"
	"github.com/skshohagmiah/flin/docd/doc/internal/project"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// query is what is looked for, compiled. It keeps the bytes that it was compiled from.
type query struct {
	name    wire.DocName
	filter  *filter.Filter // nil matches all
	raw     bsoncore.Document
	project *project.Projection // nil: whole documents
	sort    *project.Sort       // nil: any order
	hint    string
	skip    uint64
	limit   uint64 // 0: none
	in      *txn   // nil: it is outside of transactions
}

// newQuery compiles a query. The slices of m must stay as they are.
func newQuery(m *wire.DocFind) (q *query, err error) {
	q = &query{name: m.Name, raw: m.Filter, hint: string(m.Hint), skip: m.Skip, limit: m.Limit}
	if !empty(m.Filter) {
		if q.filter, err = filter.Compile(m.Filter); err != nil {
			return nil, err
		}
	}
	if !empty(m.Project) {
		if q.project, err = project.Compile(m.Project); err != nil {
			return nil, err
		}
	}
	if !empty(m.Sort) {
		if q.sort, err = project.CompileSort(m.Sort); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// empty reports whether a document is left out or has no fields.
func empty(doc []byte) bool { return len(doc) <= 5 }

// wanted is how many documents are wanted of those that match, 0 if all.
func (q *query) wanted() int64 {
	if q.limit == 0 || q.skip > math.MaxInt64/2 || q.limit > math.MaxInt64/2 {
		return 0
	}
	return int64(q.skip + q.limit)
}

// reader opens the collection: as it is now or, in a transaction, as that sees it without what it has written. It is nil if it is
// not there.
func (q *query) reader(e *Engine) *fsm.Reader {
	if q.in != nil {
		return q.in.snap.Open(q.name.DB, q.name.Coll)
	}
	return e.machine.Open(q.name.DB, q.name.Coll)
}

// written is what the query's transaction has written in the collection: nil if nothing, and outside of transactions.
func (q *query) written() *draftColl {
	if q.in == nil {
		return nil
	}
	return q.in.draft.written(&q.name)
}

// plan chooses a way. Where documents of a transaction's own are among what is found it gives no order.
func (q *query) plan(r *fsm.Reader) (*plan.Plan, error) {
	w := plan.Query{Filter: q.filter, Raw: q.raw, Hint: q.hint, Limit: q.wanted()}
	if q.sort != nil {
		w.Sort = q.sort.Fields()
	}
	p, err := plan.Choose(r, &w)
	if err == nil && q.sort != nil && q.written() != nil {
		p.Ordered = false
	}
	return p, err
}

// scan returns the documents of a plan that match.
func (q *query) scan(p *plan.Plan, memory int) *scan {
	s := &scan{plan: p, memory: memory}
	if p.Residual {
		s.filter = q.filter
	}
	s.own = q.filter
	s.cover(q.written())
	return s
}

// apply appends what the projection leaves of a document.
func (q *query) apply(dst []byte, doc bsoncore.Document) []byte {
	if q.project == nil {
		return append(dst, doc...)
	}
	return q.project.Apply(dst, doc)
}

// idOf returns the _id that a filter consists of, if it is that of one document: {_id: value} without operators. It is found
// without compiling the filter.
func idOf(filter []byte) (bsoncore.Value, bool) {
	r := value.Read(filter)
	if !r.Next() || string(r.Name) != "_id" {
		return bsoncore.Value{}, false
	}
	v := r.Value
	if r.Next() {
		return bsoncore.Value{}, false
	}
	switch v.Type {
	case value.Array, value.Regex, value.Null, value.Undefined, value.MinKey, value.MaxKey:
		return v, false
	case value.Document:
		d := value.Read(v.Data)
		return v, !(d.Next() && len(d.Name) > 0 && d.Name[0] == '$')
	}
	return v, true
}
