package bus

import (
	"slices"

	"github.com/skshohagmiah/flin/pkg/engine"
)

// turn keeps the order of one Replier's requests, whatever has to be sent again, once one of them has wire.FlagOrdered: which
// takes effect behind all that came before it, ordered or not. Engine.mu guards it.
type turn struct {
	id       uint64
	r        engine.Replier
	orderly  bool    // an ordered request has come
	first    *call   // of its requests
	open     int     // of its requests, those that neither stream nor wait
	waiting  int     // of its requests, those that do
	sent     int     // of them, those that are on a link, without those that stream
	on       *link   // the link on which the last of them is
	long     int     // requests of which pieces have not been sent
	returned []*call // those that were not executed and wait until all behind them are answered
	held     []*call // those that come after what is returned, long, or on another link
	executed uint64  // the last that was, or may have been, executed
}

func (t *turn) add(c *call) {
	if c.behind = t.first; t.first != nil {
		t.first.before = c
	}
	t.first = c
}

func (t *turn) remove(c *call) {
	if c.behind != nil {
		c.behind.before = c.before
	}
	if c.before != nil {
		c.before.behind = c.behind
	} else {
		t.first = c.behind
	}
	c.before, c.behind = nil, nil
}

// find returns the request that its caller names tag, nil if there is none.
func (t *turn) find(tag uint64) *call {
	if t == nil {
		return nil
	}
	c := t.first
	for c != nil && c.origin.tag != tag {
		c = c.behind
	}
	return c
}

// follows reports whether a request is one that its turn keeps in order.
func (c *call) follows() bool { return c.turn.orderly && !c.req.Op.Streams() }

// blocked reports whether a request must wait. What is on a link that leads elsewhere now is waited for, since the daemon
// there keeps an order only within a link.
func (t *turn) blocked() bool {
	return t.long > 0 || len(t.returned) > 0 || len(t.held) > 0 || t.sent > 0 && t.on.retired
}

func (t *turn) hold(c *call) {
	c.kept = true
	t.held = append(t.held, c)
}

// settle lets a turn's requests go on that came back, or were held, when nothing that stands in their way is on its way any
// more. Those that were overtaken are answered when the clock looks. Under mu.
func (e *Engine) settle(t *turn) {
	if len(t.returned)+len(t.held) == 0 || t.long > 0 || t.sent > 0 && (len(t.returned) > 0 || t.on.retired) {
		return
	}
	all := append(t.returned, t.held...)
	t.returned, t.held = nil, nil
	sortCalls(all)
	for _, c := range all {
		if c.id < t.executed {
			e.overtaken = append(e.overtaken, c) // sent again it would take effect behind what came after it
			continue
		}
		c.route.parked.add(c)
		c.route.rouse()
	}
}

// parked are the requests of a route that wait for a link, or for room on it, in the order in which they came.
type parked struct {
	calls  []*call // also such as wait no more
	n      int     // that wait
	sorted int     // of calls, so many are in order
}

func (p *parked) add(c *call) {
	c.parked, c.kept = true, true
	p.n++
	if p.sorted == len(p.calls) && (p.sorted == 0 || p.calls[p.sorted-1].id < c.id) {
		p.sorted++
	}
	p.calls = append(p.calls, c)
}

// remove takes a request out that will never come back.
func (p *parked) remove(c *call) {
	if !c.parked {
		return
	}
	c.parked = false
	if p.n--; p.n == 0 {
		p.calls, p.sorted = nil, 0
	} else if len(p.calls) > 2*p.n+minParked {
		p.compact() // while there is no daemon nothing else lets go of those that waited in vain
	}
}

// minParked is how many are kept at least that wait no more, before they are looked for.
const minParked = 64

// compact lets go of requests that wait no more.
func (p *parked) compact() {
	p.calls = slices.DeleteFunc(p.calls, func(c *call) bool { return !c.parked })
	sortCalls(p.calls)
	p.sorted = len(p.calls)
}

// take gives the requests to fn, in order, until it is false.
func (p *parked) take(fn func(c *call) bool) {
	if p.sorted < len(p.calls) {
		p.compact()
	}
	n := 0
	for _, c := range p.calls {
		if c.parked {
			if !fn(c) {
				break
			}
			c.parked = false
			p.n--
		}
		n++
	}
	clear(p.calls[:n])
	p.calls = p.calls[n:]
	p.sorted = len(p.calls)
	if p.n == 0 {
		p.calls, p.sorted = nil, 0
	}
}
