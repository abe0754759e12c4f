package doc

import (
	"bytes"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// writeTries is how often an OpDocWrite is planned anew since somebody else has changed what it was planned on.
const writeTries = 50

// writes is an OpDocWrite on its way. All writes are tried beforehand, on a worker, on documents as they are; then one command puts what
// has come of it into the place of these versions, or nothing if one has changed: then all is tried again. It is the Replier of
// its commands.
type writes struct {
	e      *Engine
	g      *replica.Group
	req    wire.Request // its body is its own
	r      engine.Replier
	task   *pool.Task
	m      wire.DocWrite
	tries  int  // so many have begun
	turn   turn // under turns.mu
	sum    wire.DocResult
	draft  *draft
	origin []int // of the command's changes: the write that each is due to
}

// write serves OpDocWrite.
func (e *Engine) write(g *replica.Group, req *wire.Request, r engine.Replier) {
	x := &writes{e: e, g: g, req: *req, r: r}
	x.req.Body = bytes.Clone(req.Body)
	_ = x.m.Decode(x.req.Body) // it was checked
	leave := e.held.EnterOrdered(req, r)
	x.task = e.pool.OpenThen(r, req, func(*pool.Task) { x.try() }, func() {
		e.turns.leave(x, gone)
		if leave != nil {
			leave()
		}
	})
	g.WhenCurrent(req, &barrier, r, x.task.Ready)
}

// try plans all writes and proposes what has come of them.
func (x *writes) try() {
	if err := x.task.Stop(); err != nil {
		x.task.Answer(wire.Fail(err))
		return
	}
	if !x.e.turns.enter(x) {
		return
	}
	x.tries++
	x.sum = wire.DocResult{}
	x.draft = newDraft(x.e, "batch", x.e.machine.Open)
	x.draft.stop, x.draft.sum = x.task.Stop, &x.sum
	defer x.draft.close()
	for i := range x.m.Writes {
		if err := x.draft.write(i, &x.m.Writes[i]); err != nil {
			resp := fail(err)
			x.task.Answer(failedWrite(resp, i))
			return
		}
	}
	cmd := wire.DocApply{Mode: wire.DocAtomic}
	x.origin = x.draft.changes(&cmd)
	if len(cmd.Changes) == 0 {
		x.task.Answer(x.answer(x.e.st.Applied().Revision))
		return
	}
	if !x.task.Bind() {
		return // it was withdrawn
	}
	req := wire.Request{Op: wire.OpDocApply, Deadline: x.req.Deadline, Body: cmd.Append(nil)}
	x.g.Propose(&req, false, x)
}

// again has a worker try once more.
func (x *writes) again() {
	if !x.e.pool.Again(x.task) {
		x.task.Answer(wire.Fail(errStopping))
	}
}

// failedWrite says which write of several has failed.
func failedWrite(resp wire.Response, i int) wire.Response {
	resp.Body = []byte(wire.Errorf(resp.Code, "write %d, and so none is done: %s", i, resp.Body).Msg)
	return resp
}

func (x *writes) answer(rev uint64) wire.Response {
	s := &x.sum
	return wire.Response{Rev: rev, Num: int64(s.Inserted + s.Modified + s.Deleted), Body: s.Append(nil)}
}

// Lane returns whose order the commands keep.
func (x *writes) Lane() wire.Replier { return x.r }

// Reply takes the command's answer, on the goroutine that applies.
func (x *writes) Reply(_ uint64, resp wire.Response) {
	switch {
	case resp.Code == wire.OK:
		resp = x.answer(resp.Rev)
	case resp.Code == wire.Conflict && x.tries < writeTries:
		x.e.turns.leave(x, noTurn)
		x.again()
		return
	case resp.Num >= 0 && int(resp.Num) < len(x.origin) && resp.Code == wire.Exists:
		resp = failedWrite(resp, x.origin[resp.Num])
	}
	x.task.Answer(resp)
}
