package queue

import (
	"bytes"
	"sync"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// redrivePatience is how often in a row a command of a redrive may find its entry full before that is the answer.
const redrivePatience = 100

// redrives are those under way.
type redrives struct {
	mu  sync.Mutex
	all map[pool.Origin]*redrive
}

// redrive moves dead messages back, one command after another, and is the Replier of each. Between two commands only the
// goroutine that answers has it.
type redrive struct {
	e      *Engine
	g      *replica.Group
	origin pool.Origin
	req    wire.Request
	queue  []byte
	left   uint64 // messages that may still move
	moved  int64
	rev    uint64
	vain   int // commands in a row that found their entry full

	canceled bool // guarded by redrives.mu
}

// redrive begins to move messages back. One that is to move all moves as many as there are now: a worker that fails them
// again at once must not keep it busy for ever.
func (e *Engine) redrive(g *replica.Group, req *wire.Request, r engine.Replier) {
	var m wire.QueueRedrive
	if err := m.Decode(req.Body); err != nil {
		r.Reply(req.Tag, wire.Fail(err))
		return
	}
	d := &redrive{e: e, g: g, origin: pool.Origin{Replier: r, Tag: req.Tag}, req: *req, queue: bytes.Clone(m.Queue), left: m.Count}
	if d.left == 0 {
		d.left = e.dead(d.queue)
	}
	e.redrives.mu.Lock()
	e.redrives.all[d.origin] = d
	e.redrives.mu.Unlock()
	d.propose()
}

// dead returns how many messages a redrive of the queue can find, at least 1.
func (e *Engine) dead(queue []byte) uint64 {
	name := wire.QueueName{Queue: queue}
	resp := e.machine.Read(wire.OpQueueInfo, name.Append(nil), nil)
	var info wire.QueueInfo
	if resp.Code != wire.OK || info.Decode(resp.Body) != nil {
		return 1 // the command says what is wrong
	}
	return max(1, info.Dead, info.Ready+info.Delayed+info.Leased)
}

// propose gives the next piece to the log: the machine moves as much as one command may.
func (d *redrive) propose() {
	m := wire.QueueRedrive{Queue: d.queue, Count: d.left}
	req := d.req
	req.Tag, req.Body = 1, m.Append(nil)
	d.g.Propose(&req, false, d)
}

// Lane returns whose order the commands keep.
func (d *redrive) Lane() wire.Replier { return d.origin.Replier }

// Reply takes what became of a piece.
func (d *redrive) Reply(_ uint64, resp wire.Response) {
	if d.goesOn(&resp) {
		d.propose()
		return
	}
	all := &d.e.redrives
	all.mu.Lock()
	delete(all.all, d.origin)
	all.mu.Unlock()
	switch {
	case resp.Code == wire.OK, resp.Code == wire.Canceled && d.moved > 0:
		resp = wire.Response{Num: d.moved, Rev: d.rev}
	case d.moved > 0:
		resp = wire.Failf(wire.OutcomeUnknown, "%d messages were moved, then: %s", d.moved, resp.Body)
	}
	d.origin.Replier.Reply(d.origin.Tag, resp)
}

// goesOn notes what a piece has moved and reports whether there may be another. The machine says so by a revision.
func (d *redrive) goesOn(resp *wire.Response) bool {
	d.e.redrives.mu.Lock()
	over := d.canceled
	d.e.redrives.mu.Unlock()
	switch resp.Code {
	case wire.OK:
		d.moved += resp.Num
		d.left -= min(d.left, uint64(max(resp.Num, 0)))
		d.rev, d.vain = max(d.rev, resp.Rev), 0
		return !over && resp.Rev != 0 && d.left > 0
	case wire.Busy:
		d.vain++
		return !over && d.vain < redrivePatience
	}
	return false
}

// cancel ends a redrive after the piece that is on its way.
func (s *redrives) cancel(r engine.Replier, tag uint64) bool {
	s.mu.Lock()
	d := s.all[pool.Origin{Replier: r, Tag: tag}]
	if d != nil {
		d.canceled = true
	}
	s.mu.Unlock()
	if d == nil {
		return false
	}
	d.g.Cancel(d, 1)
	return true
}
