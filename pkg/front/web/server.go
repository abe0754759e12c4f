// Package web serves HTTP/1.1 and HTTP/2 without TLS: health, metrics, profiles and the key-value store.
package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/front/slow"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	// maxHeader holds a path with the longest key, every byte of it percent-encoded.
	maxHeader = 3*wire.MaxKey + 16<<10
	// A request must have arrived, and an answer have been taken, within these.
	headerTimeout = 10 * time.Second
	readTimeout   = time.Minute
	writeTimeout  = 2 * time.Minute
	idleTimeout   = 2 * time.Minute
	engineTimeout = 5 * time.Second // what an engine may take for a request
)

// Config is what a Server needs. Start from Default.
type Config struct {
	Engine   engine.Engine
	Gatherer prometheus.Gatherer // served at /metrics; nil: there is no such page
	Ready    func() error        // why /readyz should not say yes; nil: it always does
	Level    http.Handler        // served at /log/level, a zap.AtomicLevel; nil: there is no such page
	// Password judges HTTP basic credentials; nil means that none are asked for.
	Password func(user, password string) bool
	// Protected says that without Password only peers of this machine are served. Then requests must also name this
	// machine in their Host: a page of a foreign site could otherwise reach the server through a visitor's browser.
	Protected bool
	// AllowedHosts are further names that Host and Origin may have.
	AllowedHosts []string
	MaxValue     int          // bytes of a value in a request
	Budget       *link.Budget // what values in flight are taken from; nil is no bound
	Slow         *slow.Watch  // judges how long requests took; nil: none is slow
	Log          *zap.Logger  // nil is silence
}

// Default returns a Config that lacks its Engine.
func Default() Config { return Config{MaxValue: wire.MaxValue, Protected: true} }

// Server serves any number of connections.
type Server struct {
	cfg   Config
	http  *http.Server
	conns chan net.Conn // to http's Accept
	stop  chan struct{} // closed by Stop
	once  sync.Once
}

// New returns a Server. Run must be running for ServeConn to serve.
func New(cfg Config) *Server {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	s := &Server{cfg: cfg, conns: make(chan net.Conn), stop: make(chan struct{})}
	errorLog, _ := zap.NewStdLogAt(cfg.Log, zap.DebugLevel) // fails for levels that do not exist
	s.http = &http.Server{
		Handler: s.handler(), ErrorLog: errorLog, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, nc)
		},
		Protocols: new(http.Protocols),
	}
	s.http.Protocols.SetHTTP1(true)
	s.http.Protocols.SetUnencryptedHTTP2(true)
	return s
}

// Run serves until Stop.
func (s *Server) Run() {
	if err := s.http.Serve(listener{s}); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		s.cfg.Log.Error("the HTTP server ended", zap.Error(err))
	}
}

// Stop lets requests in flight finish until ctx ends, then closes every connection.
func (s *Server) Stop(ctx context.Context) {
	s.once.Do(func() { close(s.stop) })
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // connections that were busy too long
	}
}

// ServeConn serves one connection, from the bytes that are in its input already, and returns when it is over.
func (s *Server) ServeConn(c *link.Conn) { s.serve(c, nil) }

// Refuse answers every request of a connection with err.
func (s *Server) Refuse(c *link.Conn, err *wire.Error) { s.serve(c, err) }

func (s *Server) serve(c *link.Conn, refused *wire.Error) {
	nc, head := c.Detach()
	hc := &conn{Conn: nc, link: c, head: head, refused: refused, closed: make(chan struct{})}
	select {
	case s.conns <- hc:
		<-hc.closed
	case <-s.stop:
		c.Close(link.ErrStopping)
	}
}

// connKey is where a request's context has its conn.
type connKey struct{}

// conn is a connection as net/http reads it: first what detection has read, then the rest.
type conn struct {
	net.Conn
	link    *link.Conn
	head    []byte
	refused *wire.Error   // what every request is answered
	closed  chan struct{} // closed by Close
	once    sync.Once
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.head) > 0 {
		n := copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.once.Do(func() {
		c.link.Close(nil)
		close(c.closed)
	})
	return nil
}

// listener hands to net/http what ServeConn is given.
type listener struct{ s *Server }

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.s.conns:
		return c, nil
	case <-l.s.stop:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l listener) Close() error {
	l.s.once.Do(func() { close(l.s.stop) })
	return nil
}

// Addr implements net.Listener.
func (l listener) Addr() net.Addr { return &net.TCPAddr{} }
