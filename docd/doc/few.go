package doc

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/project"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	// fewKeys is how many keys of an index are looked at right where a request has come in. What has more goes to the workers, with a
	// plan: the detour costs more than these keys.
	fewKeys = 32
	// fewBytes is how many bytes of documents are read there.
	fewBytes = 1 << 20
)

// mayBeFew reports whether the first field of an index that is ready is named by a filter.
func mayBeFew(c *fsm.Collection, raw []byte) bool {
	for _, ix := range c.Indexes {
		if _, ok := value.Get(raw, ix.Fields[0].Path); ok && holdsAll(ix) {
			return true
		}
	}
	return false
}

// holdsAll reports whether every document has an entry in an index.
func holdsAll(ix *fsm.Index) bool {
	return ix.Ready() && ix.Flags&(wire.DocIndexSparse|wire.DocIndexPartial) == 0
}

// fewest returns the index of which a filter gives the most fields values, and the beginning of the keys that have them; nil if it
// gives the first field of none one.
func fewest(c *fsm.Collection, f *filter.Filter) (best *fsm.Index, prefix []byte) {
	fields := f.Fields()
	most := 0
	for _, ix := range c.Indexes {
		if !holdsAll(ix) || ix.Multikey && len(ix.Fields) > 1 {
			continue
		}
		var key []byte
		n := 0
		for _, k := range ix.Fields {
			v, ok := onlyValue(fields, k.Path)
			if !ok {
				break
			}
			key = value.AppendKey(key, v, k.Desc)
			n++
		}
		if n > most {
			best, prefix, most = ix, key, n
		}
	}
	return best, prefix
}

// few calls fn for the documents that match, until it returns false. It is false if that are not few, or there is no index by which
// to find them: then it has to be done otherwise, whatever fn has had by then. What fn gets is valid during the call only.
func (e *Engine) few(r *fsm.Reader, f *filter.Filter, fn func(doc bsoncore.Document) bool) (ok bool, err error) {
	ix, prefix := fewest(r.Collection, f)
	if ix == nil {
		return false, nil
	}
	buf := e.buffers.Get().(*[]byte)
	defer e.buffers.Put(buf)
	var n, docs, size int
	var failed error
	err = r.IndexScan(ix, prefix, keys.After(prefix), false, func(_, id []byte) bool {
		if n++; n > fewKeys || size > fewBytes {
			n = fewKeys + 1
			return false
		}
		doc, _, err := e.machine.GetAt(r, id, (*buf)[:0])
		if err != nil || doc == nil {
			failed = err
			return err == nil
		}
		docs++
		size += len(doc)
		goOn := !f.Matches(doc) || fn(doc)
		room(buf, len(doc))
		return goOn
	})
	if err == nil {
		err = failed
	}
	e.figures.keys.Add(uint64(n))
	e.figures.docs.Add(uint64(docs))
	return n <= fewKeys, err
}

// room makes buf large enough for documents of n bytes.
func room(buf *[]byte, n int) {
	if n > cap(*buf) && n <= keepBuffer {
		*buf = make([]byte, 0, n+n/2)
	}
}

// findFew answers a find of a few documents that an index has under one key. It is false if the find is none such.
func (e *Engine) findFew(m *wire.DocFind, f *filter.Filter, p *project.Projection, tag uint64, reply engine.Replier) bool {
	if !empty(m.Sort) || m.Batch > 0 && m.Batch < fewKeys {
		return false
	}
	rev := e.st.Applied().Revision
	r := e.machine.Open(m.Name.DB, m.Name.Coll)
	if r == nil {
		return false
	}
	defer r.Close()
	buf := e.buffers.Get().(*[]byte)
	defer e.buffers.Put(buf)
	out, left := (*buf)[:0], m.Limit
	ok, err := e.few(r, f, func(doc bsoncore.Document) bool {
		if p == nil {
			out = append(out, doc...)
		} else {
			out = p.Apply(out, doc)
		}
		left--
		return left != 0
	})
	e.keep(buf, out)
	switch {
	case err != nil:
		reply.Reply(tag, fail(err))
	case !ok:
		return false
	default:
		e.figures.points.Add(1)
		reply.Reply(tag, wire.Response{Rev: rev, Body: out})
	}
	return true
}

// lookFew finds the document to be changed if an index has few under a key that the filter gives, and proposes the change. It is
// false if that has to be done otherwise.
func (x *writing) lookFew() bool {
	m := &x.m
	if x.multi() || len(m.Hint) > 0 || !empty(m.Sort) {
		return false
	}
	c := x.e.machine.Collection(m.Name.DB, m.Name.Coll)
	if c == nil || !mayBeFew(c, m.Filter) {
		return false
	}
	r := x.e.machine.Open(m.Name.DB, m.Name.Coll)
	if r == nil {
		return false
	}
	ok, err := x.e.few(r, x.q.filter, func(doc bsoncore.Document) bool {
		x.found = append(x.found[:0], targetOf(doc))
		return false
	})
	r.Close()
	if !ok || err != nil || len(x.found) == 0 {
		return false
	}
	x.rounds = 1
	x.send()
	return true
}
