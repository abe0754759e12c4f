// Package native serves Flin's own protocol (pkg/wire/PROTOCOL.md): length-prefixed frames, answered in any order.
package native

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/front/slow"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Config is what a Server needs. Start from Default.
type Config struct {
	Engine  engine.Engine
	Node    string // node id, told to clients
	Version string // program and version, told to clients
	// Password judges a hello's credentials; nil lets everybody in.
	Password func(user, password string) bool
	// MaxStreams bounds the open streams (watches) of one connection; one more is answered Busy.
	MaxStreams int
	// HelloTimeout is how long a client may take from the magic to the end of its hello.
	HelloTimeout time.Duration
	Slow         *slow.Watch // judges how long requests took; nil: none is slow
	// Rejected is told of connections that the server ends, and why, as the metric names it; nil: nobody is.
	Rejected func(nc net.Conn, reason string)
	Log      *zap.Logger // nil is silence
}

// Default returns a Config that lacks its Engine.
func Default() Config {
	return Config{Node: "flin", Version: "flin", MaxStreams: 1024, HelloTimeout: 5 * time.Second}
}

// Validate returns every complaint about c at once.
func (c *Config) Validate() error {
	var errs []error
	if c.Engine == nil {
		errs = append(errs, errors.New("native: Engine is missing"))
	}
	if c.MaxStreams < 1 {
		errs = append(errs, fmt.Errorf("native: MaxStreams is %d, must be at least 1", c.MaxStreams))
	}
	if c.HelloTimeout <= 0 {
		errs = append(errs, fmt.Errorf("native: HelloTimeout is %v, must be positive", c.HelloTimeout))
	}
	return errors.Join(errs...)
}

// Server serves any number of connections.
type Server struct {
	cfg      Config
	requests atomic.Uint64
	streams  atomic.Int64
	rejected *prometheus.CounterVec
}

// New returns a Server. cfg must be valid.
func New(cfg Config) *Server {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	return &Server{cfg: cfg, rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "flin_native_rejected_total",
		Help: "Native connections that the server ended, by reason.",
	}, []string{"reason"})}
}

// Collectors returns the server's metrics.
func (s *Server) Collectors() []prometheus.Collector {
	return []prometheus.Collector{
		s.rejected,
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "flin_native_requests_total", Help: "Requests read from native connections.",
		}, func() float64 { return float64(s.requests.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "flin_native_streams", Help: "Open streams (watches) of native connections.",
		}, func() float64 { return float64(s.streams.Load()) }),
	}
}

// ServeConn serves one connection, whose input begins with wire.Magic, and returns when it is over.
func (s *Server) ServeConn(lc *link.Conn) {
	lc.EndAtEOF() // so that what a client waited for that has gone is withdrawn at once
	c := &conn{server: s, link: lc, engine: s.cfg.Engine}
	lc.OnStop(c.withdrawWaits)
	err := c.hello()
	if err == nil {
		err = c.serve()
	}
	c.end(err)
}

// Refuse ends a connection, before its hello, with err as its last word.
func (s *Server) Refuse(lc *link.Conn, err *wire.Error) {
	c := &conn{server: s, link: lc}
	s.rejected.WithLabelValues("refused").Inc()
	c.fail(wire.ConnTag, err)
	lc.CloseAfterFlush(err)
}

// reject counts a connection that the server ends, and tells of it.
func (s *Server) reject(lc *link.Conn, reason string) {
	s.rejected.WithLabelValues(reason).Inc()
	if s.cfg.Rejected != nil {
		s.cfg.Rejected(lc.NetConn(), reason)
	}
}
