package doc

import (
	"bytes"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/plan"
	"github.com/skshohagmiah/flin/docd/doc/internal/project"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// maxBatchBytes bounds the documents of one answer; a single one may be as large.
const maxBatchBytes = wire.MaxDocument

// find serves OpDocFind: a document by its _id, or by a key of a unique index, here and now where that is linearizable, all else on a
// worker.
func (e *Engine) find(g *replica.Group, req *wire.Request, r engine.Replier) {
	var m wire.DocFind
	_ = m.Decode(req.Body) // it was checked
	if current(g, req) && e.findOne(&m, req.Tag, r) {
		return
	}
	e.onWorker(g, req, r, func(t *pool.Task, body []byte) { e.findMany(t, body) })
}

// onWorker has fn answer a request on a worker, with a body that is its own, once what it must see has been applied.
func (e *Engine) onWorker(g *replica.Group, req *wire.Request, r engine.Replier, fn func(t *pool.Task, body []byte)) {
	body := bytes.Clone(req.Body)
	t := e.pool.OpenThen(r, req, func(t *pool.Task) { fn(t, body) }, e.held.enter(e, req, r))
	whenCurrent(g, req, r, func(err error) {
		if err != nil {
			t.Answer(wire.Fail(err))
			return
		}
		e.pool.Add(t)
	})
}

// findOne answers a find that means one document at most and says which: by its _id, or by all fields of a unique index. It is false
// if the find is none such.
func (e *Engine) findOne(m *wire.DocFind, tag uint64, r engine.Replier) bool {
	if len(m.Hint) > 0 || m.Skip > 0 || empty(m.Filter) {
		return false
	}
	c := e.machine.Collection(m.Name.DB, m.Name.Coll)
	if c == nil {
		return false
	}
	id, ok := idOf(m.Filter)
	var f *filter.Filter
	if !ok {
		if !mayBeUnique(c, m.Filter) {
			return false
		}
		var err error
		if f, err = filter.Compile(m.Filter); err != nil {
			r.Reply(tag, fail(err))
			return true
		}
	}
	var p *project.Projection
	if !empty(m.Project) {
		var err error
		if p, err = project.Compile(m.Project); err != nil {
			r.Reply(tag, fail(err))
			return true
		}
	}
	if !empty(m.Sort) {
		if _, err := project.CompileSort(m.Sort); err != nil {
			r.Reply(tag, fail(err))
			return true
		}
	}
	var room [64]byte
	key := room[:0]
	if ok {
		key = fsm.AppendID(key, id)
	} else if key, ok = e.lookUp(c, f, key); !ok {
		return false
	}
	e.figures.points.Add(1)
	resp := wire.Response{Rev: e.st.Applied().Revision}
	if len(key) == 0 {
		r.Reply(tag, resp)
		return true
	}
	buf := e.buffers.Get().(*[]byte)
	defer e.buffers.Put(buf)
	doc, _, err := e.machine.Get(c.ID, key, (*buf)[:0])
	switch {
	case err != nil:
		r.Reply(tag, fail(err))
		return true
	case f != nil && (doc == nil || !f.Matches(doc)):
		return false // perhaps another document has got the key meanwhile: a view tells
	case doc == nil:
	case p == nil:
		resp.Body = doc
	default:
		resp.Body = p.Apply(nil, doc)
	}
	r.Reply(tag, resp)
	if len(doc) > cap(*buf) && len(doc) <= keepBuffer {
		*buf = make([]byte, 0, len(doc)+len(doc)/2)
	}
	return true
}

// mayBeUnique reports whether the first field of a unique index that is ready is named by a filter.
func mayBeUnique(c *fsm.Collection, raw []byte) bool {
	for _, ix := range c.Indexes {
		if !ix.Unique() || !ix.Ready() {
			continue
		}
		if _, ok := value.Get(raw, ix.Fields[0].Path); ok {
			return true
		}
	}
	return false
}

// lookUp appends the key of the _id of the only document that can match, by an index in which the filter says all fields; nothing if
// there is no such document. It is false if no index is such.
func (e *Engine) lookUp(c *fsm.Collection, f *filter.Filter, b []byte) ([]byte, bool) {
	fields := f.Fields()
	for _, ix := range c.Indexes {
		if !ix.Unique() || !ix.Ready() || ix.Flags&(wire.DocIndexSparse|wire.DocIndexPartial) != 0 {
			continue
		}
		var key []byte
		for _, k := range ix.Fields {
			v, ok := onlyValue(fields, k.Path)
			if !ok {
				key = nil
				break
			}
			key = value.AppendKey(key, v, k.Desc)
		}
		if key == nil || ix.Multikey && len(ix.Fields) > 1 {
			continue
		}
		id, err := e.machine.Lookup(ix, key, nil)
		if err != nil {
			return b, false // on a worker it fails again, or not
		}
		return append(b, id...), true
	}
	return b, false
}

// onlyValue returns the value that a path must have by the first condition on it.
func onlyValue(fields []filter.Field, path string) (bsoncore.Value, bool) {
	for i := range fields {
		if f := &fields[i]; f.Path == path {
			if len(f.Intervals) == 1 && f.Intervals[0].IsPoint() {
				return f.Intervals[0].Low, true
			}
			return bsoncore.Value{}, false
		}
	}
	return bsoncore.Value{}, false
}

// findMany answers a find on a worker.
func (e *Engine) findMany(t *pool.Task, body []byte) {
	var m wire.DocFind
	_ = m.Decode(body) // it was checked
	q, err := newQuery(&m)
	if err != nil {
		t.Answer(fail(err))
		return
	}
	r := e.machine.Open(m.Name.DB, m.Name.Coll)
	if r == nil {
		t.Answer(wire.Response{Rev: e.st.Applied().Revision})
		return
	}
	defer r.Close()
	p, err := q.plan(r)
	if err != nil {
		t.Answer(fail(err))
		return
	}
	src, err := e.open(t, r, q, p)
	if err != nil {
		t.Answer(fail(err))
		return
	}
	batch := m.Batch
	if batch == 0 {
		batch = wire.DefaultDocBatch
	}
	e.firstBatch(t, src, r, batch, m.Flags)
}

// open begins to read what a query is to give: along a plan, or from memory once it is sorted.
func (e *Engine) open(t *pool.Task, r *fsm.Reader, q *query, p *plan.Plan) (source, error) {
	s := q.scan(p, e.memory)
	if p.Ordered {
		return &stream{e: e, q: q, cid: r.ID, scan: s, skip: q.skip, left: q.limit}, nil
	}
	x := sorter{by: q.sort, most: q.wanted(), limit: e.memory}
	var failed error
	err := s.run(r, t.Stop, func(_ []byte, doc bsoncore.Document, _ uint64) verdict {
		if failed = x.add(nil, doc, q.apply); failed != nil {
			return enough
		}
		return goOn
	})
	e.figures.examined(s)
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	all := x.finish()
	all = all[min(q.skip, uint64(len(all))):]
	if q.limit > 0 {
		all = all[:min(q.limit, uint64(len(all)))]
	}
	l := &list{}
	for i := range all {
		l.add(all[i].doc)
	}
	return l, nil
}
