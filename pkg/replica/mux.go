package replica

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
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
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		_ = c.Close()
		return
	}
	m.conns[c] = struct{}{}
	m.mu.Unlock()
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
		err = fmt.Errorf("node %s asks for group %s, which this node does not run", p.node, p.group)
	case l.cluster != p.cluster:
		err = fmt.Errorf("node %s belongs to cluster %s, this node to %s", p.node, p.cluster, l.cluster)
	}
	if err != nil {
		m.forget(c)
		refuse(err)
		return
	}
	tracked := &muxConn{Conn: c, m: m}
	select {
	case l.accepted <- tracked:
	case <-l.quit:
		_ = tracked.Close()
	}
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

// muxConn takes itself off the Mux's list when it is closed.
type muxConn struct {
	net.Conn
	m *Mux
}

// Close closes the connection.
func (c *muxConn) Close() error {
	c.m.forget(c.Conn)
	return c.Conn.Close()
}

// layer is one group's raft.StreamLayer on a Mux.
type layer struct {
	m        *Mux
	cluster  string
	group    string
	node     string
	address  string // what other nodes dial
	accepted chan net.Conn
	quit     chan struct{}
	once     sync.Once
}

// layer registers a group. It takes the place of an earlier layer of the same group, which was closed.
func (m *Mux) layer(cluster, group, node, address string) (*layer, error) {
	l := &layer{m: m, cluster: cluster, group: group, node: node, address: address, accepted: make(chan net.Conn), quit: make(chan struct{})}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.layers[group] != nil {
		return nil, fmt.Errorf("group %s is already on the Raft listener %s", group, m.ln.Addr())
	}
	m.layers[group] = l
	return l, nil
}

// Accept returns the next connection for the group.
func (l *layer) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepted:
		return c, nil
	case <-l.quit:
		return nil, net.ErrClosed
	}
}

// Close takes the group off the Mux.
func (l *layer) Close() error {
	l.once.Do(func() {
		close(l.quit)
		l.m.mu.Lock()
		defer l.m.mu.Unlock()
		delete(l.m.layers, l.group)
	})
	return nil
}

// Addr returns the address that other nodes know this one by.
func (l *layer) Addr() net.Addr { return advertised(l.address) }

// advertised is an address that need not be one of this machine.
type advertised string

// Network returns "tcp".
func (advertised) Network() string { return "tcp" }

// String returns host:port.
func (a advertised) String() string { return string(a) }

// Dial connects to another node's Mux and says what for.
func (l *layer) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	c, err := net.DialTimeout("tcp", string(address), timeout)
	if err != nil {
		return nil, err
	}
	if len(l.m.cfg.Secret) == 0 && !loopback(c.RemoteAddr()) {
		_ = c.Close()
		return nil, fmt.Errorf("node at %s is not on this machine: nodes on several machines need a cluster secret (-cluster-secret-file)", address)
	}
	line := preamble{cluster: l.cluster, group: l.group, node: l.node}.line(l.m.cfg.Secret)
	err = errors.Join(c.SetWriteDeadline(time.Now().Add(timeout)), write(c, line), c.SetWriteDeadline(time.Time{}))
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("greet the node at %s: %w", address, err)
	}
	return c, nil
}

func write(c net.Conn, s string) error {
	_, err := c.Write([]byte(s))
	return err
}
