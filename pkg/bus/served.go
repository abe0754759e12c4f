package bus

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// served is a link as its server sees it.
type served struct {
	s     *Server
	id    uint64
	to    string // where answers go
	from  string // where it is heard that nobody has heard them
	out   *sender
	in    receiver     // only for the goroutine of the subscription
	quiet atomic.Int32 // how often it was looked since something came
	// ends is set before requests are withdrawn because the link is over or the server stops: one that the engine is given at
	// that moment must be withdrawn once more.
	ends   atomic.Bool
	choked atomic.Bool // the router does not take its answers: the link is to be dropped

	mu      sync.Mutex // guards what follows; never held while the engine is called
	open    map[uint64]asked
	lanes   map[uint64]*lane
	bytes   int64 // of open
	gather  int64 // of what comes in pieces
	waiting int   // of open, those that stream or wait
	refuses bool  // the server stops: what is withdrawn is answered NotLeader, so that it is sent elsewhere
	over    bool
	ended   chan struct{}
}

// asked is a request that has not had its last answer.
type asked struct {
	lane *lane
	op   wire.Op
	size int64
}

// lane is the Replier of the requests that have one Replier on the other side of the bus, so that the engine keeps their order.
type lane struct {
	l    *served
	id   uint64
	open int // guarded by served.mu
}

func newServed(s *Server, id uint64, to string, window int64) *served {
	l := &served{
		s: s, id: id, to: to, from: fmt.Sprintf("%s.gone.%016x", s.here, id), out: newSender(id, s.conn.limit(), window, &s.counts.sent),
		open: make(map[uint64]asked), lanes: make(map[uint64]*lane), ended: make(chan struct{}),
	}
	l.in.limit, l.in.flow = s.cfg.MaxRequest, &s.counts.received
	return l
}

// send sends messages until the link is over.
func (l *served) send() {
	for {
		select {
		case <-l.ended:
			return
		case <-l.out.wake:
		}
		l.out.gather()
		if l.choked.Load() {
			l.drop("too many answers wait for this router, which does not take them", true)
			return
		}
		for {
			buf, _ := l.out.next()
			if buf == nil {
				break
			}
			if _, err := l.s.conn.publish(l.to, l.from, buf); err != nil {
				l.drop("", false)
				return
			}
			l.out.recycle(buf)
		}
	}
}

// take is called with a request's frame.
func (l *served) take(laneBits uint64, frame []byte, now int64) {
	var req wire.Request
	if err := wire.DecodeRequest(frame, &req, now); err != nil {
		l.refuse(req.Tag, wire.Fail(err))
		return
	}
	if laneBits&1 != 0 {
		req.Flags |= wire.FlagOrdered
	}
	switch {
	case req.Op == wire.OpCancel || req.Op == wire.OpCredit:
		l.control(&req)
		return
	case len(frame) > l.s.cfg.MaxRequest:
		l.refuse(req.Tag, l.tooLong(len(frame)))
		return
	case req.Op.Engine() != l.s.cfg.Engine:
		l.refuse(req.Tag, wire.Failf(wire.Unsupported, "this is the %v engine: it does not do %v", l.s.cfg.Engine, req.Op))
		return
	case l.s.stopping.Load():
		l.refuse(req.Tag, wire.Failf(wire.NotLeader, "the %v engine at node %s is stopping", l.s.cfg.Engine, l.s.cfg.Node))
		return
	case req.Flags&wire.FlagStale == 0 && !l.s.leads.Load():
		l.refuse(req.Tag, wire.Failf(wire.NotLeader, "the %v engine at node %s does not lead its group", l.s.cfg.Engine, l.s.cfg.Node))
		return
	}
	if req.Deadline != 0 && wire.Clock() > req.Deadline {
		l.refuse(req.Tag, wire.Failf(wire.Timeout, "the deadline passed before %v began", req.Op))
		return
	}
	l.s.counts.requests.Add(1)
	ln, err := l.begin(&req, laneBits>>1)
	if err != nil {
		l.refuse(req.Tag, wire.Fail(err))
		return
	}
	l.s.e.Submit(req, ln)
	if l.ends.Load() && l.vain(&req) {
		l.s.e.Cancel(ln, req.Tag)
	}
}

// vain reports whether nobody waits for a request any more, or not for as long as it takes.
func (l *served) vain(req *wire.Request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over || req.Op.Waits() || req.Op.Streams()
}

func (l *served) tooLong(n int) wire.Response {
	return wire.Failf(wire.TooLarge, "request of %d bytes is over the limit of %d at the %v engine (-max-request)", n, l.s.cfg.MaxRequest, l.s.cfg.Engine)
}

// begin notes a request, or says why it is not.
func (l *served) begin(req *wire.Request, laneID uint64) (*lane, error) {
	size := int64(len(req.Body))
	waits := req.Op.Streams() || req.Op.Waits()
	l.mu.Lock()
	defer l.mu.Unlock()
	answers := l.out.waiting()
	switch {
	case answers > l.s.cfg.MaxAnswers:
		return nil, wire.Errorf(wire.Busy, "%d bytes of answers wait for this router, the most is %d", answers, l.s.cfg.MaxAnswers)
	case l.over || l.open[req.Tag].lane != nil:
		return nil, wire.Errorf(wire.Invalid, "request %d is under way already", req.Tag)
	case waits && l.waiting >= l.s.cfg.MaxWaiting:
		return nil, wire.Errorf(wire.Busy, "the %v engine has %d requests of this router that wait, the most it may have", l.s.cfg.Engine, l.waiting)
	case !waits && len(l.open)-l.waiting >= l.s.cfg.MaxRequests:
		return nil, wire.Errorf(wire.Busy, "the %v engine has %d requests of this router, the most it may have", l.s.cfg.Engine, l.s.cfg.MaxRequests)
	}
	if used := l.s.bytes.Add(size); used > room(l.s.cfg.MaxBytes, len(req.Body)) {
		l.s.bytes.Add(-size)
		return nil, wire.Errorf(wire.Busy, "the %v engine has %d bytes of requests on the bus, the most is %d", l.s.cfg.Engine, used-size, l.s.cfg.MaxBytes)
	}
	ln := l.lanes[laneID]
	if ln == nil {
		ln = &lane{l: l, id: laneID}
		l.lanes[laneID] = ln
	}
	ln.open++
	l.bytes += size
	if waits {
		l.waiting++
	}
	l.open[req.Tag] = asked{lane: ln, op: req.Op, size: size}
	return ln, nil
}

// Reply implements wire.Replier: the engine answers.
func (ln *lane) Reply(tag uint64, resp wire.Response) {
	l := ln.l
	l.mu.Lock()
	a := l.open[tag]
	if a.lane != ln || l.over {
		l.mu.Unlock()
		return
	}
	if !resp.More {
		l.finish(tag, a)
	}
	refuses := l.refuses
	l.mu.Unlock()
	waiting := l.out.waiting() + int64(len(resp.Body))
	rest := waiting
	switch {
	case resp.Code == wire.Canceled && refuses && (a.op.Waits() || a.op.Streams()):
		resp = wire.Failf(wire.NotLeader, "the %v engine at node %s is stopping", l.s.cfg.Engine, l.s.cfg.Node)
	case repeatable[a.op] && len(resp.Body) > 1<<10 && waiting > l.s.cfg.MaxAnswers:
		rest -= int64(len(resp.Body)) // so long an answer does not wait
		resp = wire.Failf(wire.Busy, "%d bytes of answers wait for this router, the most is %d", waiting, l.s.cfg.MaxAnswers)
	}
	if rest > 2*l.s.cfg.MaxAnswers {
		l.choked.Store(true)
		l.out.rouse()
		return
	}
	l.s.counts.answers.Add(1)
	l.out.answer(tag, &resp)
	l.out.rouse()
}

// finish forgets a request. Under mu.
func (l *served) finish(tag uint64, a asked) {
	delete(l.open, tag)
	if a.lane.open--; a.lane.open == 0 {
		delete(l.lanes, a.lane.id)
	}
	l.bytes -= a.size
	l.s.bytes.Add(-a.size)
	if a.op.Streams() || a.op.Waits() {
		l.waiting--
	}
}

// refuse answers a request that was not begun.
func (l *served) refuse(tag uint64, resp wire.Response) {
	l.s.counts.refuse(resp.Code)
	l.out.answer(tag, &resp)
	l.out.rouse()
}

// control is called with a cancel or a credit.
func (l *served) control(req *wire.Request) {
	var m wire.Credit
	if m.Decode(req.Body) != nil {
		return // it has no answer of its own
	}
	l.mu.Lock()
	a := l.open[m.Tag]
	l.mu.Unlock()
	switch {
	case a.lane == nil: // it has been answered meanwhile
	case req.Op == wire.OpCancel:
		l.s.e.Cancel(a.lane, m.Tag)
	default:
		l.s.e.Credit(a.lane, m.Tag, int(min(m.N, maxCredit)))
	}
}

// maxCredit is the most answers that one credit grants: so a sum of credits does not overflow an engine's count.
const maxCredit = 1 << 20

// admit implements taker.
func (l *served) admit(n int, start []byte, long bool) bool {
	if long { // nothing is gathered, so that nothing may be counted
		if tag, ok := wire.PeekTag(start); ok {
			l.refuse(tag, l.tooLong(n))
		}
		return false
	}
	l.mu.Lock()
	over := l.over
	if !over && l.s.bytes.Add(int64(n)) <= room(l.s.cfg.MaxBytes, n) {
		l.gather += int64(n)
		l.mu.Unlock()
		return true
	}
	l.mu.Unlock()
	if over {
		return false
	}
	l.s.bytes.Add(-int64(n))
	if tag, ok := wire.PeekTag(start); ok {
		l.refuse(tag, wire.Failf(wire.Busy, "the %v engine has no room for a request of %d bytes: the most of all together is %d", l.s.cfg.Engine, n, l.s.cfg.MaxBytes))
	}
	return false
}

// gathered implements taker.
func (l *served) gathered(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.gather -= int64(n)
		l.s.bytes.Add(-int64(n))
	}
}

func (l *served) moved(string) {}

// withdrawWaits ends what may wait for long because the server stops.
func (l *served) withdrawWaits() {
	l.ends.Store(true)
	l.mu.Lock()
	l.refuses = true
	waiting := make(map[uint64]*lane)
	for tag, a := range l.open {
		if a.op.Waits() || a.op.Streams() {
			waiting[tag] = a.lane
		}
	}
	l.mu.Unlock()
	for tag, ln := range waiting {
		l.s.e.Cancel(ln, tag)
	}
}

func (l *served) busy() bool {
	l.mu.Lock()
	n := len(l.open)
	l.mu.Unlock()
	return n > 0 || !l.out.drained()
}

// drop ends the link and withdraws what is under way. With tell the other side is told why.
func (l *served) drop(reason string, tell bool) {
	l.s.mu.Lock()
	if l.s.links[l.id] == l {
		delete(l.s.links, l.id)
	}
	l.s.mu.Unlock()
	l.ends.Store(true)
	l.mu.Lock()
	if l.over {
		l.mu.Unlock()
		return
	}
	l.over = true
	l.s.counts.broken.Add(1)
	l.s.bytes.Add(-l.gather)
	open := make(map[uint64]*lane, len(l.open))
	for tag, a := range l.open {
		open[tag] = a.lane
		l.finish(tag, a)
	}
	l.mu.Unlock()
	close(l.ended)
	for tag, ln := range open {
		l.s.e.Cancel(ln, tag)
	}
	if tell {
		_, _ = l.s.conn.publish(l.to, "", wire.AppendString(appendLink(nil, kindReset, l.id), reason)) // else its silence tells
	}
}
