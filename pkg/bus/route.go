package bus

import (
	"math/rand/v2"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// route is the way to one door of a group: it has a link to the process behind it, or looks for one.
type route struct {
	e    *Engine
	door string // lead or any
	wake chan struct{}

	// Engine.mu guards what follows.
	link   *link
	parked parked
	hint   string // the node that is said to lead; empty: nobody has said
	why    string // the last attempt has failed
	trying *link  // the link that was asked for and has not been answered
	result chan bool
}

func newRoute(e *Engine, door string) *route {
	return &route{e: e, door: door, wake: make(chan struct{}, 1), why: "none has been asked yet"}
}

func (rt *route) rouse() {
	select {
	case rt.wake <- struct{}{}:
	default:
	}
}

// leave retires the link, which goes on to answer what it has. Under Engine.mu.
func (rt *route) leave(l *link, leader string) {
	l.retired = true
	rt.without(l)
	rt.hint = leader
	if l.all == 0 {
		l.bye()
	}
}

// without forgets the link if it is this one. Under Engine.mu.
func (rt *route) without(l *link) {
	if rt.link == l {
		rt.link = nil
		rt.rouse()
	}
}

// The waits between attempts grow from the first to the second; while nobody waits for the link to the third.
const (
	firstPause = 2 * time.Millisecond
	longPause  = 100 * time.Millisecond
	idlePause  = time.Second
)

// openLimit is how long a daemon may take to answer an open message.
const openLimit = 500 * time.Millisecond

// run keeps a link to the leader, and one to some replica when that is asked for.
func (rt *route) run() {
	pause, again := firstPause, firstPause
	made, fresh := int64(0), false // when there was a link last, and whether it has not been missed since
	for tries := 0; ; {
		rt.e.mu.Lock()
		idle := rt.parked.n == 0
		need := rt.link == nil && (!idle || rt.door == "lead")
		if rt.link != nil && !idle {
			rt.e.pump(rt)
		}
		rt.e.mu.Unlock()
		wait := time.Duration(-1)
		switch {
		case !need:
		case fresh: // one who is taken for the leader and is none is asked ever more slowly
			fresh = false
			if wire.Clock()-made > int64(longPause) {
				again = firstPause
				continue
			}
			wait = again/2 + rand.N(again)
			again = min(2*again, longPause)
		case rt.open(tries):
			made, fresh = wire.Clock(), true
			pause, tries = firstPause, 0
			continue
		default:
			tries++
			wait = pause/2 + rand.N(pause)
			pause = min(2*pause, longPause)
			if idle && tries > 20 {
				wait = idlePause
			}
		}
		if !rt.rest(wait, wait > longPause*2) {
			return
		}
	}
}

// rest waits for so long, −1 being until it is roused, which also ends a long wait. It is false when the Engine is closed.
func (rt *route) rest(d time.Duration, long bool) bool {
	if d < 0 {
		select {
		case <-rt.e.stop:
			return false
		case <-rt.wake:
			return true
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	var wake chan struct{}
	if long {
		wake = rt.wake
	}
	select {
	case <-rt.e.stop:
		return false
	case <-timer.C:
	case <-wake:
	}
	return true
}

// open asks for a link, of the node that is said to lead in every other attempt, and reports whether there is one.
func (rt *route) open(try int) bool {
	e := rt.e
	id := rand.Uint64() | 1
	l := &link{e: e, id: id, route: rt, here: e.inbox + "." + strconv.FormatUint(id, 16), ended: make(chan struct{})}
	l.in.limit, l.in.flow = e.cfg.MaxAnswer, &e.counts.received
	answered := make(chan bool, 1)
	e.mu.Lock()
	to := e.base + "." + rt.door
	if rt.hint != "" && try%2 == 0 {
		to = node(e.base, rt.hint)
	}
	rt.trying, rt.result = l, answered
	e.mu.Unlock()

	ok := false
	if _, err := e.conn.publish(to, l.here, appendOpen(id, e.cfg.Window)); err != nil {
		rt.failed("the bus cannot be reached: " + err.Error())
	} else {
		timer := time.NewTimer(openLimit)
		defer timer.Stop()
		select {
		case ok = <-answered:
		case <-timer.C:
			rt.failed("a daemon does not answer")
		case <-e.stop:
		}
	}
	e.mu.Lock()
	rt.trying, rt.result = nil, nil
	e.mu.Unlock()
	return ok
}

func (rt *route) failed(why string) {
	rt.e.mu.Lock()
	rt.why = why
	rt.e.mu.Unlock()
}

// refused is called when nobody has heard the open message.
func (rt *route) refused(id uint64) {
	rt.e.mu.Lock()
	defer rt.e.mu.Unlock()
	if rt.trying != nil && rt.trying.id == id {
		rt.why, rt.hint = "nobody hears "+rt.e.base+"."+rt.door, ""
		rt.settle(false)
	}
}

// settle tells open what came of it. Under Engine.mu.
func (rt *route) settle(ok bool) {
	rt.trying = nil
	rt.result <- ok
}

// welcomed is called with the answer to an open message, and reports whether it was this route that asked.
func (rt *route) welcomed(id uint64, r *wire.Reader) bool {
	e := rt.e
	e.mu.Lock()
	defer e.mu.Unlock()
	l := rt.trying
	if l == nil || l.id != id {
		return false
	}
	err := l.w.take(r)
	switch {
	case e.closed:
		rt.settle(false)
		return true
	case err != nil:
		rt.why = err.Error()
		rt.settle(false)
		return true
	case l.w.refused != "":
		rt.why = l.w.refused
		rt.settle(false)
		return true
	case rt.door == "lead" && !l.w.leads:
		rt.why, rt.hint = "node "+l.w.node+" does not lead", l.w.leader
		e.farewells = append(e.farewells, l)
		rt.settle(false)
		return true
	}
	l.out = newSender(id, e.conn.limit(), l.w.window, &e.counts.sent)
	l.heard = wire.Clock()
	l.pinged = l.heard
	e.links[id] = l
	rt.link, rt.hint = l, ""
	e.counts.links.Add(1)
	e.wg.Go(l.send)
	e.log.Info("linked to a daemon", zap.Stringer("engine", e.cfg.Engine), zap.String("node", l.w.node))
	e.pump(rt)
	rt.settle(true)
	return true
}

// unwanted is called with the answer to an open message that nobody waits for any more: the daemon has made a link of it.
func (e *Engine) unwanted(id uint64, r *wire.Reader) {
	var w welcome
	if err := w.take(r); err != nil || w.refused != "" {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.farewells = append(e.farewells, &link{id: id, w: w})
	}
}
