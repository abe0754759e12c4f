package bus

import (
	"bytes"
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
	route    *route
	link     *link         // on which it was sent; nil: it waits for one
	number   atomic.Uint64 // of the message in which it is, or its last piece; 0: it is not in any
	long     *transfer     // how it goes if it is too long for a message
	expires  int64         // until when it may wait for a link
	credits  int           // granted before it was sent
	canceled bool

	replying sync.Mutex // of one that streams: held during Reply, so that none follows the last
	over     bool       // guarded by replying
	begun    bool       // it has had an answer with More
}

// turn keeps the order of one Replier's requests with wire.FlagOrdered, whatever has to be sent again. Engine.mu guards it.
type turn struct {
	id       uint64
	r        engine.Replier
	open     int     // requests
	sent     int     // ordered ones that are on a link
	long     int     // requests of which pieces have not been sent
	returned []*call // ordered ones that were not executed and wait until all behind them are answered
	held     []*call // ordered ones that come after what is returned or long
	executed uint64  // the last that was, or may have been, executed
}

// blocked reports whether an ordered request must wait.
func (t *turn) blocked() bool { return t.long > 0 || len(t.returned) > 0 || len(t.held) > 0 }

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
	t.open++
	e.lastCall++
	c := &call{id: e.lastCall, origin: origin{r, req.Tag}, req: *req, turn: t, route: e.lead, expires: req.Deadline}
	c.req.Tag, c.req.Body = c.id, bytes.Clone(req.Body)
	if c.expires == 0 {
		c.expires = now + int64(e.cfg.Patience)
	}
	if req.Flags&wire.FlagStale != 0 && req.Flags&wire.FlagOrdered == 0 {
		c.route = e.any
	}
	e.calls[c.id], e.origins[c.origin] = c, c
	e.bytes += int64(len(req.Body))
	if c.waits() {
		e.waiting++
	}
	return c
}

func (c *call) waits() bool   { return c.req.Op.Streams() || c.req.Op.Waits() }
func (c *call) ordered() bool { return c.req.Flags&wire.FlagOrdered != 0 }

// finish forgets a request and returns its last answer, to be given without the lock. Under mu.
func (e *Engine) finish(c *call, resp wire.Response) reply {
	e.leave(c)
	delete(e.calls, c.id)
	if e.origins[c.origin] == c {
		delete(e.origins, c.origin)
	}
	e.bytes -= int64(len(c.req.Body))
	if c.waits() {
		e.waiting--
	}
	t := c.turn
	if !unexecuted(resp.Code) {
		t.executed = max(t.executed, c.id)
	}
	remove := func(other *call) bool { return other == c }
	t.returned, t.held = slices.DeleteFunc(t.returned, remove), slices.DeleteFunc(t.held, remove)
	if t.open--; t.open == 0 {
		delete(e.turns, t.r)
	} else {
		e.settle(t)
	}
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
		c.route.pending = slices.DeleteFunc(c.route.pending, func(other *call) bool { return other == c })
		return
	}
	c.link = nil
	if c.ordered() {
		c.turn.sent--
	}
	if c.long != nil {
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
	case c.ordered() && c.turn.blocked():
		c.turn.held = append(c.turn.held, c)
	case len(c.route.pending) == 0 && c.route.link != nil && c.route.link.admits(c):
		c.route.link.put(c)
	default:
		c.route.pending = append(c.route.pending, c)
		c.route.rouse()
	}
}

// pump sends what waits for a route's link as far as there is room. Under mu.
func (e *Engine) pump(rt *route) {
	n := 0
	for _, c := range rt.pending {
		if c.ordered() && c.turn.blocked() {
			c.turn.held = append(c.turn.held, c)
			n++
			continue
		}
		if rt.link == nil || !rt.link.admits(c) {
			break
		}
		rt.link.put(c)
		n++
	}
	if n > 0 {
		clear(rt.pending[:n])
		rt.pending = rt.pending[n:]
	}
	if len(rt.pending) == 0 {
		rt.pending = nil
	}
}

// again takes back a request that was surely not executed, or may be executed twice, to be sent again. Under mu; settle and
// pump must follow.
func (e *Engine) again(c *call) {
	e.leave(c)
	if c.ordered() {
		c.turn.returned = append(c.turn.returned, c)
		return
	}
	c.route.pending = append(c.route.pending, c)
	sortCalls(c.route.pending)
}

// settle lets a turn's requests go on that came back, or were held, when nothing ordered is on its way any more. Those that were
// overtaken are answered when the clock looks. Under mu.
func (e *Engine) settle(t *turn) {
	if t.sent > 0 && len(t.returned) > 0 || t.long > 0 {
		return
	}
	if len(t.returned)+len(t.held) == 0 {
		return
	}
	all := append(t.returned, t.held...)
	t.returned, t.held = nil, nil
	sortCalls(all)
	routes := map[*route]bool{}
	for _, c := range all {
		if c.id < t.executed {
			e.overtaken = append(e.overtaken, c) // sent again it would take effect behind what came after it
			continue
		}
		c.route.pending = append(c.route.pending, c)
		sortCalls(c.route.pending)
		routes[c.route] = true
	}
	for rt := range routes {
		rt.rouse()
	}
}

func sortCalls(all []*call) {
	slices.SortFunc(all, func(a, b *call) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
}
