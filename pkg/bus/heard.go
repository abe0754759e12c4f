package bus

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// heard is called with everything that comes for this Engine.
func (e *Engine) heard(m *nats.Msg) {
	name, what, _ := strings.Cut(m.Subject[min(len(e.inbox)+1, len(m.Subject)):], ".")
	id, err := strconv.ParseUint(name, 16, 64)
	if err != nil {
		return
	}
	e.mu.Lock()
	l := e.links[id]
	if l != nil {
		l.heard, l.asked = wire.Clock(), 0
	}
	e.mu.Unlock()
	if gone(m) {
		e.unheard(l, id, what)
		return
	}
	k, id, r := takeLink(m.Data)
	switch {
	case r.Err() != nil:
	case k == kindWelcome:
		if l == nil && !e.lead.welcomed(id, &r) && !e.any.welcomed(id, &r) {
			e.unwanted(id, &r)
		}
	case l == nil: // it is over
	case k == kindData:
		if err := e.answered(l, &r, len(m.Data)); err != nil {
			e.broke(l, err.Error(), everything)
		}
	case k == kindPong && r.Byte() == 0:
		e.broke(l, "the daemon has given up the link", everything)
	case k == kindReset:
		e.broke(l, string(r.Bytes()), everything)
	}
}

// answered takes a data message, and gives the answers in it when all have been looked at: the lock is asked for once.
func (e *Engine) answered(l *link, r *wire.Reader, size int) error {
	e.mu.Lock()
	e.reuse(e.spent)
	var err error
	if !l.over {
		err = l.in.receive(r, size, l.out, l)
	}
	if l.route.parked.n > 0 {
		e.pump(l.route)
	}
	e.mu.Unlock()
	send(e.done)
	clear(e.spent)
	e.spent = e.spent[:0]
	for i := range e.done {
		if !e.done[i].resp.More {
			e.spent = append(e.spent, e.done[i].c)
		}
	}
	clear(e.done)
	e.done = e.done[:0]
	return err
}

// unheard is called when nobody has heard a message: the process has gone, and whatever was sent from that message on was surely
// not executed. A daemon that comes back takes no message behind a gap.
func (e *Engine) unheard(l *link, id uint64, what string) {
	if l == nil {
		e.lead.refused(id)
		e.any.refused(id)
		return
	}
	unsent := everything
	if number, ok := strings.CutPrefix(what, "n."); ok {
		if n, err := strconv.ParseUint(number, 10, 64); err == nil {
			unsent = n
		}
	}
	e.broke(l, fmt.Sprintf("the %v engine at node %s has gone", e.cfg.Engine, l.w.node), unsent)
}

// take implements taker: a frame is an answer. Under Engine.mu.
func (l *link) take(_ uint64, frame []byte, _ int64) {
	e := l.e
	var resp wire.Response
	tag, err := wire.DecodeResponse(frame, &resp)
	if err != nil {
		resp = wire.Fail(err) // from a later version
	}
	c := e.calls[tag]
	if c == nil || c.link != l {
		return
	}
	done := reply{c, resp}
	switch {
	case resp.More:
		c.begun = true
	case resp.Code == wire.NotLeader && !c.begun && !c.canceled && c.patient(wire.Clock()):
		if c.route.link == l {
			c.route.leave(l, "")
		}
		e.again(c)
		e.settle(c.turn)
		c.route.rouse()
		return
	case resp.Code == wire.NotLeader && c.canceled:
		done = e.finish(c, wire.Failf(wire.Canceled, "the request was withdrawn"))
	case resp.Code == wire.NotLeader && c.begun:
		done = e.finish(c, wire.Failf(wire.Unavailable, "the stream is over: %s", resp.Body))
	case resp.Code == wire.NotLeader:
		done = e.finish(c, wire.Failf(wire.Unavailable, "the %v engine's group has had no leader in time: %s", e.cfg.Engine, resp.Body))
	default:
		done = e.finish(c, resp)
	}
	e.done = append(e.done, done)
}

// admit implements taker. Under Engine.mu.
func (l *link) admit(n int, start []byte, long bool) bool {
	if !long {
		return true
	}
	var resp wire.Response
	tag, err := wire.DecodeResponse(start, &resp)
	e := l.e
	c := e.calls[tag]
	if err != nil || c == nil || c.link != l {
		return false
	}
	l.control(wire.OpCancel, tag, 0) // a stream goes on there
	code := wire.OutcomeUnknown
	if repeatable[c.req.Op] {
		code = wire.TooLarge
	}
	e.done = append(e.done, e.finish(c, wire.Failf(code, "the answer to %v has %d bytes, the most that is taken is %d", c.req.Op, n, e.cfg.MaxAnswer)))
	return false
}

func (l *link) gathered(int) {}

// moved implements taker: the leader is elsewhere. Under Engine.mu.
func (l *link) moved(leader string) {
	if l.route.link == l {
		l.route.leave(l, leader)
	}
}
