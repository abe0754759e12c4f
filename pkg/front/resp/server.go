package resp

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/front/slow"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// redisVersion is the version of Redis that this front is true to, as clients read it to learn what they may send.
const redisVersion = "7.2.7"

// requestTimeout is how long a command may wait for its engine: the protocol has no deadlines of its own.
const requestTimeout = 5 * time.Second

// InfoField is a line that INFO says besides the front's own.
type InfoField struct {
	Section string // as INFO's argument names it, in lower case; a section that Redis lacks gets a heading of its own
	Name    string
	Value   string
}

// Config says what a Server serves. It is read once.
type Config struct {
	Engine      engine.Engine                // answers the requests of every command that touches data
	Version     string                       // the program's own version, for INFO
	Node        string                       // the node's name, for INFO
	Password    func(user, pass string) bool // judges credentials; nil: none are asked for
	MaxRequest  int                          // bytes of one request; 0: the connection's own limit
	MaxInFlight int                          // unanswered requests of one connection; 0: the connection's own limit
	MaxValue    int                          // bytes of a value; 0: wire.MaxValue
	Info        func() []InfoField           // further lines of INFO; may be nil
	Params      map[string]string            // what CONFIG GET says besides, or instead: maxclients, appendonly …
	Slow        *slow.Watch                  // judges how long requests took; nil: none is slow
	Log         *zap.Logger                  // may be nil
}

// Server is what all connections share: the list of clients, the cursors of scans, the table of tracked keys, figures.
type Server struct {
	cfg      Config
	commands *commands
	clients  clients
	cursors  cursors
	tracker  *tracker
	stats    stats
	params   params
	started  time.Time
	runID    string
	log      *zap.Logger
}

// New returns a Server for cfg. Its Run must be running while a client tracks keys.
func New(cfg Config) *Server {
	if cfg.MaxValue <= 0 {
		cfg.MaxValue = wire.MaxValue
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	s := &Server{cfg: cfg, started: time.Now(), runID: newRunID(), log: cfg.Log}
	s.commands = newCommands()
	s.stats.init(s.commands)
	s.params.init(&cfg)
	s.clients.byID = make(map[uint64]*conn)
	s.tracker = newTracker(s)
	return s
}

// Run keeps the watch that feeds the clients which track keys, until ctx ends. It returns when its last goroutine has
// left.
func (s *Server) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { s.tracker.run(ctx) })
	wg.Wait()
	return nil
}
