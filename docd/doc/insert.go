package doc

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// insertion is an OpDocInsert on its way through the log. It is the Replier of its command.
type insertion struct {
	e       *Engine
	r       engine.Replier
	tag     uint64
	request wire.DocInsert
	command wire.DocApply
	places  []uint64 // of the command's documents in the request
	result  wire.DocResult
	buf     []byte
}

// insert serves OpDocInsert: one command with all documents that may be stored.
func (e *Engine) insert(g *replica.Group, req *wire.Request, r engine.Replier) {
	x := e.inserts.Get().(*insertion)
	x.r, x.tag = r, req.Tag
	_ = x.request.Decode(req.Body) // it was checked
	x.fill()
	if len(x.command.Changes) == 0 {
		x.answer(wire.Response{Rev: e.st.Applied().Revision})
		return
	}
	x.buf = x.command.Append(x.buf[:0])
	own := *req
	own.Op, own.Body = wire.OpDocApply, x.buf
	g.Propose(&own, false, x) // x may be another's when it returns
}

// fill makes the command. What may not be stored is among the result's errors then.
func (x *insertion) fill() {
	x.command.Mode = wire.DocInOrder
	if x.request.Flags&wire.DocUnordered != 0 {
		x.command.Mode = wire.DocIndividual
	}
	x.command.Targets = append(x.command.Targets, x.request.Name)
	for i, doc := range x.request.Docs {
		id, err := x.e.prepare(&doc)
		if err != nil {
			x.result.Errors = append(x.result.Errors, docError(uint64(i), err))
			if x.command.Mode == wire.DocInOrder {
				return
			}
			continue
		}
		if id.Type != value.Missing {
			x.result.IDs = append(x.result.IDs, wire.DocID{Index: uint64(i), Value: tagged(id)})
		}
		x.command.Changes = append(x.command.Changes, wire.DocChange{Kind: wire.DocChangeInsert, Doc: doc})
		x.places = append(x.places, uint64(i))
	}
}

// tagged returns a value with the byte of its type, as it travels.
func tagged(v bsoncore.Value) []byte {
	return append(append(make([]byte, 0, 1+len(v.Data)), byte(v.Type)), v.Data...)
}

// prepare checks a document that is to be stored, and puts its _id first. If it has none it gets one, which is returned.
func (e *Engine) prepare(doc *[]byte) (made bsoncore.Value, err error) {
	if err := fsm.CheckDocument(*doc); err != nil {
		return made, err
	}
	r := value.Read(*doc)
	if r.Next() && string(r.Name) == "_id" {
		return made, nil
	}
	id, there := value.Get(*doc, "_id")
	if !there {
		id = e.ids.next()
		made = id
	}
	at, out := value.Begin(make([]byte, 0, len(*doc)+len(id.Data)+8))
	out = value.AppendElement(out, "_id", id)
	for r := value.Read(*doc); r.Next(); {
		if string(r.Name) != "_id" {
			out = value.AppendElement(out, r.Name, r.Value)
		}
	}
	*doc = value.End(out, at)
	if len(*doc) > wire.MaxDocument {
		return made, fsm.CheckDocument(*doc)
	}
	return made, nil
}

// docError is an error of one document, or of one write.
func docError(i uint64, err error) wire.DocError {
	resp := fail(err)
	return wire.DocError{Index: i, Code: resp.Code, Sub: resp.Sub, Msg: resp.Body}
}

// Reply makes of the command's answer that of the request.
func (x *insertion) Reply(_ uint64, resp wire.Response) {
	if resp.Code != wire.OK {
		x.finish(resp)
		return
	}
	own := len(x.result.Errors) // found beforehand
	r := wire.NewReader(resp.Body)
	stopped := false
	for _, place := range x.places {
		switch outcome := wire.DocOutcome(r.Byte()); {
		case outcome&wire.DocFailed != 0:
			failed := wire.TakeDocError(&r)
			failed.Index = place
			x.result.Errors = append(x.result.Errors, failed)
			stopped = x.command.Mode == wire.DocInOrder
		case outcome&wire.DocInserted != 0:
			x.result.Inserted++
			continue
		}
		x.result.IDs = slices.DeleteFunc(x.result.IDs, func(id wire.DocID) bool { return id.Index == place })
	}
	if stopped {
		x.result.Errors = x.result.Errors[own:] // those were behind the one that stopped it
	}
	slices.SortFunc(x.result.Errors, func(a, b wire.DocError) int { return int(a.Index) - int(b.Index) })
	x.answer(wire.Response{Rev: resp.Rev})
}

// answer answers with the result.
func (x *insertion) answer(resp wire.Response) {
	resp.Num = int64(x.result.Inserted)
	x.buf = x.result.Append(x.buf[:0])
	resp.Body = x.buf
	x.finish(resp)
}

func (x *insertion) finish(resp wire.Response) {
	x.r.Reply(x.tag, resp)
	clear(x.request.Docs)
	clear(x.command.Targets)
	clear(x.command.Changes)
	clear(x.result.IDs)
	clear(x.result.Errors)
	x.request.Name, x.r = wire.DocName{}, nil
	x.command.Targets, x.command.Changes, x.places = x.command.Targets[:0], x.command.Changes[:0], x.places[:0]
	x.result = wire.DocResult{IDs: x.result.IDs[:0], Errors: x.result.Errors[:0]}
	if cap(x.buf) > keepBuffer {
		x.buf = nil
	}
	x.e.inserts.Put(x)
}

// Lane returns whose order the command keeps.
func (x *insertion) Lane() wire.Replier { return x.r }
