package doc

import (
	"iter"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/agg"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// aggregate serves OpDocAggregate.
func (e *Engine) aggregate(g *replica.Group, req *wire.Request, r engine.Replier) {
	e.onWorker(g, req, r, func(t *pool.Task, body []byte) { e.aggregateMany(step{Task: t}, body) })
}

// aggregateMany answers an aggregation on a worker.
func (e *Engine) aggregateMany(t step, body []byte) {
	var m wire.DocAggregate
	_ = m.Decode(body) // it was checked
	x, err := e.newPipeline(&m)
	if err == nil {
		x.q.in = t.x
		err = x.plan()
	}
	if err != nil {
		t.Answer(fail(err))
		return
	}
	batch := m.Batch
	if batch == 0 {
		batch = wire.DefaultDocBatch
	}
	src := newPulled(x.docs(), &x.stop, x.held)
	e.firstBatch(t, src, nil, batch, m.Flags)
}

// pipeline is an aggregation under way. It reads its collection in pieces, so that it holds no view of the store while it rests.
type pipeline struct {
	e    *Engine
	q    *query
	pipe *agg.Pipeline // nil: documents as they are
	stop func() error  // whether it should go on
	scan *scan         // nil: there is no collection
	cid  uint64

	arena []byte // the documents of a piece
	ends  []int
	used  int // bytes that the stages hold
}

// newPipeline compiles a pipeline. The slices of m must stay as they are.
func (e *Engine) newPipeline(m *wire.DocAggregate) (*pipeline, error) {
	var stages []bsoncore.Document
	var raw bsoncore.Document // of the first $match
	for r := value.Read(m.Pipeline); r.Next(); {
		if r.Value.Type != value.Document {
			return nil, value.Errorf(value.TypeMismatch, "Each element of the 'pipeline' array must be an object")
		}
		if first := value.Read(r.Value.Data); len(stages) == 0 && first.Next() && string(first.Name) == "$match" && first.Value.Type == value.Document {
			raw = first.Value.Data
		}
		stages = append(stages, r.Value.Data)
	}
	pipe, err := agg.Compile(stages)
	if err != nil {
		return nil, err
	}
	x := &pipeline{e: e, pipe: pipe, q: &query{name: m.Name, raw: raw, hint: string(m.Hint)}}
	var limit int64
	x.q.filter, x.q.sort, limit = pipe.Head()
	x.q.limit = uint64(limit)
	return x, nil
}

// plan chooses a way through the collection. Where it gives the order as well nothing of the pipeline's head is left to do; else the
// documents are filtered, and the pipeline sorts.
func (x *pipeline) plan() error {
	r := x.q.reader(x.e)
	if r == nil {
		return nil
	}
	defer r.Close()
	p, err := x.q.plan(r)
	if err != nil {
		return err
	}
	x.scan, x.cid = x.q.scan(p, x.e.memory), r.ID
	if p.Ordered && x.pipe != nil {
		x.pipe = x.pipe.Rest()
	}
	return nil
}

// docs is what comes out of the pipeline.
func (x *pipeline) docs() agg.Docs {
	return x.pipe.Run(x.source(), agg.Env{MemoryLimit: x.e.memory, Used: &x.used, Lookup: func(coll string) agg.Docs {
		q := &query{name: wire.DocName{DB: x.q.name.DB, Coll: []byte(coll)}, in: x.q.in}
		other := &pipeline{e: x.e, q: q}
		return func(yield func(bsoncore.Document, error) bool) {
			other.stop = x.stop
			if err := other.plan(); err != nil {
				yield(nil, err)
				return
			}
			other.source()(yield)
		}
	}})
}

// held is how many bytes the pipeline keeps while it rests.
func (x *pipeline) held() int64 {
	n := cap(x.arena) + 8*cap(x.ends) + x.used
	if x.scan != nil {
		n += x.scan.used
	}
	return int64(n)
}

const (
	arenaBytes = 1 << 20 // of the documents that are read at once
	arenaDocs  = 4096
)

// source is the documents of the collection that match, piece by piece.
func (x *pipeline) source() iter.Seq2[bsoncore.Document, error] {
	return func(yield func(bsoncore.Document, error) bool) {
		for x.scan != nil && !x.scan.done {
			if err := x.piece(); err != nil {
				yield(nil, err)
				return
			}
			from := 0
			for _, to := range x.ends {
				if !yield(x.arena[from:to:to], nil) {
					return
				}
				from = to
			}
		}
	}
}

// piece reads the next documents.
func (x *pipeline) piece() error {
	x.arena, x.ends = x.arena[:0], x.ends[:0]
	r := x.q.reader(x.e)
	if r != nil {
		defer r.Close()
	}
	if err := x.scan.resume(r, x.cid); err != nil {
		return err
	}
	defer x.e.figures.examined(x.scan)
	return x.scan.run(r, x.stop, func(_ []byte, doc bsoncore.Document, _ uint64) verdict {
		x.arena = append(x.arena, doc...)
		x.ends = append(x.ends, len(x.arena))
		if len(x.arena) >= arenaBytes || len(x.ends) >= arenaDocs {
			return enough
		}
		return goOn
	})
}
