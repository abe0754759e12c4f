package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// EngineConfig says which engine is far away. Start from DefaultEngine.
type EngineConfig struct {
	Engine wire.EngineID
	Group  int // the number of the partition group

	// MaxPending are the unanswered requests, without those that stream or wait. One more is answered Busy, and earlier one of a
	// Replier that has as many as there is room left: so those who ask for little get in beside those who ask for all.
	MaxPending int
	MaxWaiting int   // unanswered requests that stream or wait; likewise
	MaxBytes   int64 // of all unanswered requests; one more is answered Busy; long ones leave an eighth to short ones (4 KiB)
	MaxRequest int   // bytes of one request
	MaxAnswer  int   // bytes of one answer
	Window     int64 // bytes that may be on their way to this process on one link
	// Patience is how long a request without a deadline waits for a daemon that takes it.
	Patience time.Duration
	// Heartbeat is how often a daemon is asked whether it is there, and Silence how long it may say nothing.
	Heartbeat, Silence time.Duration
	// Late is how long after its deadline a request that was sent may be answered by the daemon.
	Late time.Duration
	Log  *zap.Logger // nil is silence
}

// DefaultEngine returns an EngineConfig that lacks its engine.
func DefaultEngine() EngineConfig {
	return EngineConfig{
		MaxPending: 1 << 14, MaxWaiting: 1 << 16, MaxBytes: 256 << 20, MaxRequest: wire.MaxRequest, MaxAnswer: 64 << 20, Window: 4 << 20,
		Patience: 5 * time.Second, Heartbeat: 500 * time.Millisecond, Silence: 2 * time.Second, Late: 500 * time.Millisecond,
	}
}

// Validate returns every complaint about c at once.
func (c *EngineConfig) Validate() error {
	var errs []error
	if c.Engine == 0 {
		errs = append(errs, errors.New("bus: Engine is missing"))
	}
	if c.Group < 0 {
		errs = append(errs, fmt.Errorf("bus: Group is %d, must not be negative", c.Group))
	}
	if c.MaxPending < 1 || c.MaxWaiting < 1 || c.MaxBytes < 1 || c.MaxRequest < 1 || c.MaxAnswer < 1 {
		errs = append(errs, errors.New("bus: MaxPending, MaxWaiting, MaxBytes, MaxRequest and MaxAnswer must be positive"))
	}
	if c.Window < minWindow {
		errs = append(errs, fmt.Errorf("bus: Window is %d, must be at least %d", c.Window, minWindow))
	}
	if c.Patience <= 0 || c.Heartbeat <= 0 || c.Silence < 2*c.Heartbeat || c.Late < 0 {
		errs = append(errs, errors.New("bus: Patience and Heartbeat must be positive, Silence at least two Heartbeats, Late not negative"))
	}
	return errors.Join(errs...)
}

// Engine is an engine.Engine in other processes, one of which leads its group.
type Engine struct {
	conn  *Conn
	cfg   EngineConfig
	log   *zap.Logger
	base  string // of the subjects
	inbox string // the beginning of the subjects on which this process hears
	lead  *route
	any   *route // to whichever replica, for reads that may be stale

	mu        sync.Mutex // guards what follows and the routes' and links' parts that say so; no Replier is called with it held
	calls     map[uint64]*call
	turns     map[engine.Replier]*turn
	links     map[uint64]*link
	farewells []*link // to be told that they are over
	overtaken []*call // ordered requests that cannot be sent again
	lastCall  uint64
	lastTurn  uint64
	bytes     int64 // of calls
	waiting   int   // of calls, those that stream or wait
	closed    bool

	blanks []*call // that are not used

	// Only for the goroutine of the subscription: answers that are to be given, and calls that have had theirs.
	done  []reply
	spent []*call

	counts counts

	sub  *nats.Subscription
	stop chan struct{}
	wg   sync.WaitGroup
	end  func() error
}

// NewEngine returns the engine at the other end of the bus. It does not wait for it. The connection is the caller's, and outlives it.
func NewEngine(c *Conn, cfg EngineConfig) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	base := subject(cfg.Engine, cfg.Group)
	e := &Engine{
		conn: c, cfg: cfg, log: cfg.Log, base: base, inbox: c.nc.NewInbox(),
		calls: make(map[uint64]*call), turns: make(map[engine.Replier]*turn),
		links: make(map[uint64]*link), stop: make(chan struct{}),
	}
	e.lead, e.any = newRoute(e, "lead"), newRoute(e, "any")
	e.end = sync.OnceValue(e.close)
	var err error
	if e.sub, err = c.subscribe(e.inbox+".>", "", e.heard); err != nil {
		return nil, err
	}
	c.join(e)
	e.wg.Go(e.lead.run)
	e.wg.Go(e.any.run)
	e.wg.Go(func() { e.every(keepEvery, e.expire) })
	e.wg.Go(func() { e.every(keepEvery, e.beat) }) // apart from deadlines: the bus may not take what it sends
	return e, nil
}

// Run serves until ctx ends.
func (e *Engine) Run(ctx context.Context) error {
	<-ctx.Done()
	return e.Close()
}

// Close answers what has not been answered and returns when the last goroutine has left. It may be called again.
func (e *Engine) Close() error { return e.end() }

func (e *Engine) close() error {
	var all []reply
	e.mu.Lock()
	e.closed = true
	for _, l := range e.links {
		l.bye()
	}
	for _, c := range e.calls {
		resp := wire.Failf(wire.Unavailable, "this process is stopping")
		if c.unsure(everything) {
			resp = lostWith(&c.req, "this process is stopping")
		}
		all = append(all, e.finish(c, resp))
	}
	e.mu.Unlock()
	send(all)
	close(e.stop)
	e.part()
	_ = e.sub.Unsubscribe() // without a connection there is nothing to give up
	e.conn.leave(e)
	e.wg.Wait()
	return nil
}

// Ready reports whether the group's leader is at hand.
func (e *Engine) Ready() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lead.link != nil
}

// Submit takes one request: see engine.Engine.
func (e *Engine) Submit(req wire.Request, r engine.Replier) {
	now := wire.Clock()
	if err := e.check(&req, now); err != nil {
		e.counts.refuse(err.Code)
		r.Reply(req.Tag, wire.Fail(err))
		return
	}
	e.mu.Lock()
	if err := e.room(&req, e.turns[r]); err != nil {
		e.mu.Unlock()
		e.counts.refuse(err.Code)
		r.Reply(req.Tag, wire.Fail(err))
		return
	}
	e.dispatch(e.begin(&req, r, now))
	e.mu.Unlock()
}

// check refuses what would not be served anywhere.
func (e *Engine) check(req *wire.Request, now int64) *wire.Error {
	switch {
	case req.Deadline != 0 && now > req.Deadline:
		return wire.Errorf(wire.Timeout, "the deadline passed before %v began", req.Op)
	case len(req.Body)+wire.MaxFrameHead > e.cfg.MaxRequest:
		return wire.Errorf(wire.TooLarge, "request of %d bytes is over the limit of %d (-max-request)", len(req.Body), e.cfg.MaxRequest)
	}
	return nil
}

// room refuses what there is no room for. t may be nil. Under mu.
func (e *Engine) room(req *wire.Request, t *turn) *wire.Error {
	waits := req.Op.Streams() || req.Op.Waits()
	pending := len(e.calls) - e.waiting
	switch {
	case e.closed:
		return wire.Errorf(wire.Unavailable, "this process is stopping")
	case waits && e.waiting >= e.cfg.MaxWaiting:
		return wire.Errorf(wire.Busy, "%d requests wait at the %v engine already", e.waiting, e.cfg.Engine)
	case waits && t != nil && t.waiting >= e.cfg.MaxWaiting-e.waiting:
		return wire.Errorf(wire.Busy, "%d requests of this client wait at the %v engine, and of all together %d", t.waiting, e.cfg.Engine, e.waiting)
	case !waits && pending >= e.cfg.MaxPending:
		return wire.Errorf(wire.Busy, "%d requests to the %v engine are unanswered, the most there may be", pending, e.cfg.Engine)
	case !waits && t != nil && t.open >= e.cfg.MaxPending-pending:
		return wire.Errorf(wire.Busy, "%d requests of this client to the %v engine are unanswered, and of all together %d", t.open, e.cfg.Engine, pending)
	case e.bytes+int64(len(req.Body)) > room(e.cfg.MaxBytes, len(req.Body)) && e.bytes > 0:
		return wire.Errorf(wire.Busy, "%d bytes of requests to the %v engine are unanswered, the most is %d", e.bytes, e.cfg.Engine, e.cfg.MaxBytes)
	}
	return nil
}

// Cancel withdraws a request: see engine.Engine.
func (e *Engine) Cancel(r engine.Replier, tag uint64) {
	e.mu.Lock()
	c := e.turns[r].find(tag)
	if c == nil || c.canceled {
		e.mu.Unlock()
		return
	}
	c.canceled = true
	if c.link != nil && !c.link.takeBack(c) {
		c.link.control(wire.OpCancel, c.id, 0)
		e.mu.Unlock()
		return
	}
	done := e.finish(c, wire.Failf(wire.Canceled, "the request was withdrawn"))
	e.mu.Unlock()
	done.send()
}

// Credit lets a streaming request send n more answers: see engine.Engine.
func (e *Engine) Credit(r engine.Replier, tag uint64, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.turns[r].find(tag)
	switch {
	case c == nil || n <= 0:
		return
	case c.link != nil && c.long == nil:
		c.link.control(wire.OpCredit, c.id, min(n, maxCredit))
	}
	if !c.begun { // it may be sent again
		c.credits = min(c.credits+n, maxCredit)
	}
}

// lost is told that the connection is gone.
func (e *Engine) lost() { e.breakAll("the connection to the bus was lost") }

// choked is told that answers were dropped.
func (e *Engine) choked(subject string) {
	if subject == e.inbox+".>" {
		e.breakAll("answers were dropped: this process does not keep up with the bus")
	}
}

func (e *Engine) breakAll(reason string) {
	e.mu.Lock()
	all := make([]*link, 0, len(e.links))
	for _, l := range e.links {
		all = append(all, l)
	}
	e.mu.Unlock()
	for _, l := range all {
		e.broke(l, reason, everything)
	}
}

// back is told that the connection is there again.
func (e *Engine) back() {
	e.lead.rouse()
	e.any.rouse()
}
