package doc

import (
	"bytes"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/plan"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// explain serves OpDocExplain.
func (e *Engine) explain(g *replica.Group, req *wire.Request, r engine.Replier) {
	e.onWorker(g, req, r, func(t *pool.Task, body []byte) {
		var m wire.DocExplain
		_ = m.Decode(body) // it was checked
		doc, err := e.explanation(t, &m)
		if err != nil {
			t.Answer(fail(err))
			return
		}
		t.Answer(wire.Response{Rev: e.st.Applied().Revision, Body: doc})
	})
}

// explained is what an operation looks for.
func (e *Engine) explained(m *wire.DocExplain) (*query, error) {
	switch m.Op {
	case wire.OpDocAggregate:
		var a wire.DocAggregate
		_ = a.Decode(m.Body) // it was checked
		x, err := e.newPipeline(&a)
		if err != nil {
			return nil, err
		}
		return x.q, nil
	case wire.OpDocUpdate, wire.OpDocDelete, wire.OpDocModify:
		x := &writing{e: e, req: wire.Request{Op: m.Op}}
		_ = x.m.Decode(m.Body) // it was checked
		if err := sensible(m.Op, &x.m); err != nil {
			return nil, err
		}
		err := x.compile()
		if err == nil && !x.multi() {
			x.q.limit = 1
		}
		return x.q, err
	default:
		var f wire.DocFind
		_ = f.Decode(m.Body) // it was checked
		return newQuery(&f)
	}
}

// explanation is the answer to an OpDocExplain, in MongoDB's shape.
func (e *Engine) explanation(t *pool.Task, m *wire.DocExplain) ([]byte, error) {
	q, err := e.explained(m)
	if err != nil {
		return nil, err
	}
	x := explanation{q: q}
	r := e.machine.Open(q.name.DB, q.name.Coll)
	if r != nil {
		defer r.Close()
		if x.plan, err = q.plan(r); err != nil {
			return nil, err
		}
	}
	x.winning = x.stages(x.plan)
	if x.plan != nil {
		for _, p := range x.plan.Rejected {
			x.rejected = append(x.rejected, x.stages(p))
		}
	}
	if m.Execute && r != nil {
		if err := x.execute(e, t, r); err != nil {
			return nil, err
		}
	}
	return x.document(m.Execute), nil
}

// explanation is put together here.
type explanation struct {
	q        *query
	plan     *plan.Plan // nil: there is no collection
	winning  bsoncore.Document
	rejected []bsoncore.Document

	keys, docs, returned int64
	took                 time.Duration
}

// execute finds out what is examined.
func (x *explanation) execute(e *Engine, t *pool.Task, r *fsm.Reader) error {
	start := time.Now()
	s := x.q.scan(x.plan, e.memory)
	most := x.q.wanted()
	passed := int64(0)
	err := s.run(r, t.Stop, func([]byte, bsoncore.Document, uint64) verdict {
		if passed++; passed == most && x.plan.Ordered {
			return enough
		}
		return goOn
	})
	e.figures.examined(s)
	if x.plan.Index != nil || len(x.plan.Bounds) > 0 {
		x.keys = s.keys
	}
	x.docs, x.took = s.docs, time.Since(start)
	x.returned = within(passed, &wire.DocFind{Skip: x.q.skip, Limit: x.q.limit})
	return err
}

// stages describes a plan, the last stage outermost.
func (x *explanation) stages(p *plan.Plan) bsoncore.Document {
	var doc bsoncore.Document
	switch {
	case p == nil || len(p.Ranges) == 0:
		doc = bsoncore.NewDocumentBuilder().AppendString("stage", "EOF").Build()
	case p.Whole():
		b := bsoncore.NewDocumentBuilder().AppendString("stage", "COLLSCAN")
		x.appendFilter(b, p)
		doc = b.AppendString("direction", direction(p)).Build()
	case p.Index == nil && p.Point():
		b := bsoncore.NewDocumentBuilder().AppendString("stage", "IDHACK")
		x.appendFilter(b, p)
		doc = b.Build()
	default:
		b := bsoncore.NewDocumentBuilder().AppendString("stage", "FETCH")
		x.appendFilter(b, p)
		doc = b.AppendDocument("inputStage", indexStage(p)).Build()
	}
	if p == nil {
		return doc
	}
	wrap := func(stage string, fill func(b *bsoncore.DocumentBuilder)) {
		b := bsoncore.NewDocumentBuilder().AppendString("stage", stage)
		if fill != nil {
			fill(b)
		}
		doc = b.AppendDocument("inputStage", doc).Build()
	}
	if !p.Ordered {
		wrap("SORT", func(b *bsoncore.DocumentBuilder) { b.AppendDocument("sortPattern", pattern(x.q.sort.Fields())) })
	}
	if x.q.skip > 0 {
		wrap("SKIP", func(b *bsoncore.DocumentBuilder) { b.AppendInt64("skipAmount", int64(x.q.skip)) })
	}
	if x.q.limit > 0 {
		wrap("LIMIT", func(b *bsoncore.DocumentBuilder) { b.AppendInt64("limitAmount", int64(x.q.limit)) })
	}
	if x.q.project != nil {
		wrap("PROJECTION", nil)
	}
	return doc
}

func (x *explanation) appendFilter(b *bsoncore.DocumentBuilder, p *plan.Plan) {
	if p.Residual && len(x.q.raw) > 0 {
		b.AppendDocument("filter", x.q.raw)
	}
}

func direction(p *plan.Plan) string {
	if p.Reverse {
		return "backward"
	}
	return "forward"
}

func pattern(fields []value.KeyField) bsoncore.Document {
	b := bsoncore.NewDocumentBuilder()
	for _, f := range fields {
		way := int32(1)
		if f.Desc {
			way = -1
		}
		b.AppendInt32(f.Path, way)
	}
	return b.Build()
}

// indexStage describes the walk through an index.
func indexStage(p *plan.Plan) bsoncore.Document {
	bounds := bsoncore.NewDocumentBuilder()
	for i, f := range p.Fields() {
		list := bsoncore.NewArrayBuilder()
		if i >= len(p.Bounds) {
			list.AppendString("[MinKey, MaxKey]")
		} else {
			for _, iv := range p.Bounds[i][:min(len(p.Bounds[i]), shownIntervals)] {
				open, end := "[", "]"
				if iv.LowOpen {
					open = "("
				}
				if iv.HighOpen {
					end = ")"
				}
				list.AppendString(fmt.Sprintf("%s%s, %s%s", open, value.Text(iv.Low), value.Text(iv.High), end))
			}
		}
		bounds.AppendArray(f.Path, list.Build())
	}
	b := bsoncore.NewDocumentBuilder().AppendString("stage", "IXSCAN").AppendDocument("keyPattern", pattern(p.Fields())).
		AppendString("indexName", p.Name()).AppendBoolean("isMultiKey", p.Multikey())
	unique, sparse, partial := p.Index == nil, false, false
	if p.Index != nil {
		unique, sparse, partial = p.Index.Unique(), p.Index.Flags&wire.DocIndexSparse != 0, p.Index.Flags&wire.DocIndexPartial != 0
	}
	return b.AppendBoolean("isUnique", unique).AppendBoolean("isSparse", sparse).AppendBoolean("isPartial", partial).
		AppendString("direction", direction(p)).AppendDocument("indexBounds", bounds.Build()).Build()
}

// shownIntervals bounds the intervals of a field that an explanation lists.
const shownIntervals = 100

func (x *explanation) document(executed bool) []byte {
	filter := x.q.raw
	if len(filter) == 0 {
		filter = emptyDocument
	}
	rejected := bsoncore.NewArrayBuilder()
	for _, p := range x.rejected {
		rejected.AppendDocument(p)
	}
	planner := bsoncore.NewDocumentBuilder().
		AppendString("namespace", string(bytes.Join([][]byte{x.q.name.DB, x.q.name.Coll}, []byte(".")))).
		AppendDocument("parsedQuery", filter).AppendDocument("winningPlan", x.winning).AppendArray("rejectedPlans", rejected.Build()).Build()
	b := bsoncore.NewDocumentBuilder().AppendDocument("queryPlanner", planner)
	if executed {
		b.AppendDocument("executionStats", bsoncore.NewDocumentBuilder().
			AppendBoolean("executionSuccess", true).AppendInt64("nReturned", x.returned).
			AppendInt64("executionTimeMillis", x.took.Milliseconds()).
			AppendInt64("totalKeysExamined", x.keys).AppendInt64("totalDocsExamined", x.docs).Build())
	}
	return b.AppendDouble("ok", 1).Build()
}
