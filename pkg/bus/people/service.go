package people

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	// patience is how long a request may take, besides what it asks to wait: less than the five seconds that the nats command line
	// waits for an answer, so that it hears of an engine that cannot answer.
	patience = 4500 * time.Millisecond
	// slack is how much later than its deadline a request is withdrawn: the engine sees to deadlines by itself.
	slack = 250 * time.Millisecond
	// defaultWait is how long Flin-Wait may be unless Config says: a minute after a request an engine may not answer it any more, where
	// the bus has a secret.
	defaultWait = 50 * time.Second
	// most is how many requests may be under way; one more is answered Busy.
	most = 256
	// queueGroup makes one of the nodes take a request: the group that micro services have by default.
	queueGroup = "q"

	maxPending      = 4096     // messages that wait to be taken; what comes then is lost, as NATS does it
	maxPendingBytes = 64 << 20 // likewise
)

// Config says who is answered for.
type Config struct {
	Engine wire.EngineID
	Ask    engine.Engine // is asked; it outlives the Service
	Node   string        // node id
	Group  string        // the Raft group, for those who look
	// Version of the program, as semver.org has it.
	Version string
	// Standing tells what the node is in its group. nil: it has no peers, and leads always.
	Standing func() bus.Standing
	// MaxWait is how long a request may ask to wait (Flin-Wait); 0 is 50 s.
	MaxWait time.Duration
	// Took is told how long the engine took for each request, of so many bytes, if it is not nil.
	Took func(op wire.Op, took time.Duration, size int)
	Log  *zap.Logger // nil is silence
}

// Validate returns every complaint about c at once.
func (c *Config) Validate() error {
	var errs []error
	if endpoints(c.Engine) == nil {
		errs = append(errs, fmt.Errorf("people: Engine is %v, of which nothing can be asked", c.Engine))
	}
	if c.Ask == nil {
		errs = append(errs, errors.New("people: Ask is missing"))
	}
	if c.Node == "" || c.Group == "" || c.Version == "" {
		errs = append(errs, errors.New("people: Node, Group and Version must be given"))
	}
	if c.MaxWait < 0 {
		errs = append(errs, errors.New("people: MaxWait must not be negative"))
	}
	return errors.Join(errs...)
}

// Service answers people for one engine.
type Service struct {
	cfg     Config
	nc      *nats.Conn
	log     *zap.Logger
	prefix  string // of the subjects, with the last dot
	direct  string // of the subjects of this node alone, likewise
	id      string // of the instance
	started time.Time
	verbs   map[string]*endpoint
	figures map[string]*figures // by verb
	list    []endpoint          // in the order in which they are shown

	ctx  context.Context // ends when the service does
	stop context.CancelFunc
	room chan struct{} // has a place for each request under way
	subs []*nats.Subscription
	end  func() error

	mu     sync.Mutex // guards closed, and wg against being waited for before the last request is in it
	closed bool
	wg     sync.WaitGroup
}

// Serve answers for an engine until the Service is closed. The connection is the caller's, and outlives it.
func Serve(c *bus.Conn, cfg Config) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.MaxWait == 0 {
		cfg.MaxWait = defaultWait
	}
	if cfg.Standing == nil {
		node := cfg.Node
		cfg.Standing = func() bus.Standing { return bus.Standing{Leads: true, Term: 1, Leader: node} }
	}
	s := &Service{
		cfg: cfg, nc: c.NATS(), log: cfg.Log,
		prefix: "flin." + cfg.Engine.String() + ".", direct: bus.PeopleSubject(cfg.Engine, cfg.Node) + ".",
		// The nats command line sorts by name or id: with the name in the id it comes to the same.
		id: fmt.Sprintf("%v-%016X", cfg.Engine, rand.Uint64()), started: time.Now().UTC(),
		list: endpoints(cfg.Engine), verbs: make(map[string]*endpoint), figures: make(map[string]*figures),
		room: make(chan struct{}, most),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.end = sync.OnceValue(s.close)
	for i := range s.list {
		s.verbs[s.list[i].verb] = &s.list[i]
		s.figures[s.list[i].verb] = &figures{}
	}
	if err := s.subscribe(); err != nil {
		_ = s.Close() // err says more
		return nil, err
	}
	return s, nil
}

func (s *Service) subscribe() error {
	hear := func(subject, queue string, fn nats.MsgHandler) error {
		sub, err := s.nc.QueueSubscribe(subject, queue, fn)
		if err == nil {
			s.subs = append(s.subs, sub)
			err = sub.SetPendingLimits(maxPending, maxPendingBytes)
		}
		if err != nil {
			return fmt.Errorf("people: subscribe to %s: %w", subject, err)
		}
		return nil
	}
	// One subscription has all verbs, so that one that is not known is answered, too.
	err := hear(s.prefix+">", queueGroup, func(m *nats.Msg) { s.take(m, s.prefix, false) })
	if err == nil {
		err = hear(s.direct+">", "", func(m *nats.Msg) { s.take(m, s.direct, true) })
	}
	for subject, answer := range s.controls() {
		if err == nil {
			err = hear(subject, "", func(m *nats.Msg) { s.control(m, answer) })
		}
	}
	return err
}

// Run answers until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	<-ctx.Done()
	return s.Close()
}

// Close takes no more requests, withdraws what is under way, and returns when that has been answered. It may be called again.
func (s *Service) Close() error { return s.end() }

func (s *Service) close() error {
	for _, sub := range s.subs {
		_ = sub.Unsubscribe() // without a connection there is nothing to give up
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.wg.Wait()
	return nil
}

// take begins a request. direct says that another node has handed it on: it is not handed on again.
func (s *Service) take(m *nats.Msg, prefix string, direct bool) {
	if !direct && s.handOn(m) {
		return
	}
	verb, name, named := strings.Cut(strings.TrimPrefix(m.Subject, prefix), ".")
	c := &call{s: s, m: m, direct: direct, began: time.Now(), endpoint: s.verbs[verb]}
	if c.endpoint == nil {
		c.answer(wire.Errorf(wire.Unsupported, "%s%s is not known: there are %s", s.prefix, verb, s.known()))
		return
	}
	if m.Reply == "" && !c.endpoint.writes {
		return // nobody would hear the answer
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.answer(stopping())
		return
	}
	select {
	case s.room <- struct{}{}:
	default:
		c.answer(wire.Errorf(wire.Busy, "%d requests are under way at node %s, the most there may be", most, s.cfg.Node))
		return
	}
	s.wg.Go(func() {
		defer func() { <-s.room }()
		c.serve(name, named)
	})
}

// handOn hands a request to the node that leads, if that is known and another one.
func (s *Service) handOn(m *nats.Msg) bool {
	now := s.cfg.Standing()
	if now.Leads || now.Leader == "" || now.Leader == s.cfg.Node {
		return false
	}
	to := bus.PeopleSubject(s.cfg.Engine, now.Leader) + "." + strings.TrimPrefix(m.Subject, s.prefix)
	err := s.nc.PublishMsg(&nats.Msg{Subject: to, Reply: m.Reply, Header: m.Header, Data: m.Data})
	if err != nil {
		s.log.Debug("a request was not handed on", zap.String("subject", to), zap.Error(err))
	}
	return err == nil
}

// known lists the verbs.
func (s *Service) known() string {
	verbs := make([]string, len(s.list))
	for i := range s.list {
		verbs[i] = s.list[i].verb
	}
	return strings.Join(verbs, ", ")
}

func stopping() error { return wire.Errorf(wire.Unavailable, "the node is stopping") }
