package doc

import (
	"maps"
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/plan"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// count serves OpDocCount. All documents of a collection are counted already.
func (e *Engine) count(g *replica.Group, req *wire.Request, r engine.Replier) {
	var m wire.DocFind
	_ = m.Decode(req.Body) // it was checked
	if g.Current(req) && empty(m.Filter) && len(m.Hint) == 0 {
		var n int64
		if c := e.machine.Collection(m.Name.DB, m.Name.Coll); c != nil {
			n = c.Documents()
		}
		r.Reply(req.Tag, wire.Response{Rev: e.st.Applied().Revision, Num: within(n, &m)})
		return
	}
	e.onWorker(g, req, r, func(t *pool.Task, body []byte) { e.countMany(step{Task: t}, body) })
}

// countMany answers a count on a worker.
func (e *Engine) countMany(t step, body []byte) {
	var m wire.DocFind
	_ = m.Decode(body) // it was checked
	n, err := e.matching(t, &m)
	if err != nil {
		t.Answer(fail(err))
		return
	}
	t.Answer(wire.Response{Rev: e.st.Applied().Revision, Num: within(n, &m)})
}

// within is how many of n documents skip and limit leave.
func within(n int64, m *wire.DocFind) int64 {
	n -= int64(min(m.Skip, uint64(n)))
	if m.Limit > 0 {
		n = int64(min(m.Limit, uint64(n)))
	}
	return n
}

// matching counts the documents that match: by the keys of an index, without the documents, where these say it all.
func (e *Engine) matching(t step, m *wire.DocFind) (n int64, err error) {
	m.Project, m.Sort = nil, nil
	q, err := newQuery(m)
	if err != nil {
		return 0, err
	}
	q.in = t.x
	r := q.reader(e)
	if r == nil {
		return 0, nil
	}
	defer r.Close()
	p, err := q.plan(r)
	if err != nil {
		return 0, err
	}
	most := q.wanted()
	if !p.Residual && !p.Dedupe && q.written() == nil {
		return countKeys(t, r, p, most)
	}
	s := q.scan(p, e.memory)
	err = s.run(r, t.Stop, func([]byte, bsoncore.Document, uint64) verdict {
		if n++; n == most {
			return enough
		}
		return goOn
	})
	e.figures.examined(s)
	return n, err
}

func countKeys(t step, r *fsm.Reader, p *plan.Plan, most int64) (n int64, err error) {
	for _, rg := range p.Ranges {
		if err := t.Stop(); err != nil {
			return 0, err
		}
		k, err := plan.Count(r, p.Index, rg, 1<<62)
		if err != nil {
			return 0, err
		}
		if n += int64(k); most > 0 && n >= most {
			return n, nil
		}
	}
	return n, nil
}

// distinct serves OpDocDistinct.
func (e *Engine) distinct(g *replica.Group, req *wire.Request, r engine.Replier) {
	e.onWorker(g, req, r, func(t *pool.Task, body []byte) { e.distinctMany(step{Task: t}, body) })
}

// distinctMany answers a distinct on a worker.
func (e *Engine) distinctMany(t step, body []byte) {
	var m wire.DocFind
	_ = m.Decode(body) // it was checked
	all, err := e.values(t, &m)
	if err != nil {
		t.Answer(fail(err))
		return
	}
	t.Answer(wire.Response{Rev: e.st.Applied().Revision, Num: all.n, Body: all.array()})
}

// codeDistinct is MongoDB's for a distinct that finds too much.
const codeDistinct = 17217

// distinctValues are different values, by their keys.
type distinctValues struct {
	by   map[string]bsoncore.Value
	n    int64
	size int
	key  []byte
	err  error
}

// add takes a value. Of an array those are its elements.
func (d *distinctValues) add(v bsoncore.Value, exists bool, _ int) bool {
	switch {
	case !exists:
	case v.Type == value.Array:
		for r := value.Read(v.Data); r.Next() && d.err == nil; {
			d.one(r.Value)
		}
	default:
		d.one(v)
	}
	return d.err == nil
}

func (d *distinctValues) one(v bsoncore.Value) {
	d.key = value.AppendKey(d.key[:0], v, false)
	if _, there := d.by[string(d.key)]; there {
		return
	}
	d.by[string(d.key)] = bsoncore.Value{Type: v.Type, Data: append([]byte(nil), v.Data...)}
	d.n++
	const perElement = 9
	if d.size += len(v.Data) + perElement; d.size > wire.MaxDocument {
		d.err = value.Errorf(codeDistinct, "distinct too big, %d bytes cap: count by $group in an aggregation instead", wire.MaxDocument)
	}
}

// array returns the values in their order.
func (d *distinctValues) array() []byte {
	at, b := value.Begin(make([]byte, 0, d.size+8))
	for i, k := range slices.Sorted(maps.Keys(d.by)) {
		v := d.by[k]
		b = append(value.AppendIndexName(append(b, byte(v.Type)), i), 0)
		b = append(b, v.Data...)
	}
	return value.End(b, at)
}

// values finds the different values of a field.
func (e *Engine) values(t step, m *wire.DocFind) (*distinctValues, error) {
	all := &distinctValues{by: map[string]bsoncore.Value{}}
	path := string(m.Field)
	if path == "" {
		return nil, value.Errorf(value.BadValue, "distinct needs the path of a field")
	}
	m.Project, m.Sort, m.Skip, m.Limit = nil, nil, 0, 0
	q, err := newQuery(m)
	if err != nil {
		return nil, err
	}
	q.in = t.x
	r := q.reader(e)
	if r == nil {
		return all, nil
	}
	defer r.Close()
	p, err := q.plan(r)
	if err != nil {
		return nil, err
	}
	s := q.scan(p, e.memory)
	err = s.run(r, t.Stop, func(_ []byte, doc bsoncore.Document, _ uint64) verdict {
		value.Traverse(doc, path, false, all.add)
		if all.err != nil {
			return enough
		}
		return goOn
	})
	e.figures.examined(s)
	if err == nil {
		err = all.err
	}
	return all, err
}
