package bus

import (
	"fmt"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// every calls do, with the time by wire.Clock, every d until the Engine is closed.
func (e *Engine) every(d time.Duration, do func(now int64)) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-tick.C:
		}
		do(wire.Clock())
	}
}

// keepEvery is how exactly deadlines are kept for daemons that do not answer.
const keepEvery = 50 * time.Millisecond

// beat asks daemons whether they are there, and tells those that are not needed any more.
func (e *Engine) beat(now int64) {
	e.part()
	var ask, dead []*link
	enough := int(e.cfg.Silence/e.cfg.Heartbeat) - 1 // so many must have been asked in vain: this process may have stood still itself
	e.mu.Lock()
	for _, l := range e.links {
		if now-l.heard > int64(e.cfg.Silence) && l.asked >= enough {
			dead = append(dead, l)
		} else if now-l.pinged >= int64(e.cfg.Heartbeat) {
			l.pinged = now
			l.asked++
			ask = append(ask, l)
		}
	}
	e.mu.Unlock()
	for _, l := range ask {
		l.out.beat()
		_, _ = e.conn.publish(l.w.subject+".ping", l.here+".p", appendLink(nil, kindPing, l.id)) // its silence tells
	}
	for _, l := range dead {
		e.broke(l, fmt.Sprintf("nothing is heard of the %v engine at node %s", e.cfg.Engine, l.w.node), everything)
	}
}

// expire answers those whose time is over.
func (e *Engine) expire(now int64) {
	var all []reply
	e.mu.Lock()
	late := int64(e.cfg.Late)
	for _, c := range e.overtaken {
		if e.calls[c.id] == c {
			all = append(all, e.finish(c, wire.Failf(wire.Unavailable, "%v was not executed before what came after it: the leader has changed", c.req.Op)))
		}
	}
	clear(e.overtaken)
	e.overtaken = e.overtaken[:0]
	for _, c := range e.calls {
		switch {
		case c.link == nil && now > c.expires:
			all = append(all, e.finish(c, c.unserved()))
		case c.link != nil && c.req.Deadline != 0 && now > c.req.Deadline+late && !c.begun:
			all = append(all, e.finish(c, e.overdue(c)))
		}
	}
	e.mu.Unlock()
	send(all)
}

// unserved is the answer to a request that waited in vain.
func (c *call) unserved() wire.Response {
	e := c.route.e
	if c.route.link != nil {
		return wire.Failf(wire.Timeout, "the deadline passed before %v could be sent: the %v engine has its hands full", c.req.Op, e.cfg.Engine)
	}
	return wire.Failf(wire.Unavailable, "no daemon on the bus answers for the %v engine (%s): is one running with -bus?", e.cfg.Engine, c.route.why)
}

// overdue withdraws a request that was sent and not answered in time, and returns its answer. Under mu.
func (e *Engine) overdue(c *call) wire.Response {
	if c.link.takeBack(c) || repeatable[c.req.Op] {
		if c.number.Load() != 0 {
			c.link.control(wire.OpCancel, c.id, 0)
		}
		return wire.Failf(wire.Timeout, "the deadline passed before %v was answered", c.req.Op)
	}
	if c.number.Load() != 0 {
		c.link.control(wire.OpCancel, c.id, 0)
	}
	return wire.Failf(wire.OutcomeUnknown, "%v may or may not have been executed: it was not answered in time", c.req.Op)
}
