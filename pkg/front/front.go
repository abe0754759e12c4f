package front

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/front/native"
	"github.com/skshohagmiah/flin/pkg/front/web"
)

// Front accepts clients and hands them to the servers of their protocols.
type Front struct {
	cfg      Config
	log      *zap.Logger
	native   *native.Server
	web      *web.Server
	metrics  *metrics
	loopback func(net.Addr) bool // tells peers on this machine

	all  net.Listener // speaks every protocol
	http net.Listener // nil without Config.HTTP

	mu       sync.Mutex // guards what follows
	conns    map[uint64]*link.Conn
	lastID   uint64
	stopping bool
	serving  sync.WaitGroup // one for each connection; Add only with mu held and stopping false
}

// New returns a Front over e. cfg must be valid. Nothing listens before Open.
func New(cfg Config, e engine.Engine, log *zap.Logger) *Front {
	if log == nil {
		log = zap.NewNop()
	}
	if cfg.Limits.Budget == nil {
		cfg.Limits.Budget = link.NewBudget(cfg.Memory)
	}
	f := &Front{cfg: cfg, log: log, loopback: isLoopback, metrics: newMetrics(), conns: map[uint64]*link.Conn{}}
	cfg.Native.Engine, cfg.Native.Password, cfg.Native.Log = e, cfg.Password, log
	cfg.Native.Slow, cfg.Native.Rejected = cfg.Slow, func(nc net.Conn, reason string) { f.tell(nc, Native, reason) }
	cfg.Web.Engine, cfg.Web.Password, cfg.Web.Protected, cfg.Web.Log = e, cfg.Password, cfg.Protected, log
	cfg.Web.Budget, cfg.Web.Slow = cfg.Limits.Budget, cfg.Slow
	f.native, f.web = native.New(cfg.Native), web.New(cfg.Web)
	return f
}

// Open takes the ports, or gives back what it took and says which it could not get.
func (f *Front) Open() error {
	var err error
	if f.all, err = f.listen(f.cfg.Listen, "native, RESP and HTTP clients", "-port"); err != nil {
		return err
	}
	if f.cfg.HTTP == "" {
		return nil
	}
	if f.http, err = f.listen(f.cfg.HTTP, "HTTP clients", "-http"); err != nil {
		return errors.Join(err, f.all.Close())
	}
	return nil
}

func (f *Front) listen(addr, clients, flag string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s wants %s for %s, but another program has it: stop that, or choose another with %s: %w", f.cfg.Program, addr, clients, flag, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot listen on %s for %s (%s): %w", f.cfg.Program, addr, clients, flag, err)
	}
	return ln, nil
}

// Addr returns the address of the port that speaks every protocol, HTTPAddr that of the one for HTTP alone, nil if there
// is none. They are known from Open on.
func (f *Front) Addr() net.Addr { return f.all.Addr() }

// HTTPAddr is described at Addr.
func (f *Front) HTTPAddr() net.Addr {
	if f.http == nil {
		return nil
	}
	return f.http.Addr()
}

// Run serves until ctx ends, then stops accepting, lets connections finish what is in flight for at most Config.Grace,
// and returns when the last goroutine has left. It may be called once, after Open.
func (f *Front) Run(ctx context.Context) error {
	var own sync.WaitGroup // accept loops, janitor, watch of slow requests, HTTP server
	own.Go(func() { f.accept(f.all, false) })
	if f.http != nil {
		own.Go(func() { f.accept(f.http, true) })
	}
	watch, stopWatching := context.WithCancel(context.Background())
	own.Go(func() { f.janitor(watch) })
	own.Go(func() { f.cfg.Slow.Run(watch) })
	own.Go(f.web.Run)
	<-ctx.Done()
	err := f.stop()
	stopWatching()
	own.Wait()
	return err
}

// stop ends every connection, gently at first.
func (f *Front) stop() error {
	err := f.all.Close()
	if f.http != nil {
		err = errors.Join(err, f.http.Close())
	}
	f.mu.Lock()
	f.stopping = true
	for _, c := range f.conns {
		c.Stop()
	}
	f.mu.Unlock()
	late, cancel := context.WithTimeout(context.Background(), f.cfg.Grace)
	defer cancel()
	gone := make(chan struct{})
	go func() {
		f.serving.Wait()
		close(gone)
	}()
	f.web.Stop(late)
	select {
	case <-gone:
		return err
	case <-late.Done():
	}
	f.mu.Lock()
	n := len(f.conns)
	for _, c := range f.conns {
		c.Close(link.ErrStopping)
	}
	f.mu.Unlock()
	f.log.Warn("closed connections that did not finish in time", zap.Int("connections", n), zap.Duration("grace", f.cfg.Grace))
	<-gone
	return err
}

// janitor cuts clients off that do not take their answers.
func (f *Front) janitor(ctx context.Context) {
	t := time.NewTicker(min(time.Second, f.cfg.StallTimeout))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for _, c := range f.stalled() {
			f.refused(c.NetConn(), NeedMore, "stalled")
			f.log.Info("closing a connection whose client does not read its answers",
				zap.Stringer("peer", c.NetConn().RemoteAddr()), zap.Duration("for", c.Stalled()))
			c.Close(link.ErrSlowClient)
		}
	}
}

func (f *Front) stalled() []*link.Conn {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []*link.Conn
	for _, c := range f.conns {
		if c.Stalled() > f.cfg.StallTimeout {
			found = append(found, c)
		}
	}
	return found
}
