package bus

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// origin names a request as its caller does.
type origin struct {
	r   engine.Replier
	tag uint64
}

// call is a request that has not had its last answer. Engine.mu guards it, except where said otherwise.
type call struct {
	id       uint64 // its tag on the bus; grows, so that it is the order in which requests came
	origin   origin
	req      wire.Request // with a body of its own and without a tag of its caller's
	turn     *turn
	before   *call // the turn's requests are linked in no order
	behind   *call
	route    *route
	parked   bool          // it is among its route's that wait
	kept     bool          // it may be in a list from which it is not taken at once: it is not used again
	link     *link         // on which it was sent; nil: it waits for one
	number   atomic.Uint64 // of the message in which it is, or its last piece; 0: it is not in any
	long     *transfer     // how it goes if it is too long for a message, until it has gone
	since    int64         // when it came or, without a deadline, was put on its link
	expires  int64         // until when it may wait for a link
	credits  int           // granted before its first answer, so that they are granted again where it is sent again
	canceled bool

	replying sync.Mutex // of one that streams: held during Reply, so that none follows the last
	over     bool       // guarded by replying
	begun    bool       // it has had an answer with More
}

// reply is an answer that is given when no lock is held.
type reply struct {
	c    *call
	resp wire.Response
}

func (p reply) send() {
	if !p.c.req.Op.Streams() {
		p.c.origin.r.Reply(p.c.origin.tag, p.resp)
		return
	}
	p.c.replying.Lock()
	defer p.c.replying.Unlock()
	if !p.c.over {
		p.c.over = !p.resp.More
		p.c.origin.r.Reply(p.c.origin.tag, p.resp)
	}
}

func send(all []reply) {
	for i := range all {
		all[i].send()
	}
}

// begin notes a request. Under mu.
func (e *Engine) begin(req *wire.Request, r engine.Replier, now int64) *call {
	t := e.turns[r]
	if t == nil {
		e.lastTurn++
		t = &turn{id: e.lastTurn, r: r}
		e.turns[r] = t
	}
	e.lastCall++
	c := e.blank()
	body := append(c.req.Body[:0], req.Body...)
	c.id, c.origin, c.turn, c.route, c.req = e.lastCall, origin{r, req.Tag}, t, e.lead, *req
	c.req.Tag, c.req.Body = c.id, body
	t.add(c)
	c.since, c.expires = now, now+int64(e.cfg.Patience)
	if req.Deadline != 0 {
		// The answer that nobody has taken it must be with its caller before he has lost patience.
		c.expires = req.Deadline - min(3*int64(keepEvery), (req.Deadline-now)/4)
	}
	if c.ordered() {
		t.orderly = true
	} else if req.Flags&wire.FlagStale != 0 && !t.orderly { // what keeps an order is on one link at a time
		c.route = e.any
	}
	e.calls[c.id] = c
	e.bytes += int64(len(req.Body))
	if c.waits() {
		e.waiting++
		t.waiting++
	} else {
		t.open++
	}
	e.counts.requests.Add(1)
	return c
}

// blank returns a call that is not used, of which only the memory of its body may be left. Under mu.
func (e *Engine) blank() *call {
	last := len(e.blanks) - 1
	if last < 0 {
		return new(call)
	}
	c := e.blanks[last]
	e.blanks[last] = nil
	e.blanks = e.blanks[:last]
	return c
}

// reuse takes calls that were finished and answered, and are nowhere any more. Under mu.
func (e *Engine) reuse(all []*call) {
	for _, c := range all {
		if len(e.blanks) == maxBlanks || c.kept || c.req.Op.Streams() || cap(c.req.Body) > 4<<10 {
			continue
		}
		*c = call{req: wire.Request{Body: c.req.Body[:0]}}
		e.blanks = append(e.blanks, c)
	}
}

// maxBlanks is how many calls are kept to be used again, with a body of at most 4 KiB each.
const maxBlanks = 1024

// patient reports whether a request may wait for a daemon again that was on a link.
func (c *call) patient(now int64) bool {
	if c.req.Deadline == 0 {
		now = c.since // only the time without a daemon counts
	}
	return c.expires > now
}

// short reports whether a request need not wait for room that long ones take: as many as there may be take little.
func (c *call) short() bool { return len(c.req.Body) <= shortBody }

const shortBody = 4 << 10

// room is how many of so many bytes may be taken when a request of n bytes is: long ones leave an eighth to short ones.
func room(most int64, n int) int64 {
	if n > shortBody {
		most -= most / 8
	}
	return most
}

func (c *call) waits() bool   { return c.req.Op.Streams() || c.req.Op.Waits() }
func (c *call) ordered() bool { return c.req.Flags&wire.FlagOrdered != 0 }

// finish forgets a request and returns its last answer, to be given without the lock. Under mu.
func (e *Engine) finish(c *call, resp wire.Response) reply {
	e.leave(c)
	delete(e.calls, c.id)
	e.bytes -= int64(len(c.req.Body))
	t := c.turn
	if c.waits() {
		e.waiting--
		t.waiting--
	} else {
		t.open--
	}
	if !unexecuted(resp.Code) && !c.req.Op.Streams() {
		t.executed = max(t.executed, c.id)
	}
	if len(t.returned)+len(t.held) > 0 {
		remove := func(other *call) bool { return other == c }
		t.returned, t.held = slices.DeleteFunc(t.returned, remove), slices.DeleteFunc(t.held, remove)
	}
	if t.remove(c); t.first == nil {
		delete(e.turns, t.r)
	} else {
		e.settle(t)
	}
	e.counts.answers.Add(1)
	return reply{c, resp}
}

// unexecuted reports whether a code says that a request has surely had no effect and was not judged either.
func unexecuted(code wire.Code) bool {
	return code == wire.NotLeader || code == wire.Unavailable || code == wire.Busy || code == wire.Timeout || code == wire.Canceled
}

// leave takes a request off its link, or off those that wait for one. Under mu.
func (e *Engine) leave(c *call) {
	l := c.link
	if l == nil {
		c.route.parked.remove(c)
		return
	}
	c.link = nil
	if !c.req.Op.Streams() {
		c.turn.sent--
	}
	if c.long != nil {
		l.out.drop(c.long)
		c.turn.long--
		c.long = nil
	}
	c.number.Store(0)
	if !c.waits() {
		l.open--
		l.bytes -= int64(len(c.req.Body))
	}
	if l.all--; l.all == 0 && l.retired {
		l.bye()
	}
}

// dispatch sends a request, or lets it wait for its turn or for a link. Under mu.
func (e *Engine) dispatch(c *call) {
	switch {
	case c.follows() && c.turn.blocked():
		c.turn.hold(c)
	case (c.route.parked.n == 0 || c.short() && !c.follows()) && c.route.link != nil && c.route.link.admits(c):
		c.route.link.put(c)
	default:
		c.route.parked.add(c)
		c.route.rouse()
	}
}

// pump sends what waits for a route's link as far as there is room. Under mu.
func (e *Engine) pump(rt *route) {
	rt.parked.take(func(c *call) bool {
		switch {
		case c.follows() && c.turn.blocked():
			c.turn.hold(c)
		case rt.link == nil || !rt.link.admits(c):
			return false
		default:
			rt.link.put(c)
		}
		return true
	})
}

// again takes back a request that was surely not executed, or may be executed twice, to be sent again. Under mu; settle and
// pump must follow.
func (e *Engine) again(c *call) {
	if c.link != nil && c.req.Deadline == 0 {
		c.expires += wire.Clock() - c.since // it had a daemon meanwhile
	}
	e.leave(c)
	e.counts.retries.Add(1)
	c.kept = true
	if c.follows() {
		c.turn.returned = append(c.turn.returned, c)
		return
	}
	c.route.parked.add(c)
}

func sortCalls(all []*call) {
	slices.SortFunc(all, func(a, b *call) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
}
