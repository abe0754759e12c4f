package bus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// ServeConfig says how an engine is served. Start from DefaultServe.
type ServeConfig struct {
	Engine wire.EngineID
	Group  int    // the number of the partition group
	Node   string // node id, known to whoever is told who leads
	// Cluster is the id of the cluster whose data the engine has: one engine's group on a bus is one cluster's, and no other is
	// served there. Empty: nobody is asked.
	Cluster string
	// Settle is how long those who are there already have to say so before anything is served; 0: none can be.
	Settle time.Duration
	// Changed is called, if it is not nil, with true when the engine is served and with false when it is no more because its group
	// is another cluster's; never twice at the same time, nor after Close.
	Changed func(serving bool)
	// Leadership tells whether the engine's group is led here. nil: it has no peers, and leads always.
	Leadership Leadership

	MaxLinks    int   // links; one more is refused
	MaxRequests int   // unanswered requests of one link, without those that stream or wait
	MaxWaiting  int   // unanswered requests of one link that stream or wait; one more is answered Busy
	LinkBytes   int64 // of the unanswered requests of one link
	MaxBytes    int64 // of all unanswered requests; one more is answered Busy; long ones leave an eighth to short ones (4 KiB)
	// MaxAnswers are the bytes of answers that wait to be sent on one link. Above it reads are answered Busy instead; a link
	// with twice as many is given up.
	MaxAnswers int64
	MaxRequest int   // bytes of one request frame
	Window     int64 // bytes that may be on their way to this server on one link
	// Silence is how long nothing is heard of a link until it is given up.
	Silence time.Duration
	// Grace is how long those whose requests are under way have until they are answered when the server stops.
	Grace time.Duration
	Log   *zap.Logger // nil is silence
}

// DefaultServe returns a ServeConfig that lacks its engine and its node.
func DefaultServe() ServeConfig {
	return ServeConfig{
		MaxLinks: 256, MaxRequests: 4096, MaxWaiting: 1 << 16, LinkBytes: 64 << 20, MaxBytes: 256 << 20, MaxAnswers: 128 << 20,
		MaxRequest: wire.MaxRequest, Window: 4 << 20, Silence: 5 * time.Second, Grace: 5 * time.Second, Settle: settle,
	}
}

// Validate returns every complaint about c at once.
func (c *ServeConfig) Validate() error {
	var errs []error
	if c.Engine == 0 {
		errs = append(errs, errors.New("bus: Engine is missing"))
	}
	if c.Node == "" {
		errs = append(errs, errors.New("bus: Node is missing"))
	}
	if c.Group < 0 {
		errs = append(errs, fmt.Errorf("bus: Group is %d, must not be negative", c.Group))
	}
	if c.MaxLinks < 1 || c.MaxRequests < 1 || c.MaxWaiting < 1 || c.LinkBytes < 1 || c.MaxBytes < 1 || c.MaxAnswers < 1 || c.MaxRequest < wire.MinRequest {
		errs = append(errs, errors.New("bus: MaxLinks, MaxRequests, MaxWaiting, LinkBytes, MaxBytes, MaxAnswers and MaxRequest must be positive"))
	}
	if c.Window < minWindow {
		errs = append(errs, fmt.Errorf("bus: Window is %d, must be at least %d", c.Window, minWindow))
	}
	if c.Silence <= 0 || c.Grace <= 0 || c.Settle < 0 {
		errs = append(errs, errors.New("bus: Silence and Grace must be positive, Settle not negative"))
	}
	return errors.Join(errs...)
}

// minWindow lets several messages be on their way, and acknowledgements come in time.
const minWindow = 4 * ackEvery

// Server answers for one engine on the bus.
type Server struct {
	conn *Conn
	e    engine.Engine
	cfg  ServeConfig
	log  *zap.Logger
	base string // of the subjects
	here string // the subject of this process

	leads    atomic.Bool  // the doors of the leader are open
	stopping atomic.Bool  // nothing is begun any more
	bytes    atomic.Int64 // of all unanswered requests

	since   atomic.Int64          // when the subjects were taken, by wire.Clock; 0: they are not
	refused atomic.Pointer[error] // why they will not be
	others  chan presence         // of other clusters
	again   chan struct{}         // the connection is there again

	mu     sync.Mutex // guards links, closed and subs
	links  map[uint64]*served
	closed bool

	counts counts

	subs []*nats.Subscription // all but that of the leader's door
	stop chan struct{}
	wg   sync.WaitGroup // the server's own goroutines and those of its links
	end  func() error
}

// Serve serves an engine on the bus until the Server is closed. The engine and the connection are the caller's, and outlive it.
func Serve(c *Conn, e engine.Engine, cfg ServeConfig) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.Leadership == nil {
		cfg.Leadership = alone{cfg.Node}
	}
	base := subject(cfg.Engine, cfg.Group)
	s := &Server{
		conn: c, e: e, cfg: cfg, log: cfg.Log, base: base,
		here:  fmt.Sprintf("%s.%016x", node(base, cfg.Node), rand.Uint64()),
		links: make(map[uint64]*served), others: make(chan presence, 16), again: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	s.end = sync.OnceValue(s.close)
	err := s.hear(s.here, "", s.data)
	if err == nil {
		err = s.hear(s.here+".ping", "", s.ping)
	}
	if err == nil {
		err = s.hear(s.here+".gone.*", "", s.unheard)
	}
	if err == nil && cfg.Cluster != "" {
		err = s.hear(base+".who", "", s.met)
	}
	if err != nil {
		s.unsubscribe()
		return nil, err
	}
	c.join(s)
	s.wg.Go(s.follow)
	s.wg.Go(s.watch)
	return s, nil
}

// hear subscribes to a subject until the Server is closed, with queue as one of a group if it is not empty.
func (s *Server) hear(subject, queue string, fn nats.MsgHandler) error {
	sub, err := s.conn.subscribe(subject, queue, fn)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.subs = append(s.subs, sub)
	s.mu.Unlock()
	return nil
}

func (s *Server) unsubscribe() {
	s.mu.Lock()
	all := s.subs
	s.subs = nil
	s.mu.Unlock()
	for _, sub := range all {
		_ = sub.Unsubscribe() // without a connection there is nothing to give up
	}
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	return s.Close()
}

// Close lets requests go to other nodes, answers what is under way, and returns when the last goroutine has left. It may be called again.
func (s *Server) Close() error { return s.end() }

func (s *Server) close() error {
	s.stopping.Store(true)
	close(s.stop)
	for _, l := range s.all() {
		l.out.moved("")
		l.withdrawWaits()
	}
	for limit := time.Now().Add(s.cfg.Grace); time.Now().Before(limit) && s.busy(); {
		time.Sleep(5 * time.Millisecond) // no answer is waited for by anything else
	}
	s.unsubscribe()
	s.conn.leave(s)
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, l := range s.all() {
		l.drop("the server has stopped", true)
	}
	s.wg.Wait()
	return nil
}

// busy reports whether a request has not been answered, or its answer has not been sent.
func (s *Server) busy() bool {
	for _, l := range s.all() {
		if l.busy() {
			return true
		}
	}
	return false
}

// Waiting returns how many bytes of answers wait to be sent.
func (s *Server) Waiting() (n int64) {
	for _, l := range s.all() {
		n += l.out.waiting()
	}
	return n
}

func (s *Server) all() []*served {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*served, 0, len(s.links))
	for _, l := range s.links {
		all = append(all, l)
	}
	return all
}

func (s *Server) link(id uint64) *served {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.links[id]
}

// opened is called with an open message at any of the doors.
func (s *Server) opened(m *nats.Msg) {
	k, id, r := takeLink(m.Data)
	window := int64(r.Uvarint())
	if k != kindOpen || r.Err() != nil || m.Reply == "" {
		return // nobody of ours has sent it
	}
	standing := s.cfg.Leadership.Now()
	w := welcome{
		node: s.cfg.Node, subject: s.here, window: s.cfg.Window, requests: s.cfg.MaxRequests, bytes: s.cfg.LinkBytes,
		leads: s.leads.Load(), leader: standing.Leader,
	}
	s.mu.Lock()
	switch {
	case s.closed || s.stopping.Load():
		w.refused = fmt.Sprintf("the %v engine at node %s is stopping", s.cfg.Engine, s.cfg.Node)
	case len(s.links) >= s.cfg.MaxLinks:
		w.refused = fmt.Sprintf("the %v engine at node %s has %d links, the most it may have", s.cfg.Engine, s.cfg.Node, s.cfg.MaxLinks)
	case s.links[id] == nil:
		l := newServed(s, id, m.Reply, max(window, minWindow))
		s.links[id] = l
		s.counts.links.Add(1)
		welcomed := make(chan struct{})
		defer close(welcomed)
		s.wg.Go(func() {
			<-welcomed // nothing may come before the welcome
			l.send()
		})
	}
	s.mu.Unlock()
	_, _ = s.conn.publish(m.Reply, "", w.append(nil, id)) // it is asked again
}

// data is called with what comes on links.
func (s *Server) data(m *nats.Msg) {
	k, id, r := takeLink(m.Data)
	l := s.link(id)
	switch {
	case r.Err() != nil:
	case l == nil:
		if k == kindData && m.Reply != "" {
			_, _ = s.conn.publish(m.Reply, "", wire.AppendString(appendLink(nil, kindReset, id), "the daemon does not know the link"))
		}
	case k == kindClose:
		l.drop("", false)
	case k == kindData:
		l.quiet.Store(0)
		if err := l.in.receive(&r, len(m.Data), l.out, l); err != nil {
			l.drop(err.Error(), true)
		}
	}
}

// unheard is called when nobody has heard an answer: whoever asked has gone.
func (s *Server) unheard(m *nats.Msg) {
	if !gone(m) {
		return
	}
	var id uint64
	if _, err := fmt.Sscanf(m.Subject[len(s.here):], ".gone.%016x", &id); err == nil {
		if l := s.link(id); l != nil {
			l.drop("", false)
		}
	}
}

// ping is called on a goroutine of its own, so that a slow engine is not taken for one that has gone.
func (s *Server) ping(m *nats.Msg) {
	k, id, r := takeLink(m.Data)
	if k != kindPing || r.Err() != nil || m.Reply == "" {
		return
	}
	known := byte(0)
	if l := s.link(id); l != nil {
		known = 1
		l.quiet.Store(0)
	}
	_, _ = s.conn.publish(m.Reply, "", append(appendLink(nil, kindPong, id), known)) // it is asked again
}

// watch gives up links of which nothing is heard, and lets something follow what was sent.
func (s *Server) watch() {
	tick := time.NewTicker(s.cfg.Silence / looks)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		for _, l := range s.all() {
			if l.quiet.Add(1) > looks {
				l.drop("nothing was heard of the link", false)
			} else {
				l.out.beat()
			}
		}
	}
}

// looks is how often it is looked within Silence: looks are counted, not time, since this process may have stood still itself.
const looks = 4

// lost is told that the connection is gone: what was on its way may be missing, so no link can go on.
func (s *Server) lost() {
	for _, l := range s.all() {
		l.drop("", false)
	}
}

// back is told that the connection is there again: others may have come meanwhile.
func (s *Server) back() {
	select {
	case s.again <- struct{}{}:
	default:
	}
}

func (s *Server) choked(subject string) {
	if subject != s.here {
		return
	}
	for _, l := range s.all() {
		l.drop("messages were dropped: the daemon does not keep up", true)
	}
}
