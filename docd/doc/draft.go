package doc

import (
	"bytes"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// draft is what documents will be once a batch of writes is done.
type draft struct {
	x     *writes
	colls map[string]*draftColl
	order []*draftDoc // in which the documents were first written
	size  int
}

// draftColl is a collection of a draft.
type draftColl struct {
	name wire.DocName
	r    *fsm.Reader // nil: it is not there
	docs map[string]*draftDoc
	all  []*draftDoc
}

// draftDoc is a document that a batch has written.
type draftDoc struct {
	coll    *draftColl
	id      []byte // the byte of its type, and its bytes
	was     bool   // it is in the store
	version uint64
	doc     bsoncore.Document // as it will be; nil: it will not be there
	by      int               // the last write to it
}

func newDraft(x *writes) *draft { return &draft{x: x, colls: map[string]*draftColl{}} }

func (d *draft) close() {
	for _, c := range d.colls {
		if c.r != nil {
			c.r.Close()
		}
	}
}

func (d *draft) coll(n *wire.DocName) *draftColl {
	key := string(n.DB) + "\x00" + string(n.Coll)
	c := d.colls[key]
	if c == nil {
		c = &draftColl{name: *n, r: d.x.e.machine.Open(n.DB, n.Coll), docs: map[string]*draftDoc{}}
		d.colls[key] = c
	}
	return c
}

// get returns a document as it is by now: of the draft, or of the store.
func (c *draftColl) get(key []byte, id bsoncore.Value) (*draftDoc, error) {
	if x := c.docs[string(key)]; x != nil {
		return x, nil
	}
	x := &draftDoc{coll: c, id: tagged(id)}
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

// put says what a document will be; nil: gone.
func (d *draft) put(by int, key []byte, x *draftDoc, doc bsoncore.Document) error {
	if x.coll.docs[string(key)] == nil {
		x.coll.docs[string(key)] = x
		x.coll.all = append(x.coll.all, x)
		d.order = append(d.order, x)
	}
	if d.size += len(doc); d.size > wire.MaxCommand {
		return wire.Errorf(wire.TooLarge, "the documents of the batch are over %d bytes together: write fewer at once", wire.MaxCommand)
	}
	x.doc, x.by = doc, by
	return nil
}

// write tries one write.
func (d *draft) write(i int, w *wire.DocWriteOp) error {
	if w.Op == wire.OpDocInsert {
		doc := w.Update
		made, err := d.x.e.prepare(&doc)
		if err != nil {
			return err
		}
		if made.Type != value.Missing {
			d.x.sum.IDs = append(d.x.sum.IDs, wire.DocID{Index: uint64(i), Value: tagged(made)})
		}
		return d.insert(i, d.coll(&w.Name), doc)
	}
	if err := sensible(w.Op, &w.DocUpdate); err != nil {
		return err
	}
	p := &writing{e: d.x.e, req: wire.Request{Op: w.Op}, m: w.DocUpdate}
	if err := p.compile(); err != nil {
		return err
	}
	c := d.coll(&w.Name)
	found, err := d.find(c, p)
	if err != nil {
		return err
	}
	for _, key := range found {
		if err := d.change(i, c, p, key); err != nil {
			return err
		}
	}
	if len(found) > 0 || p.update == nil || w.Flags&wire.DocUpsert == 0 {
		return nil
	}
	doc, id, err := p.upsertDoc()
	if err != nil {
		return err
	}
	d.x.sum.IDs = append(d.x.sum.IDs, wire.DocID{Index: uint64(i), Value: tagged(id)})
	d.x.sum.Inserted-- // it counts as an upsert
	return d.insert(i, c, doc)
}

// insert adds a document, its _id first.
func (d *draft) insert(i int, c *draftColl, doc bsoncore.Document) error {
	id, _ := value.Get(doc, "_id")
	key := fsm.AppendID(nil, id)
	x, err := c.get(key, id)
	if err != nil {
		return err
	}
	if x.doc != nil {
		return value.Errorf(value.DuplicateKey, "E11000 duplicate key error collection: %s.%s index: _id_ dup key: { _id: %s }", c.name.DB, c.name.Coll, value.Text(id))
	}
	d.x.sum.Inserted++
	return d.put(i, key, x, doc)
}

// find lists the keys of the documents that match by now, the first or all.
func (d *draft) find(c *draftColl, p *writing) (keys [][]byte, err error) {
	for _, x := range c.all {
		if x.doc != nil && p.q.filter.Matches(x.doc) {
			id, _ := value.Get(x.doc, "_id")
			if keys = append(keys, fsm.AppendID(nil, id)); !p.multi() {
				return keys, nil
			}
		}
	}
	if c.r == nil {
		return keys, nil
	}
	if !p.multi() {
		p.q.limit = 1
	}
	way, err := p.q.plan(c.r)
	if err != nil {
		return nil, err
	}
	s := p.q.scan(way, d.x.e.memory)
	used := 0
	var over error
	err = s.run(c.r, d.x.task.Stop, func(id []byte, _ bsoncore.Document, _ uint64) verdict {
		if c.docs[string(id)] != nil {
			return goOn // it was looked at above
		}
		keys = append(keys, bytes.Clone(id))
		if used += len(id) + sizeOfTarget; used > d.x.e.memory || len(keys) > wire.MaxBatch {
			over = wire.Errorf(wire.TooLarge, "a batch changes at most %d documents: write fewer at once", wire.MaxBatch)
			return enough
		}
		if !p.multi() {
			return enough
		}
		return goOn
	})
	d.x.e.figures.examined(s)
	if err == nil {
		err = over
	}
	return keys, err
}

// change updates or deletes a document.
func (d *draft) change(i int, c *draftColl, p *writing, key []byte) error {
	x, err := c.get(key, bsoncore.Value{})
	if err != nil || x.doc == nil {
		return err
	}
	if id, ok := value.Get(x.doc, "_id"); ok {
		x.id = tagged(id)
	}
	if p.update == nil {
		d.x.sum.Deleted++
		return d.put(i, key, x, nil)
	}
	doc, changed, err := p.apply(x.doc)
	if err != nil {
		return err
	}
	d.x.sum.Matched++
	if !changed {
		return nil
	}
	d.x.sum.Modified++
	return d.put(i, key, x, doc)
}

// changes makes the command: what goes first, so that keys of unique indexes are free for what comes.
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
