package replica

import (
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// transportTimeout bounds one exchange between nodes; for snapshots Raft multiplies it by their size.
const transportTimeout = 10 * time.Second

// closingTransport is what the group needs of a transport.
type closingTransport interface {
	raft.Transport
	Close() error
}

// transport returns a new transport for one Raft.
func (g *Group) transport() (closingTransport, error) {
	if g.cfg.Transport == nil {
		_, t := raft.NewInmemTransport(raft.ServerAddress("127.0.0.1:0"))
		return t, nil
	}
	address := g.address()
	if host, _, err := net.SplitHostPort(address); err != nil {
		return nil, fmt.Errorf("group %s: the address %q for other nodes is not host:port: %w", g.cfg.Name, address, err)
	} else if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return nil, fmt.Errorf("group %s listens on every address (%s): say under which one other nodes reach it (-advertise)", g.cfg.Name, address)
	}
	l, err := g.cfg.Transport.layer(g.ident.Cluster, g.cfg.Name, g.server, address)
	if err != nil {
		return nil, err
	}
	return &peers{
		NetworkTransport: raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
			Stream: l, MaxPool: 3, MaxRPCsInFlight: 1, Timeout: transportTimeout, Logger: newHclog(g.log.Named("net"), true),
			ServerAddressProvider: addresses{g},
		}),
	}, nil
}

// address returns the host:port under which other nodes reach this one.
func (g *Group) address() string {
	if g.cfg.Advertise != "" {
		return g.cfg.Advertise
	}
	return g.cfg.Transport.Addr().String()
}

// addresses tells Raft's transport where servers are, by id.
type addresses struct{ g *Group }

// ServerAddr returns the target of a server.
func (a addresses) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	if string(id) == a.g.server {
		return raft.ServerAddress(a.g.address()), nil // what Raft tells others of itself
	}
	if in := a.g.raft.Load(); in != nil {
		for _, m := range in.members() {
			if m.ID == string(id) {
				return target(m.Address, m.ID), nil
			}
		}
	}
	return "", fmt.Errorf("server %s is not in the group", id)
}

// peers is Raft's network transport. It embeds it, because Raft looks for its optional methods, pre-vote among them.
type peers struct {
	*raft.NetworkTransport

	beat   sync.RWMutex // held for reading while a heartbeat is handled
	closed bool         // guarded by beat
}

// SetHeartbeatHandler makes heartbeats end with the transport. Raft handles them on the goroutines of their connections,
// which its Shutdown does not wait for: one that brings a new term would write to a log that has been closed.
func (p *peers) SetHeartbeatHandler(handle func(raft.RPC)) {
	if handle == nil {
		p.NetworkTransport.SetHeartbeatHandler(nil)
		return
	}
	p.NetworkTransport.SetHeartbeatHandler(p.untilClosed(handle))
}

// untilClosed returns handle, which refuses once the transport is closed.
func (p *peers) untilClosed(handle func(raft.RPC)) func(raft.RPC) {
	return func(rpc raft.RPC) {
		p.beat.RLock()
		defer p.beat.RUnlock()
		if p.closed {
			rpc.Respond(nil, raft.ErrRaftShutdown)
			return
		}
		handle(rpc)
	}
}

// Close waits for the heartbeat that is being handled, and closes the connections too, which Raft's own transport leaves
// open.
func (p *peers) Close() error {
	p.beat.Lock()
	p.closed = true
	p.beat.Unlock()
	p.CloseStreams()
	return p.NetworkTransport.Close()
}
