package doc

import (
	"bytes"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// A transaction reads a snapshot and writes to a draft. Whoever writes a document that somebody else has written since the snapshot
// hears of it at once; that nobody has done so until the commit is for the versions in its one command to say. What a transaction has
// read may have changed by then: so there is write skew, as with any snapshot isolation.

// step is an operation on a worker, perhaps of a transaction.
type step struct {
	*pool.Task
	e *Engine
	x *txn // nil: it is outside of transactions
}

// Answer gives the transaction back and answers. It must be called once.
func (s step) Answer(resp wire.Response) {
	if s.x != nil {
		s.e.txns.give(s.x, "")
	}
	s.Task.Answer(resp)
}

// kept is what becomes a cursor of a source.
func (s step) kept(src source) source {
	if s.x == nil {
		return src
	}
	s.x.leaves = true
	return &leftOver{source: src, e: s.e, x: s.x}
}

// leftOver is what a read of a transaction has left over. It goes on in the transaction, and ends with it.
type leftOver struct {
	source
	e *Engine
	x *txn
}

func (l *leftOver) fill(b *batch, r *fsm.Reader, stop func() error) (more bool, err error) {
	if _, err := l.e.txns.take(l.x.id); err != nil {
		return true, err
	}
	defer l.e.txns.give(l.x, "")
	return l.source.fill(b, r, stop)
}

// beginTxn serves OpDocBegin.
func (e *Engine) beginTxn(g *replica.Group, req *wire.Request, r engine.Replier) {
	e.onWorker(g, req, r, func(t *pool.Task, _ []byte) {
		x, err := e.txns.open()
		if err != nil {
			t.Answer(fail(err))
			return
		}
		x.snap = e.machine.Snapshot()
		x.draft = newDraft(e, "transaction", x.snap.Open)
		x.draft.fresh = e.untouched
		if !t.Bind() {
			e.txns.give(x, aborted) // it was withdrawn
			return
		}
		resp := wire.Response{Rev: x.snap.Revision(), Num: int64(x.id)}
		e.txns.give(x, "")
		t.Answer(resp)
	})
}

// untouched reports that somebody else has written a document since the snapshot of the transaction that is about to.
func (e *Engine) untouched(x *draftDoc) error {
	n := &x.coll.name
	var version uint64
	if c := e.machine.Collection(n.DB, n.Coll); c != nil {
		buf := e.buffers.Get().(*[]byte)
		defer e.buffers.Put(buf)
		var err error
		if _, version, err = e.machine.Get(c.ID, x.key, (*buf)[:0]); err != nil {
			return err
		}
	}
	if version == x.version {
		return nil
	}
	id := bsoncore.Value{Type: bsoncore.Type(x.id[0]), Data: x.id[1:]}
	return txnError(wire.Conflict, wire.DocWriteConflict, "document %s of collection %s.%s was written by somebody else since the transaction began: begin again", value.Text(id), n.DB, n.Coll)
}

// inTxn serves OpDocIn. What it must see was applied when its transaction began.
func (e *Engine) inTxn(_ *replica.Group, req *wire.Request, r engine.Replier) {
	body := bytes.Clone(req.Body)
	e.pool.Add(e.pool.OpenThen(r, req, func(t *pool.Task) {
		var m wire.DocIn
		_ = m.Decode(body) // it was checked
		x, err := e.txns.take(m.Txn)
		if err != nil {
			t.Answer(fail(err))
			return
		}
		e.execute(step{Task: t, e: e, x: x}, m.Op, m.Body)
	}, e.held.EnterOrdered(req, r)))
}

// execute executes an operation of a transaction.
func (e *Engine) execute(s step, op wire.Op, body []byte) {
	switch op {
	case wire.OpDocFind:
		e.findMany(s, body)
	case wire.OpDocCount:
		e.countMany(s, body)
	case wire.OpDocDistinct:
		e.distinctMany(s, body)
	case wire.OpDocAggregate:
		e.aggregateMany(s, body)
	default:
		e.writeIn(s, op, body)
	}
}

// writeIn executes a write of a transaction, which any error ends: a part of it may be in the draft.
func (e *Engine) writeIn(s step, op wire.Op, body []byte) {
	resp, err := s.x.write(s.Stop, op, body)
	if err == nil {
		if err = e.txns.grown(s.x); err == nil && !s.Bind() {
			err = errWithdrawn
		}
		if err == nil {
			s.Answer(resp)
			return
		}
		resp = fail(err)
	}
	e.txns.fail(s.x, err)
	s.Task.Answer(resp)
}

var errWithdrawn = wire.Errorf(wire.Canceled, "a write of it was withdrawn")

// write executes a write in the draft. With an error there is an answer that has it.
func (x *txn) write(stop func() error, op wire.Op, body []byte) (resp wire.Response, err error) {
	d, sum := x.draft, &wire.DocResult{}
	d.stop, d.sum = stop, sum
	rev := x.snap.Revision()
	if op != wire.OpDocInsert {
		var m wire.DocUpdate
		_ = m.Decode(body) // it was checked
		doc, p, err := d.alter(0, op, &m)
		if err != nil {
			return fail(err), err
		}
		return changeAnswer(op, sum, rev, doc, p.project), nil
	}
	var m wire.DocInsert
	_ = m.Decode(body) // it was checked
	c := d.coll(&m.Name)
	for i := range m.Docs {
		if err = d.add(i, c, m.Docs[i]); err == nil {
			continue
		}
		if isConflict(err) {
			return fail(err), err
		}
		sum.Errors = append(sum.Errors, docError(uint64(i), err))
		break
	}
	return wire.Response{Rev: rev, Num: int64(sum.Inserted), Body: sum.Append(nil)}, err
}
