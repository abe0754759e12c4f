package replica

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// transportTimeout bounds one exchange between nodes; for snapshots Raft multiplies it by their size.
const transportTimeout = 10 * time.Second

// errNoVote is what a server without a place in the group answers to candidates.
var errNoVote = errors.New("this server is not a member of the group and has no vote")

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
	t := &gate{
		NetworkTransport: raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
			Stream: l, MaxPool: 3, MaxRPCsInFlight: 1, Timeout: transportTimeout, Logger: newHclog(g.log.Named("net")),
		}),
		rpc: make(chan raft.RPC), quit: make(chan struct{}), done: make(chan struct{}),
	}
	go t.run(g.hasPlace)
	return t, nil
}

// address returns the host:port under which other nodes reach this one.
func (g *Group) address() string {
	if g.cfg.Advertise != "" {
		return g.cfg.Advertise
	}
	return g.cfg.Transport.Addr().String()
}

// hasPlace reports whether this server is in the group's configuration as far as it knows.
func (g *Group) hasPlace() bool {
	in := g.raft.Load()
	return in != nil && in.member(g.server)
}

// gate is Raft's network transport, but lets no request for a vote through to a server that has no place in the group: one
// whose disk was replaced could otherwise vote twice in a term. It embeds the transport, because Raft looks for its optional
// methods, pre-vote among them.
type gate struct {
	*raft.NetworkTransport
	rpc  chan raft.RPC
	quit chan struct{}
	done chan struct{}
	once sync.Once
}

// Consumer returns the requests that are let through.
func (t *gate) Consumer() <-chan raft.RPC { return t.rpc }

func (t *gate) run(hasPlace func() bool) {
	defer close(t.done)
	for {
		select {
		case <-t.quit:
			return
		case rpc := <-t.NetworkTransport.Consumer():
			switch rpc.Command.(type) {
			case *raft.RequestVoteRequest, *raft.RequestPreVoteRequest:
				if !hasPlace() {
					rpc.Respond(nil, errNoVote)
					continue
				}
			}
			select {
			case t.rpc <- rpc:
			case <-t.quit:
				return
			}
		}
	}
}

// Close closes the connections too, which Raft's own transport leaves open.
func (t *gate) Close() error {
	var err error
	t.once.Do(func() {
		close(t.quit)
		t.CloseStreams()
		err = t.NetworkTransport.Close()
		<-t.done
	})
	return err
}
