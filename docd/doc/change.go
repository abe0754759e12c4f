package doc

import (
	"bytes"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/project"
	"github.com/skshohagmiah/flin/docd/doc/internal/update"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// change serves OpDocUpdate, OpDocDelete and OpDocModify. One that names its document by the _id is proposed at once; else what
// matches is looked up first.
func (e *Engine) change(g *replica.Group, req *wire.Request, r engine.Replier) {
	m := new(wire.DocUpdate)
	_ = m.Decode(req.Body) // it was checked
	if err := sensible(req.Op, m); err != nil {
		r.Reply(req.Tag, fail(err))
		return
	}
	if id, ok := idOf(m.Filter); ok && len(m.Hint) == 0 && (req.Op != wire.OpDocModify || empty(m.Sort) && empty(m.Project)) {
		if err := compilable(req.Op, m); err != nil {
			r.Reply(req.Tag, fail(err))
			return
		}
		e.changeOne(g, req, m, id, r)
		return
	}
	x := &writing{e: e, g: g, req: *req, r: r}
	x.req.Body = bytes.Clone(req.Body)
	_ = x.m.Decode(x.req.Body)
	x.task = e.pool.OpenThen(r, req, func(*pool.Task) { x.look() }, e.held.EnterOrdered(req, r))
	if err := x.compile(); err != nil {
		x.task.Answer(fail(err))
		return
	}
	if g.Current(req) && x.lookFew() {
		return
	}
	g.WhenCurrent(req, &barrier, r, x.task.Ready)
}

// sensible reports what is wrong with a write as a whole, besides its filter and its update.
func sensible(op wire.Op, m *wire.DocUpdate) error {
	removes := op == wire.OpDocDelete || op == wire.OpDocModify && m.Flags&wire.DocRemove != 0
	switch {
	case removes && m.Flags&wire.DocUpsert != 0:
		return value.Errorf(value.FailedToParse, "Cannot specify both upsert=true and remove=true")
	case removes && m.Flags&wire.DocReturnNew != 0:
		return value.Errorf(value.FailedToParse, "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document")
	case removes && len(m.Update) > 0:
		return value.Errorf(value.FailedToParse, "Cannot specify both an update and remove=true")
	case !removes && len(m.Update) == 0:
		return value.Errorf(value.FailedToParse, "Either an update or remove=true must be specified")
	case !removes && op != wire.OpDocModify && m.Flags&wire.DocMulti != 0 && replaces(m.Update):
		return value.Errorf(value.FailedToParse, "multi update is not supported for replacement-style update")
	}
	return nil
}

// replaces reports whether an update is a document that replaces what matches.
func replaces(update []byte) bool {
	r := value.Read(update)
	return !r.Next() || len(r.Name) == 0 || r.Name[0] != '$'
}

// compilable reports what is wrong with the update of a write whose filter is sound. What the replicas could only refuse does not
// go into the log.
func compilable(op wire.Op, m *wire.DocUpdate) error {
	if kindOf(op, m) == wire.DocChangeDelete {
		return nil
	}
	_, err := fsm.CompileUpdate(m.Update, m.ArrayFilters)
	return err
}

// changeOne proposes a write to the document of an _id.
func (e *Engine) changeOne(g *replica.Group, req *wire.Request, m *wire.DocUpdate, id bsoncore.Value, r engine.Replier) {
	cmd := wire.DocApply{
		Targets:  []wire.DocName{m.Name},
		Programs: []wire.DocProgram{{Filter: m.Filter, Update: m.Update, ArrayFilters: m.ArrayFilters}},
		Changes:  []wire.DocChange{{Kind: kindOf(req.Op, m), ID: tagged(id)}},
		Return:   returns(req.Op, m),
	}
	buf := e.buffers.Get().(*[]byte)
	own := *req
	own.Op, own.Body = wire.OpDocApply, cmd.Append((*buf)[:0])
	g.Propose(&own, false, &changed{op: req.Op, tag: req.Tag, r: r, id: cmd.Changes[0].ID})
	e.keep(buf, own.Body)
	e.buffers.Put(buf)
}

// kindOf returns what is done to a document.
func kindOf(op wire.Op, m *wire.DocUpdate) wire.DocChangeKind {
	switch {
	case op == wire.OpDocDelete, op == wire.OpDocModify && m.Flags&wire.DocRemove != 0:
		return wire.DocChangeDelete
	case m.Flags&wire.DocUpsert != 0:
		return wire.DocChangeUpsert
	}
	return wire.DocChangeUpdate
}

// returns says which document a write answers with.
func returns(op wire.Op, m *wire.DocUpdate) wire.DocReturn {
	switch {
	case op != wire.OpDocModify:
		return wire.DocReturnNone
	case m.Flags&wire.DocReturnNew != 0:
		return wire.DocReturnAfter
	}
	return wire.DocReturnBefore
}

// changed is the Replier of a command that writes one document.
type changed struct {
	op  wire.Op
	tag uint64
	r   engine.Replier
	id  []byte // of an upsert
}

// Lane returns whose order the command keeps.
func (c *changed) Lane() wire.Replier { return c.r }

// Reply makes of the command's answer that of the request.
func (c *changed) Reply(_ uint64, resp wire.Response) {
	if resp.Code != wire.OK {
		c.r.Reply(c.tag, resp)
		return
	}
	var sum wire.DocResult
	rest := tally(&sum, resp.Body, 1, c.id)
	c.r.Reply(c.tag, changeAnswer(c.op, &sum, resp.Rev, rest, nil))
}

// tally adds up the outcomes of n changes. id is that of the document which an upsert has made, if one has. It returns what follows
// the outcomes.
func tally(sum *wire.DocResult, body []byte, n int, id []byte) (rest []byte) {
	for _, b := range body[:n] {
		outcome := wire.DocOutcome(b)
		if outcome&wire.DocMatched != 0 && outcome&wire.DocDeleted == 0 {
			sum.Matched++
		}
		if outcome&wire.DocChanged != 0 {
			sum.Modified++
		}
		if outcome&wire.DocDeleted != 0 {
			sum.Deleted++
		}
		if outcome&wire.DocInserted != 0 {
			sum.IDs = append(sum.IDs, wire.DocID{Value: id})
		}
	}
	return body[n:]
}

// changeAnswer is the answer to an update, a delete or a modify, of which doc is the document.
func changeAnswer(op wire.Op, sum *wire.DocResult, rev uint64, doc []byte, p *project.Projection) wire.Response {
	resp := wire.Response{Rev: rev, Num: int64(sum.Modified + sum.Deleted + uint64(len(sum.IDs)))}
	if op != wire.OpDocModify {
		resp.Body = sum.Append(nil)
		return resp
	}
	if p != nil && len(doc) > 0 {
		doc = p.Apply(nil, doc)
	}
	m := wire.DocModified{Result: *sum, Doc: doc}
	resp.Body = m.Append(make([]byte, 0, 32+len(doc)))
	return resp
}

// compile compiles the parts of a write, so that what is wrong with them is said even where nothing matches.
func (x *writing) compile() (err error) {
	m := &x.m
	find := wire.DocFind{Name: m.Name, Filter: m.Filter, Project: m.Project, Sort: m.Sort, Hint: m.Hint}
	if x.q, err = newQuery(&find); err != nil {
		return err
	}
	if x.q.filter == nil {
		if x.q.filter, err = filter.Compile(emptyDocument); err != nil {
			return err
		}
	}
	x.project, x.q.project = x.q.project, nil
	if kindOf(x.req.Op, m) != wire.DocChangeDelete {
		x.update, err = fsm.CompileUpdate(m.Update, m.ArrayFilters)
	}
	return err
}

var emptyDocument = bsoncore.Document{5, 0, 0, 0, 0}

// upsertDoc returns the document that an upsert makes now, its _id first, and that.
func (x *writing) upsertDoc() (doc bsoncore.Document, id bsoncore.Value, err error) {
	doc, err = update.Upsert(x.q.filter, x.update, update.Context{Now: wallClock(), Insert: true, Position: -1})
	if err != nil {
		return nil, id, err
	}
	if id, ok := value.Get(doc, "_id"); ok {
		return doc, id, nil
	}
	id, err = x.e.prepare((*[]byte)(&doc))
	return doc, id, err
}

// apply updates a document now. What comes out is new memory, or doc if it is not changed.
func (x *writing) apply(doc bsoncore.Document) (out bsoncore.Document, changed bool, err error) {
	c := update.Context{Now: wallClock(), Position: -1}
	if x.update.Positional() {
		c.Position = x.q.filter.Position(doc)
	}
	return x.update.Apply(make([]byte, 0, len(doc)+64), doc, c)
}
