package replica

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"
)

// MuxConfig shapes a Mux.
type MuxConfig struct {
	// Secret is shared by the nodes of the cluster. Without it only peers on the loopback interface are talked to.
	Secret []byte
	// Log takes refused connections. Default: nothing is logged.
	Log *zap.Logger
}

// Mux shares one listener, that of -raft, among the groups of a node.
type Mux struct {
	ln  net.Listener
	cfg MuxConfig

	mu     sync.Mutex
	layers map[string]*layer // by group
	conns  map[net.Conn]struct{}
	closed bool
	wg     sync.WaitGroup
}

// NewMux returns a Mux over ln, which it closes at its end. Connections are accepted while Run runs.
func NewMux(ln net.Listener, cfg MuxConfig) *Mux {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	return &Mux{ln: ln, cfg: cfg, layers: make(map[string]*layer), conns: make(map[net.Conn]struct{})}
}

// Addr returns the listener's address.
func (m *Mux) Addr() net.Addr { return m.ln.Addr() }

// Run accepts connections until ctx ends, then closes all and returns when its last goroutine has left. The groups should
// have stopped before.
func (m *Mux) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, m.shut)
	defer stop()
	defer m.wg.Wait()
	defer m.shut()
	for {
		c, err := m.ln.Accept()
		if err == nil {
			m.wg.Go(func() { m.greet(c) })
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		var temporary net.Error
		if !errors.As(err, &temporary) || errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("accept connections of other nodes on %s: %w", m.ln.Addr(), err)
		}
		// Out of file descriptors, for example: it passes.
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// shut closes the listener and all connections.
func (m *Mux) shut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	_ = m.ln.Close()
	for c := range m.conns {
		_ = c.Close()
	}
}

// greet reads a connection's first line and hands it to its group.
func (m *Mux) greet(c net.Conn) {
	refuse := func(err error) {
		m.cfg.Log.Warn("a connection from another node was refused", zap.Stringer("from", c.RemoteAddr()), zap.Error(err))
		_ = c.Close()
	}
	if len(m.cfg.Secret) == 0 && !loopback(c.RemoteAddr()) {
		refuse(errors.New("without a cluster secret (-cluster-secret-file) only nodes on this machine may connect"))
		return
	}
	if !m.remember(c) {
		return
	}
	p, err := readPreamble(c, m.cfg.Secret)
	if err != nil {
		m.forget(c)
		refuse(err)
		return
	}
	m.mu.Lock()
	l := m.layers[p.group]
	m.mu.Unlock()
	switch {
	case l == nil:
		err = fmt.Errorf("node %s asks for group %s, which this node does not run", p.from, p.group)
	case l.cluster != p.cluster:
		err = fmt.Errorf("node %s belongs to cluster %s, this node to %s", p.from, p.cluster, l.cluster)
	case l.node != p.to:
		err = fmt.Errorf("node %s looks for %s, this is %s: remove the one from group %s and add the other", p.from, p.to, l.node, p.group)
	}
	if err != nil {
		m.forget(c)
		refuse(err)
		return
	}
	tracked := l.track(c)
	select {
	case l.accepted <- tracked:
	case <-l.quit:
		_ = tracked.Close()
	}
}

// remember puts c on the list of what shut closes; if that has happened it closes c.
func (m *Mux) remember(c net.Conn) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		_ = c.Close()
		return false
	}
	m.conns[c] = struct{}{}
	return true
}

func (m *Mux) forget(c net.Conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.conns, c)
}

// loopback reports whether an address is on this machine's loopback interface.
func loopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}
