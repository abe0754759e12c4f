package doc

import (
	"bytes"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/plan"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// draft is what documents will be once the writes of a batch, or of a transaction, are done. One goroutine at a time uses it.
type draft struct {
	e    *Engine
	what string // whose writes they are, for messages
	open func(db, coll []byte) *fsm.Reader
	// fresh is asked before a document is first written: nil, or an error if it is too late for that.
	fresh func(x *draftDoc) error

	// Of the operation under way.
	stop func() error
	sum  *wire.DocResult

	colls   map[string]*draftColl
	order   []*draftDoc // in which the documents were first written
	size    int         // bytes of the command that they make, about
	targets int         // collections of which a document was written
}

// draftColl is a collection of a draft.
type draftColl struct {
	name wire.DocName
	r    *fsm.Reader // nil: it is not there
	docs map[string]*draftDoc
	all  []*draftDoc
}

// draftDoc is a document that was written.
type draftDoc struct {
	coll    *draftColl
	place   int    // in coll.all
	key     []byte // of its _id
	id      []byte // the byte of its type, and its bytes
	was     bool   // it is in the store
	version uint64
	doc     bsoncore.Document // as it will be; nil: it will not be there
	by      int               // the last write to it
}

func newDraft(e *Engine, what string, open func(db, coll []byte) *fsm.Reader) *draft {
	return &draft{e: e, what: what, open: open, colls: map[string]*draftColl{}}
}

func (d *draft) close() {
	for _, c := range d.colls {
		if c.r != nil {
			c.r.Close()
		}
	}
}

func draftKey(n *wire.DocName) string { return string(n.DB) + "\x00" + string(n.Coll) }

func (d *draft) coll(n *wire.DocName) *draftColl {
	key := draftKey(n)
	c := d.colls[key]
	if c == nil {
		own := wire.DocName{DB: bytes.Clone(n.DB), Coll: bytes.Clone(n.Coll)} // not to keep the request for it
		c = &draftColl{name: own, r: d.open(n.DB, n.Coll), docs: map[string]*draftDoc{}}
		d.colls[key] = c
	}
	return c
}

// written returns a collection if a document of it was written, else nil.
func (d *draft) written(n *wire.DocName) *draftColl {
	if c := d.colls[draftKey(n)]; c != nil && len(c.all) > 0 {
		return c
	}
	return nil
}

// get returns a document as it is by now: of the draft, or of the store.
func (c *draftColl) get(key []byte, id bsoncore.Value) (*draftDoc, error) {
	if x := c.docs[string(key)]; x != nil {
		return x, nil
	}
	x := &draftDoc{coll: c, key: key, id: tagged(id)}
	if c.r != nil {
		doc, version, err := c.r.Get(key, nil)
		if err != nil {
			return nil, err
		}
		if doc != nil {
			x.was, x.version, x.doc = true, version, bytes.Clone(doc)
		}
	}
	return x, nil
}

// sizeOfChange is what a document adds to a command beside itself and its _id.
const sizeOfChange = 32

// put says what a document will be; nil: gone.
func (d *draft) put(by int, x *draftDoc, doc bsoncore.Document) error {
	if c := x.coll; c.docs[string(x.key)] == nil {
		if d.fresh != nil {
			if err := d.fresh(x); err != nil {
				return err
			}
		}
		if len(c.all) == 0 {
			d.targets++
		}
		if len(d.order) == wire.MaxBatch || d.targets > wire.MaxDocTargets {
			return d.tooLarge("writes more than %d documents, or in more than %d collections", wire.MaxBatch, wire.MaxDocTargets)
		}
		x.place = len(c.all)
		c.docs[string(x.key)] = x
		c.all = append(c.all, x)
		d.order = append(d.order, x)
		d.size += len(x.id) + sizeOfChange
	} else {
		d.size -= len(x.doc)
	}
	if d.size += len(doc); d.size > wire.MaxCommand {
		return d.tooLarge("has documents of over %d bytes together", wire.MaxCommand)
	}
	x.doc, x.by = doc, by
	return nil
}

func (d *draft) tooLarge(format string, args ...any) error {
	return wire.Errorf(wire.TooLarge, "the "+d.what+" "+format+": write fewer at once", args...)
}

// write tries one write of a batch.
func (d *draft) write(i int, w *wire.DocWriteOp) error {
	if w.Op == wire.OpDocInsert {
		return d.add(i, d.coll(&w.Name), w.Update)
	}
	_, _, err := d.alter(i, w.Op, &w.DocUpdate)
	return err
}

// add inserts a document, which gets an _id if it has none. doc must not change any more.
func (d *draft) add(i int, c *draftColl, doc bsoncore.Document) error {
	made, err := d.e.prepare((*[]byte)(&doc))
	if err != nil {
		return err
	}
	if err := d.insert(i, c, doc); err != nil {
		return err
	}
	if made.Type != value.Missing {
		d.sum.IDs = append(d.sum.IDs, wire.DocID{Index: uint64(i), Value: tagged(made)})
	}
	d.sum.Inserted++
	return nil
}

// alter tries an update, a delete or a modify. The document is the one that a modify answers with, if there is one.
func (d *draft) alter(i int, op wire.Op, m *wire.DocUpdate) (doc bsoncore.Document, p *writing, err error) {
	if err := sensible(op, m); err != nil {
		return nil, nil, err
	}
	p = &writing{e: d.e, req: wire.Request{Op: op}, m: *m}
	if err := p.compile(); err != nil {
		return nil, nil, err
	}
	c := d.coll(&m.Name)
	found, err := d.find(c, p)
	if err != nil {
		return nil, nil, err
	}
	for _, key := range found {
		before, after, err := d.change(i, c, p, key)
		if err != nil {
			return nil, nil, err
		}
		if doc = before; m.Flags&wire.DocReturnNew != 0 {
			doc = after
		}
	}
	if len(found) > 0 || p.update == nil || m.Flags&wire.DocUpsert == 0 {
		return doc, p, nil
	}
	made, id, err := p.upsertDoc()
	if err != nil {
		return nil, nil, err
	}
	d.sum.IDs = append(d.sum.IDs, wire.DocID{Index: uint64(i), Value: tagged(id)})
	if m.Flags&wire.DocReturnNew != 0 {
		doc = made
	}
	return doc, p, d.insert(i, c, made)
}

// insert adds a document, its _id first.
func (d *draft) insert(i int, c *draftColl, doc bsoncore.Document) error {
	id, _ := value.Get(doc, "_id")
	x, err := c.get(fsm.AppendID(nil, id), id)
	if err != nil {
		return err
	}
	if x.doc != nil {
		return value.Errorf(value.DuplicateKey, "E11000 duplicate key error collection: %s.%s index: _id_ dup key: { _id: %s }", c.name.DB, c.name.Coll, value.Text(id))
	}
	return d.put(i, x, doc)
}

// find lists the keys of the documents that match by now, the first or all.
func (d *draft) find(c *draftColl, p *writing) (keys [][]byte, err error) {
	if id, ok := onlyID(p); ok && len(p.m.Hint) == 0 {
		x, err := c.get(fsm.AppendID(nil, id), id)
		if err != nil || x.doc == nil || !p.q.filter.Matches(x.doc) {
			return nil, err
		}
		return [][]byte{x.key}, nil
	}
	if !p.multi() {
		p.q.limit = 1
	}
	way := &plan.Plan{} // there is nothing
	if c.r != nil {
		if way, err = p.q.plan(c.r); err != nil {
			return nil, err
		}
	}
	s := p.q.scan(way, d.e.memory)
	s.cover(c)
	defer d.e.figures.examined(s)
	if p.q.sort != nil && !p.multi() && (!way.Ordered || len(c.all) > 0) {
		return d.first(c, p, s)
	}
	var over error
	used := 0
	err = s.run(c.r, d.stop, func(id []byte, _ bsoncore.Document, _ uint64) verdict {
		keys = append(keys, bytes.Clone(id))
		if used += len(id) + sizeOfTarget; used > d.e.memory || len(keys) > wire.MaxBatch {
			over = d.tooLarge("changes more than %d documents by one write", wire.MaxBatch)
			return enough
		}
		if !p.multi() {
			return enough
		}
		return goOn
	})
	if err == nil {
		err = over
	}
	return keys, err
}

// onlyID returns the _id of the only document that can match, if the filter says it: then nothing is walked through, neither the store
// nor what was written by now.
func onlyID(p *writing) (bsoncore.Value, bool) {
	if id, ok := idOf(p.m.Filter); ok {
		return id, true
	}
	id, ok := onlyValue(p.q.filter.Fields(), "_id")
	switch id.Type {
	case value.Array, value.Regex, value.Null, value.Undefined, value.MinKey, value.MaxKey:
		return id, false
	}
	return id, ok
}

// first returns the key of the document that is the first in the order that the write wants, of the store's and of those that were
// written by now.
func (d *draft) first(c *draftColl, p *writing, s *scan) (keys [][]byte, err error) {
	by := sorter{by: p.q.sort, most: 1, limit: d.e.memory}
	var failed error
	another := func(id []byte, doc bsoncore.Document, _ uint64) verdict {
		failed = by.add(id, doc, func(dst []byte, _ bsoncore.Document) []byte { return dst })
		if failed != nil || s.plan.Ordered && c.docs[string(id)] == nil {
			return enough // what the store has behind it comes later in the order
		}
		return goOn
	}
	err = s.run(c.r, d.stop, another)
	if err == nil && failed == nil && !s.done {
		own := p.q.scan(&plan.Plan{}, d.e.memory)
		own.cover(c)
		err = own.run(nil, d.stop, another)
		d.e.figures.examined(own)
	}
	if err == nil {
		err = failed
	}
	for _, row := range by.finish() {
		keys = append(keys, row.id)
	}
	return keys, err
}

// change updates or deletes a document, and returns it as it was and as it will be.
func (d *draft) change(i int, c *draftColl, p *writing, key []byte) (before, after bsoncore.Document, err error) {
	x, err := c.get(key, bsoncore.Value{})
	if err != nil || x.doc == nil {
		return nil, nil, err
	}
	before = x.doc
	if id, ok := value.Get(x.doc, "_id"); ok {
		x.id = tagged(id)
	}
	if p.update == nil {
		d.sum.Deleted++
		return before, nil, d.put(i, x, nil)
	}
	after, changed, err := p.apply(x.doc)
	if err != nil {
		return nil, nil, err
	}
	d.sum.Matched++
	if !changed {
		return before, after, nil
	}
	d.sum.Modified++
	return before, after, d.put(i, x, after)
}

// changes makes the command: what goes first, so that keys of unique indexes are free for what comes. origin is for each change the
// write that it is due to.
func (d *draft) changes(cmd *wire.DocApply) (origin []int) {
	targets := map[*draftColl]uint64{}
	for _, pass := range [...]wire.DocChangeKind{wire.DocChangeRemove, wire.DocChangePut, wire.DocChangeInsert} {
		for _, x := range d.order {
			ch := wire.DocChange{Kind: wire.DocChangePut, ID: x.id, Version: x.version, Doc: x.doc}
			switch {
			case x.doc == nil && !x.was:
				continue
			case x.doc == nil:
				ch.Kind = wire.DocChangeRemove
			case !x.was:
				ch.Kind = wire.DocChangeInsert
			}
			if ch.Kind != pass {
				continue
			}
			t, ok := targets[x.coll]
			if !ok {
				t = uint64(len(cmd.Targets))
				targets[x.coll] = t
				cmd.Targets = append(cmd.Targets, x.coll.name)
			}
			ch.Target = t
			cmd.Changes = append(cmd.Changes, ch)
			origin = append(origin, x.by)
		}
	}
	return origin
}
