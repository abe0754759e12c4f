package doc

import (
	"errors"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// commitTxn serves OpDocCommit: one command with all that was written, which demands the versions of the snapshot.
func (e *Engine) commitTxn(g *replica.Group, req *wire.Request, r engine.Replier) {
	var m wire.DocTxn
	_ = m.Decode(req.Body) // it was checked
	deadline := req.Deadline
	e.pool.Add(e.pool.OpenThen(r, req, func(t *pool.Task) {
		x, err := e.txns.take(m.Txn)
		if err != nil {
			t.Answer(fail(err))
			return
		}
		c := &commit{e: e, r: r, task: t, command: wire.DocApply{Mode: wire.DocAtomic}}
		x.draft.changes(&c.command)
		if !t.Bind() {
			e.txns.give(x, "") // it was withdrawn, and the transaction goes on
			return
		}
		rev := x.snap.Revision()
		if why := e.txns.give(x, committed); why != committed {
			t.Answer(fail(noTxn(x.id, why)))
			return
		}
		if len(c.command.Changes) == 0 {
			e.txns.commits.Add(1)
			t.Answer(wire.Response{Rev: rev})
			return
		}
		g.Propose(&wire.Request{Op: wire.OpDocApply, Deadline: deadline, Body: c.command.Append(nil)}, false, c)
	}, e.held.EnterOrdered(req, r)))
}

// commit is the command of a transaction on its way through the log. It is its Replier.
type commit struct {
	e       *Engine
	r       engine.Replier
	task    *pool.Task
	command wire.DocApply
}

// Lane returns whose order the command keeps.
func (c *commit) Lane() wire.Replier { return c.r }

// Reply makes of the command's answer that of the request, on the goroutine that applies.
func (c *commit) Reply(_ uint64, resp wire.Response) {
	if resp.Code == wire.OK {
		c.e.txns.commits.Add(1)
		c.task.Answer(wire.Response{Rev: resp.Rev, Num: resp.Num})
		return
	}
	if resp.Code == wire.Exists && resp.Num >= 0 && int(resp.Num) < len(c.command.Changes) && c.made(&c.command.Changes[resp.Num]) {
		resp = fail(txnError(wire.Conflict, wire.DocWriteConflict, "a document that the transaction has inserted was inserted by somebody else since it began: begin again"))
	}
	resp.Num = 0
	c.e.txns.aborts.Add(1)
	if isConflict(resp.Err()) {
		c.e.txns.conflicts.Add(1)
	}
	c.task.Answer(resp)
}

// made reports whether somebody else has made the document of an insert: there was none when the transaction began.
func (c *commit) made(ch *wire.DocChange) bool {
	if ch.Kind != wire.DocChangeInsert {
		return false
	}
	n := &c.command.Targets[ch.Target]
	coll := c.e.machine.Collection(n.DB, n.Coll)
	id, ok := value.Get(ch.Doc, "_id")
	if coll == nil || !ok {
		return false
	}
	doc, _, err := c.e.machine.Get(coll.ID, fsm.AppendID(nil, id), nil)
	return err == nil && doc != nil
}

// isConflict reports whether an error says that somebody else was first.
func isConflict(err error) bool {
	e, ok := errors.AsType[*wire.Error](err)
	return ok && e.Code == wire.Conflict && e.Sub == wire.DocWriteConflict
}

// isInUse reports whether an error says that another operation of the transaction is under way.
func isInUse(err error) bool {
	e, ok := errors.AsType[*wire.Error](err)
	return ok && e.Code == wire.Conflict && e.Sub == codeInUse
}

// abortTxn serves OpDocAbort.
func (e *Engine) abortTxn(_ *replica.Group, req *wire.Request, r engine.Replier) {
	var m wire.DocTxn
	_ = m.Decode(req.Body) // it was checked
	resp := wire.Response{}
	if e.txns.abort(aborted, m.Txn) {
		resp.Num = 1
	}
	r.Reply(req.Tag, resp)
}
