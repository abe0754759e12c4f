package replica

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// layer is one group's raft.StreamLayer on a Mux. It closes its connections with itself: Raft's transport leaves those open
// that are in use.
type layer struct {
	m        *Mux
	cluster  string
	group    string
	node     string // this server's id
	address  string // what other nodes dial
	accepted chan net.Conn
	quit     chan struct{}

	mu     sync.Mutex
	conns  map[*layerConn]struct{}
	closed bool
}

// layer registers a group on the Mux, until the layer is closed.
func (m *Mux) layer(cluster, group, node, address string) (*layer, error) {
	l := &layer{
		m: m, cluster: cluster, group: group, node: node, address: address,
		accepted: make(chan net.Conn), quit: make(chan struct{}), conns: make(map[*layerConn]struct{}),
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.layers[group] != nil {
		return nil, fmt.Errorf("group %s is already on the Raft listener %s", group, m.ln.Addr())
	}
	m.layers[group] = l
	return l, nil
}

// layerConn takes itself off the lists when it is closed.
type layerConn struct {
	net.Conn
	l *layer
}

// track puts c, which the Mux remembers, on the layer's list.
func (l *layer) track(c net.Conn) *layerConn {
	lc := &layerConn{Conn: c, l: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = c.Close()
		return lc
	}
	l.conns[lc] = struct{}{}
	return lc
}

// Close closes the connection.
func (c *layerConn) Close() error {
	c.l.mu.Lock()
	delete(c.l.conns, c)
	c.l.mu.Unlock()
	c.l.m.forget(c.Conn)
	return c.Conn.Close()
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

// Close takes the group off the Mux and closes its connections.
func (l *layer) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.quit)
	conns := l.conns
	l.conns = nil
	l.mu.Unlock()
	for c := range conns {
		_ = c.Close()
	}
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	delete(l.m.layers, l.group)
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

// target is what Raft's transport knows another server by: address and server id, so that Dial can say whom it means.
func target(address, id string) raft.ServerAddress { return raft.ServerAddress(address + "|" + id) }

// Dial connects to another node's Mux and says what for.
func (l *layer) Dial(to raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	address, id, ok := strings.Cut(string(to), "|")
	if !ok {
		return nil, fmt.Errorf("the server at %s is not in group %s", to, l.group)
	}
	c, err := net.DialTimeout("tcp", address, timeout)
	if err != nil {
		return nil, err
	}
	if len(l.m.cfg.Secret) == 0 && !loopback(c.RemoteAddr()) {
		_ = c.Close()
		return nil, fmt.Errorf("node at %s is not on this machine: nodes on several machines need a cluster secret (-cluster-secret-file)", address)
	}
	if !l.m.remember(c) {
		return nil, net.ErrClosed
	}
	lc := l.track(c)
	line := preamble{cluster: l.cluster, group: l.group, from: l.node, to: id}.line(l.m.cfg.Secret)
	if err := errors.Join(c.SetWriteDeadline(time.Now().Add(timeout)), write(c, line), c.SetWriteDeadline(time.Time{})); err != nil {
		return nil, errors.Join(fmt.Errorf("greet the node at %s: %w", address, err), lc.Close())
	}
	return lc, nil
}

func write(c net.Conn, s string) error {
	_, err := c.Write([]byte(s))
	return err
}
