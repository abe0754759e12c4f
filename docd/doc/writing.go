package doc

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/project"
	"github.com/skshohagmiah/flin/docd/doc/internal/update"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	pieceDocs  = 1000    // documents that one command changes
	pieceBytes = 4 << 20 // of documents that it changes, but at least one

	// candidates are tried by one command where one document is to be changed and the first that was found has been changed by
	// somebody else meanwhile: so many who look for one at the same time come through in a few rounds.
	candidates = 64

	upsertTries = 10 // where somebody else makes a document of the same key at the same time
)

// writing is an update, a delete or a modify whose documents are looked up first. It is on a worker, or a command of its is in the
// log, never both: so nothing of it is locked. It is the Replier of its commands.
type writing struct {
	e       *Engine
	g       *replica.Group
	req     wire.Request // its body is its own
	r       engine.Replier
	task    *pool.Task
	m       wire.DocUpdate
	q       *query
	project *project.Projection // of a modify
	update  *update.Update      // nil: it deletes

	found  []target // that are to be changed still, all or the first
	sent   int      // of them, by the command under way
	piece  int      // how many to send at once
	rounds int      // how often it has been looked up
	upsert []byte   // the _id of the upsert under way
	sum    wire.DocResult
	rev    uint64
}

// target is a document to be changed.
type target struct {
	id   []byte // the byte of its type, and its bytes
	size int
}

// sizeOfTarget is what a target costs beside its id.
const sizeOfTarget = 48

func (x *writing) multi() bool {
	return x.m.Flags&wire.DocMulti != 0 && x.req.Op != wire.OpDocModify
}

// look finds what is to be changed, on a worker, and proposes the first piece.
func (x *writing) look() {
	if x.rounds++; x.rounds > 1 {
		if err := x.task.Stop(); err != nil {
			x.finish(wire.Fail(err))
			return
		}
	}
	x.found, x.piece = x.found[:0], pieceDocs
	r := x.e.machine.Open(x.m.Name.DB, x.m.Name.Coll)
	if r != nil {
		err := x.collect(r)
		r.Close()
		if err != nil {
			x.finish(fail(err))
			return
		}
	}
	switch {
	case len(x.found) > 0:
		x.send()
	case x.update != nil && x.m.Flags&wire.DocUpsert != 0:
		_, id, err := x.upsertDoc()
		if err != nil {
			x.finish(fail(err))
			return
		}
		x.upsert = tagged(id)
		x.propose(wire.DocAtomic, []target{{id: x.upsert}}, wire.DocChangeUpsert)
	default:
		x.done(nil)
	}
}

// collect lists the documents that match: all, or as many of the first as are tried at once.
func (x *writing) collect(r *fsm.Reader) error {
	if !x.multi() {
		if x.q.limit = 1; x.rounds > 1 {
			x.q.limit = candidates
		}
	}
	p, err := x.q.plan(r)
	if err != nil {
		return err
	}
	s := x.q.scan(p, x.e.memory)
	if !p.Ordered && !x.multi() {
		return x.sorted(r, s)
	}
	used := 0
	var over error
	err = s.run(r, x.task.Stop, func(_ []byte, doc bsoncore.Document, _ uint64) verdict {
		t := targetOf(doc)
		x.found = append(x.found, t)
		if used += len(t.id) + sizeOfTarget; used > x.e.memory {
			over = errMemory("remembering what is to be changed", x.e.memory)
			return enough
		}
		if x.q.limit > 0 && uint64(len(x.found)) == x.q.limit {
			return enough
		}
		return goOn
	})
	x.e.figures.examined(s)
	if err == nil {
		err = over
	}
	return err
}

func targetOf(doc bsoncore.Document) target {
	id, _ := value.Get(doc, "_id")
	return target{tagged(id), len(doc)}
}

// sorted lists the first documents in an order that the plan does not give.
func (x *writing) sorted(r *fsm.Reader, s *scan) error {
	by := sorter{by: x.q.sort, most: int64(x.q.limit), limit: x.e.memory}
	var failed error
	err := s.run(r, x.task.Stop, func(_ []byte, doc bsoncore.Document, _ uint64) verdict {
		failed = by.add(nil, doc, func(dst []byte, doc bsoncore.Document) []byte {
			return append(dst, targetOf(doc).id...)
		})
		if failed != nil {
			return enough
		}
		return goOn
	})
	x.e.figures.examined(s)
	if err == nil {
		err = failed
	}
	for _, row := range by.finish() {
		x.found = append(x.found, target{row.doc, row.size})
	}
	return err
}

// send proposes the next piece.
func (x *writing) send() {
	kind := kindOf(x.req.Op, &x.m)
	if kind == wire.DocChangeUpsert {
		kind = wire.DocChangeUpdate // there was a document
	}
	if !x.multi() {
		x.sent = len(x.found)
		x.propose(wire.DocFirst, x.found, kind)
		return
	}
	n, size := 0, 0
	for n < len(x.found) && n < x.piece && (n == 0 || size+x.found[n].size <= pieceBytes) {
		size += x.found[n].size
		n++
	}
	x.sent = n
	x.propose(wire.DocInOrder, x.found[:n], kind)
}

// propose proposes a command that changes some documents.
func (x *writing) propose(mode wire.DocMode, targets []target, kind wire.DocChangeKind) {
	if !x.task.Bind() {
		return // it was withdrawn
	}
	cmd := wire.DocApply{
		Mode: mode, Return: returns(x.req.Op, &x.m), Targets: []wire.DocName{x.m.Name},
		Programs: []wire.DocProgram{{Filter: x.m.Filter, Update: x.m.Update, ArrayFilters: x.m.ArrayFilters}},
		Changes:  make([]wire.DocChange, 0, len(targets)),
	}
	for i := range targets {
		cmd.Changes = append(cmd.Changes, wire.DocChange{Kind: kind, ID: targets[i].id})
	}
	buf := x.e.buffers.Get().(*[]byte)
	req := wire.Request{Op: wire.OpDocApply, Deadline: x.req.Deadline, Body: cmd.Append((*buf)[:0])}
	x.g.Propose(&req, false, x)
	x.e.keep(buf, req.Body)
	x.e.buffers.Put(buf)
}

// Lane returns whose order the commands keep.
func (x *writing) Lane() wire.Replier { return x.r }

// Reply takes the answer to a command, on the goroutine that applies. What takes longer goes back to the workers.
func (x *writing) Reply(_ uint64, resp wire.Response) {
	upsert := x.upsert
	x.upsert = nil
	switch {
	case upsert != nil && resp.Code == wire.Exists && x.rounds < upsertTries:
		x.again(x.look)
		return
	case resp.Code == wire.TooLarge && x.multi() && x.sent > 1:
		x.piece = x.sent / 2
		x.again(x.send)
		return
	case resp.Code != wire.OK:
		x.finish(resp)
		return
	}
	x.rev = max(x.rev, resp.Rev)
	if upsert != nil {
		x.done(tally(&x.sum, resp.Body, 1, upsert))
		return
	}
	if !x.multi() {
		rest := tally(&x.sum, resp.Body, x.sent, nil)
		if x.sum.Matched+x.sum.Deleted == 0 {
			x.again(x.look) // somebody else has changed all of them
			return
		}
		x.done(rest)
		return
	}
	if failed := x.count(resp.Body); failed != nil {
		x.finish(wire.Fail(failed.Err()))
		return
	}
	if x.found = x.found[x.sent:]; len(x.found) == 0 {
		x.done(nil)
		return
	}
	x.again(x.send)
}

// count adds up the outcomes of a piece, and returns the error that has ended it.
func (x *writing) count(body []byte) *wire.DocError {
	r := wire.NewReader(body)
	for range x.sent {
		b := r.Byte()
		if wire.DocOutcome(b)&wire.DocFailed != 0 {
			failed := wire.TakeDocError(&r)
			return &failed
		}
		tally(&x.sum, []byte{b}, 1, nil)
	}
	return nil
}

// again has a worker go on with fn.
func (x *writing) again(fn func()) {
	x.task.Continue(func(*pool.Task) { fn() })
	if !x.e.pool.Again(x.task) {
		x.finish(wire.Fail(errStopping))
	}
}

// done answers with what has been done.
func (x *writing) done(doc []byte) {
	x.task.Answer(changeAnswer(x.req.Op, &x.sum, x.rev, doc, x.project))
}

// finish answers with a failure. What has been done before is not undone, and said.
func (x *writing) finish(resp wire.Response) {
	n := x.sum.Modified + x.sum.Deleted
	if n > 0 {
		switch resp.Code {
		case wire.Timeout, wire.Unavailable, wire.NotLeader, wire.Busy, wire.Canceled:
			resp.Code = wire.OutcomeUnknown // those say that nothing was done
		}
		verb := "modified"
		if x.update == nil {
			verb = "deleted"
		}
		resp = wire.Fail(&wire.Error{Code: resp.Code, Sub: resp.Sub, Msg: wire.Errorf(resp.Code, "%s (%d documents were %s before)", resp.Body, n, verb).Msg})
	}
	x.task.Answer(resp)
}
