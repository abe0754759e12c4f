package bus

import (
	"math"
	"strconv"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// everything is the number of a message behind which all messages are surely not taken: none is.
const everything = uint64(math.MaxUint64)

// link is a link as its Engine sees it. Engine.mu guards what is not said to be otherwise.
type link struct {
	e     *Engine
	id    uint64
	route *route
	w     welcome
	here  string // the subject on which its answers are heard
	out   *sender
	in    receiver      // only for the goroutine of the subscription
	ended chan struct{} // closed with over

	open    int   // requests on it, without those that stream or wait
	all     int   // requests on it
	bytes   int64 // of open
	retired bool  // nothing more is sent on it
	over    bool
	heard   int64  // when something came
	pinged  int64  // when it was last asked whether it is there
	asked   int    // how often since something came
	passed  uint64 // the number of the last message that may have been given to NATS

	sent []*call // only for send: those of which the last piece is in the next message
}

// admits reports whether there is room for a request. Long ones leave room for short ones. Under Engine.mu.
func (l *link) admits(c *call) bool {
	if l.out.ahead() >= l.w.window {
		return false
	}
	return c.waits() || l.open == 0 || l.open < l.w.requests && (c.short() || l.bytes+int64(len(c.req.Body)) <= l.w.bytes)
}

// put sends a request. Under Engine.mu.
func (l *link) put(c *call) {
	c.link = l
	l.all++
	if !c.waits() {
		l.open++
		l.bytes += int64(len(c.req.Body))
	}
	if c.req.Deadline == 0 && c.parked {
		c.since = wire.Clock()
	}
	lane := c.turn.id << 1
	if c.ordered() {
		lane |= 1
	}
	if !c.req.Op.Streams() {
		c.turn.sent++
		c.turn.on = l
	}
	if len(c.req.Body)+wire.MaxFrameHead+wire.LenSize+itemHead <= l.out.whole() {
		c.number.Store(l.out.request(lane, &c.req))
		l.grant(c)
	} else {
		c.turn.long++
		c.kept = true
		c.long = &transfer{lane: lane, size: len(c.req.Body), begin: func(clock int64) []byte {
			return wire.AppendRequest(make([]byte, 0, wire.LenSize+wire.MaxFrameHead+len(c.req.Body)), &c.req, clock)[wire.LenSize:]
		}}
		c.long.done = func(number uint64) {
			c.number.Store(number)
			l.sent = append(l.sent, c)
		}
		l.out.add(c.long)
	}
	l.out.rouse()
}

// grant sends the credits that came before the request was sent. Under Engine.mu.
func (l *link) grant(c *call) {
	if c.credits > 0 {
		l.control(wire.OpCredit, c.id, c.credits)
	}
}

// control sends a cancel or a credit. Under Engine.mu.
func (l *link) control(op wire.Op, tag uint64, n int) {
	m := wire.Credit{Tag: tag, N: uint64(n)}
	var small [24]byte
	l.out.request(0, &wire.Request{Op: op, Body: m.Append(small[:0])})
	l.out.rouse()
}

// takeBack reports whether a request will not be executed because its last piece has not been sent. Under Engine.mu.
func (l *link) takeBack(c *call) bool {
	return c.long != nil && c.number.Load() == 0 && l.out.drop(c.long)
}

// send sends messages until the link is over.
func (l *link) send() {
	reply := append([]byte(l.here), ".n."...)
	for {
		select {
		case <-l.ended:
			return
		case <-l.out.wake:
		}
		l.out.gather()
		for {
			buf, number := l.out.next()
			if buf == nil {
				break
			}
			if !l.e.passing(l, number) {
				return
			}
			back := ""
			if number > 0 {
				back = string(strconv.AppendUint(reply, number, 10))
			}
			if unsent, err := l.e.conn.publish(l.w.subject, back, buf); err != nil {
				from := everything
				if unsent && number > 0 {
					from = number
				}
				l.e.broke(l, "the bus cannot be reached: "+err.Error(), from)
				return
			}
			l.out.recycle(buf)
		}
	}
}

// passing asks whether a message may be sent, and notes that it may have been: from then on nobody takes what is in it for
// surely not executed. It is false when the link is over: then that has been done already. Those go on who waited for the
// message.
func (e *Engine) passing(l *link, number uint64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if l.over {
		return false
	}
	l.passed = max(l.passed, number)
	for i, c := range l.sent {
		l.sent[i] = nil
		if c.link != l || c.long == nil {
			continue
		}
		c.long = nil
		c.turn.long--
		l.grant(c)
		if c.canceled {
			l.control(wire.OpCancel, c.id, 0)
		}
		e.settle(c.turn)
	}
	l.sent = l.sent[:0]
	if l.route.parked.n > 0 {
		e.pump(l.route)
	}
	return true
}

// bye ends a link that is not needed any more. Under Engine.mu.
func (l *link) bye() {
	if l.forget() {
		l.e.farewells = append(l.e.farewells, l)
	}
}

// part tells daemons that links are not needed any more.
func (e *Engine) part() {
	e.mu.Lock()
	all := e.farewells
	e.farewells = nil
	e.mu.Unlock()
	for _, l := range all {
		_, _ = e.conn.publish(l.w.subject, "", appendLink(nil, kindClose, l.id)) // else its silence tells
	}
}

// forget takes a link from those there are. It is false if it was over already. Under Engine.mu.
func (l *link) forget() bool {
	if l.over {
		return false
	}
	l.over, l.retired = true, true
	close(l.ended)
	l.e.counts.broken.Add(1)
	delete(l.e.links, l.id)
	l.route.without(l)
	return true
}

// broke ends a link: of what it had, messages from number unsent on were surely not taken, nor was what is still to be sent. The
// rest may have been executed: it is sent again if it may be.
func (e *Engine) broke(l *link, reason string, unsent uint64) {
	e.mu.Lock()
	if !l.forget() {
		e.mu.Unlock()
		return
	}
	e.log.Info("a link of the bus is over", zap.Stringer("engine", e.cfg.Engine), zap.String("node", l.w.node), zap.String("reason", reason))
	var mine []*call
	for _, c := range e.calls {
		if c.link == l {
			mine = append(mine, c)
		}
	}
	sortCalls(mine)
	// What cannot be sent again may have been executed: what came before it is overtaken then.
	var all []reply
	var retry []*call
	for _, c := range mine {
		switch {
		case !c.unsure(unsent) && !c.begun && !c.canceled, repeatable[c.req.Op] && !c.canceled:
			retry = append(retry, c)
		case c.canceled && (repeatable[c.req.Op] || c.req.Op.Streams() || !c.unsure(unsent)):
			all = append(all, reply{c, wire.Failf(wire.Canceled, "the request was withdrawn")})
		default:
			all = append(all, reply{c, lostWith(&c.req, reason)})
		}
	}
	for _, c := range retry {
		e.again(c)
	}
	for i := range all {
		all[i] = e.finish(all[i].c, all[i].resp)
	}
	for _, c := range retry {
		e.settle(c.turn)
	}
	l.route.rouse()
	e.mu.Unlock()
	send(all)
}

// unsure reports whether a request may have been executed, of which messages from number unsent on surely were not. Under
// Engine.mu.
func (c *call) unsure(unsent uint64) bool {
	n := c.number.Load()
	return c.link != nil && n != 0 && n <= c.link.passed && n < unsent
}
