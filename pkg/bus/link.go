package bus

import (
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
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
	passed  uint64 // the number of the last message that was given to NATS

	sent []*call // only for send: those of which the last piece is in the next message
}

// admits reports whether there is room for a request. Under Engine.mu.
func (l *link) admits(c *call) bool {
	if l.out.waiting() >= l.w.window {
		return false
	}
	return c.waits() || l.open == 0 || l.open < l.w.requests && l.bytes+int64(len(c.req.Body)) <= l.w.bytes
}

// put sends a request. Under Engine.mu.
func (l *link) put(c *call) {
	c.link = l
	l.all++
	if !c.waits() {
		l.open++
		l.bytes += int64(len(c.req.Body))
	}
	lane := c.turn.id << 1
	if c.ordered() {
		c.turn.sent++
		lane |= 1
	}
	if len(c.req.Body)+wire.MaxFrameHead+wire.LenSize+itemHead <= l.out.whole() {
		c.number.Store(l.out.request(lane, &c.req))
		l.grant(c)
	} else {
		c.turn.long++
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
		runtime.Gosched() // more requests may come
		for {
			buf, number := l.out.next()
			if buf == nil {
				break
			}
			back := ""
			if number > 0 {
				back = string(strconv.AppendUint(reply, number, 10))
			}
			unsent, err := l.e.conn.publish(l.w.subject, back, buf)
			l.e.passed(l, number, err == nil || !unsent)
			if err != nil {
				l.e.broke(l, "the bus cannot be reached: "+err.Error(), everything)
				return
			}
			l.out.recycle(buf)
		}
	}
}

// passed notes that a message may be on its way, and lets those go on who waited for that.
func (e *Engine) passed(l *link, number uint64, sent bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if sent {
		l.passed = max(l.passed, number)
	}
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
	if len(l.route.pending) > 0 {
		e.pump(l.route)
	}
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
	unsure := func(c *call) bool {
		n := c.number.Load()
		return n != 0 && n <= l.passed && n < unsent
	}
	// What cannot be sent again may have been executed: what came before it is overtaken then.
	var all []reply
	var retry []*call
	for _, c := range mine {
		switch {
		case !unsure(c) && !c.begun && !c.canceled, repeatable[c.req.Op] && !c.canceled:
			retry = append(retry, c)
		case c.canceled && (repeatable[c.req.Op] || c.req.Op.Streams() || !unsure(c)):
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

// heard is called with everything that comes for this Engine.
func (e *Engine) heard(m *nats.Msg) {
	rest := strings.Split(strings.TrimPrefix(m.Subject, e.inbox+"."), ".")
	id, err := strconv.ParseUint(rest[0], 16, 64)
	if err != nil {
		return
	}
	e.mu.Lock()
	l := e.links[id]
	if l != nil {
		l.heard = wire.Clock()
	}
	e.mu.Unlock()
	if gone(m) {
		e.unheard(l, id, rest[1:])
		return
	}
	k, id, r := takeLink(m.Data)
	switch {
	case r.Err() != nil:
	case k == kindWelcome:
		e.lead.welcomed(id, &r)
		e.any.welcomed(id, &r)
	case l == nil: // it is over
	case k == kindData:
		if err := l.in.receive(&r, len(m.Data), l.out, l); err != nil {
			e.broke(l, err.Error(), everything)
		}
	case k == kindPong && r.Byte() == 0:
		e.broke(l, "the daemon has given up the link", everything)
	case k == kindReset:
		e.broke(l, string(r.Bytes()), everything)
	}
}

// unheard is called when nobody has heard a message: the process has gone, and whatever was sent from that message on was surely
// not executed. A daemon that comes back takes no message behind a gap.
func (e *Engine) unheard(l *link, id uint64, what []string) {
	if l == nil {
		e.lead.refused(id)
		e.any.refused(id)
		return
	}
	unsent := everything
	if len(what) == 2 && what[0] == "n" {
		if n, err := strconv.ParseUint(what[1], 10, 64); err == nil {
			unsent = n
		}
	}
	e.broke(l, fmt.Sprintf("the %v engine at node %s has gone", e.cfg.Engine, l.w.node), unsent)
}

// take implements taker: a frame is an answer.
func (l *link) take(_ uint64, frame []byte, _ int64) {
	e := l.e
	var resp wire.Response
	tag, err := wire.DecodeResponse(frame, &resp)
	if err != nil {
		resp = wire.Fail(err) // from a later version
	}
	e.mu.Lock()
	c := e.calls[tag]
	if c == nil || c.link != l {
		e.mu.Unlock()
		return
	}
	done := reply{c, resp}
	switch {
	case resp.More:
		c.begun = true
	case resp.Code == wire.NotLeader && !c.begun && !c.canceled && c.expires > wire.Clock():
		if c.route.link == l {
			c.route.leave(l, "")
		}
		e.again(c)
		e.settle(c.turn)
		c.route.rouse()
		e.mu.Unlock()
		return
	case resp.Code == wire.NotLeader && c.canceled:
		done = e.finish(c, wire.Failf(wire.Canceled, "the request was withdrawn"))
	case resp.Code == wire.NotLeader:
		done = e.finish(c, wire.Failf(wire.Unavailable, "the %v engine's group has had no leader in time: %s", e.cfg.Engine, resp.Body))
	default:
		done = e.finish(c, resp)
	}
	if len(c.route.pending) > 0 {
		e.pump(c.route)
	}
	e.mu.Unlock()
	done.send()
}

func (l *link) admit(uint64, int, []byte) bool { return true }
func (l *link) gathered(int)                   {}

// moved implements taker: the leader is elsewhere.
func (l *link) moved(leader string) {
	l.e.mu.Lock()
	defer l.e.mu.Unlock()
	if l.route.link == l {
		l.route.leave(l, leader)
	}
}
