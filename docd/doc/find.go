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

// find serves OpDocFind: what findHere can answer here and now where that is linearizable, all else on a worker.
func (e *Engine) find(g *replica.Group, req *wire.Request, r engine.Replier) {
	var m wire.DocFind
	_ = m.Decode(req.Body) // it was checked
	if g.Current(req) && e.findHere(&m, req.Tag, r) {
		return
	}
	e.onWorker(g, req, r, func(t *pool.Task, body []byte) { e.findMany(step{Task: t}, body) })
}

// onWorker has fn answer a request on a worker, with a body that is its own, once what it must see has been applied.
func (e *Engine) onWorker(g *replica.Group, req *wire.Request, r engine.Replier, fn func(t *pool.Task, body []byte)) {
	body := bytes.Clone(req.Body)
	t := e.pool.OpenThen(r, req, func(t *pool.Task) { fn(t, body) }, e.held.EnterOrdered(req, r))
	g.WhenCurrent(req, &barrier, r, t.Ready)
}

// findHere answers a find whose documents are few and can be named at once: by the _id, or by a key of an index. It is false if the
// find is none such.
func (e *Engine) findHere(m *wire.DocFind, tag uint64, r engine.Replier) bool {
	if len(m.Hint) > 0 || m.Skip > 0 || empty(m.Filter) {
		return false
	}
	c := e.machine.Collection(m.Name.DB, m.Name.Coll)
	if c == nil {
		return false
	}
	id, ok := idOf(m.Filter)
	if !ok && !mayBeFew(c, m.Filter) {
		return false
	}
	f, p, err := compileHere(m, !ok)
	if err != nil {
		r.Reply(tag, fail(err))
		return true
	}
	var room [64]byte
	key := room[:0]
	if ok {
		key = fsm.AppendID(key, id)
	} else if key, ok = e.lookUp(c, f, key); !ok {
		return e.findFew(m, f, p, tag, r)
	}
	return e.findOne(c, key, f, p, tag, r)
}

// compileHere compiles what a find without a plan needs.
func compileHere(m *wire.DocFind, filtered bool) (f *filter.Filter, p *project.Projection, err error) {
	if filtered {
		f, err = filter.Compile(m.Filter)
	}
	if err == nil && !empty(m.Project) {
		p, err = project.Compile(m.Project)
	}
	if err == nil && !empty(m.Sort) {
		_, err = project.CompileSort(m.Sort)
	}
	return f, p, err
}

// findOne answers with the document whose _id has a key, which may be empty, if it matches.
func (e *Engine) findOne(c *fsm.Collection, key []byte, f *filter.Filter, p *project.Projection, tag uint64, r engine.Replier) bool {
	e.figures.points.Add(1)
	resp := wire.Response{Rev: e.st.Applied().Revision}
	if len(key) == 0 {
		if e.machine.Collection([]byte(c.DB), []byte(c.Name)) != c {
			return false // the index may have been dropped meanwhile
		}
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
	room(buf, len(doc))
	return true
}

// lookUp appends the key of the _id of the only document that can match, by an index in which the filter says all fields; nothing if
// there is no such document. It is false if no index is such.
func (e *Engine) lookUp(c *fsm.Collection, f *filter.Filter, b []byte) ([]byte, bool) {
	fields := f.Fields()
	for _, ix := range c.Indexes {
		if !ix.Unique() || !holdsAll(ix) {
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
func (e *Engine) findMany(t step, body []byte) {
	var m wire.DocFind
	_ = m.Decode(body) // it was checked
	q, err := newQuery(&m)
	if err != nil {
		t.Answer(fail(err))
		return
	}
	q.in = t.x
	r := q.reader(e)
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
func (e *Engine) open(t step, r *fsm.Reader, q *query, p *plan.Plan) (source, error) {
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
