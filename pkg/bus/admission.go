package bus

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// An engine's group on a bus is one cluster's. Were two served there, by two installations that have nothing to do with each other
// or by a daemon with another data directory, each would be given a part of the requests, and the data would lie now here, now
// there. So a Server asks who else is there before it takes a subject, and takes none where another cluster has them. That holds
// until its process starts again: it must not step in when the other is away for a moment.
//
// Two that start at the same time may miss each other, as may two halves of a bus that was parted: they hear of each other when
// they have begun, and then and when, and the one that has served for longer stays.

// presence is what a Server tells the others of its group about itself.
type presence struct {
	asks    bool  // they are to tell of themselves
	serving bool  // it has taken the subjects
	age     int64 // milliseconds for which it has
	cluster string
	node    string
}

const (
	// settle is how long others have to say that they are there.
	settle = 200 * time.Millisecond
	// toldEvery is how often a Server tells that it is there, so that one who has not heard it hears it.
	toldEvery = 10 * time.Second
	// evenly is by how much one must have served for longer to be the first: else the cluster's id decides.
	evenly = 10 * time.Second
)

func (p *presence) append(b []byte) []byte {
	flags := byte(0)
	if p.asks {
		flags |= 1
	}
	if p.serving {
		flags |= 2
	}
	b = wire.AppendUvarint(append(b, byte(kindPresence), version, flags), uint64(p.age))
	return wire.AppendString(wire.AppendString(b, p.cluster), p.node)
}

// take reads a presence. Later versions may add to it.
func (p *presence) take(data []byte) bool {
	r := wire.NewReader(data)
	if kind(r.Byte()) != kindPresence {
		return false
	}
	r.Byte() // the version: later ones must begin alike
	flags := r.Byte()
	p.asks, p.serving, p.age = flags&1 != 0, flags&2 != 0, int64(r.Uvarint())
	p.cluster, p.node = string(r.Bytes()), string(r.Bytes())
	return r.Err() == nil && p.age >= 0
}

// yields reports whether the group is another's: other serves it, and has the better right.
func (p *presence) yields(other *presence) bool {
	if !other.serving || other.cluster == p.cluster {
		return false
	}
	if longer := time.Duration(p.age-other.age) * time.Millisecond; longer > evenly || longer < -evenly {
		return longer < 0
	}
	return !p.serving || other.cluster < p.cluster
}

// self returns what this Server is now.
func (s *Server) self() presence {
	p := presence{cluster: s.cfg.Cluster, node: s.cfg.Node}
	if since := s.since.Load(); since != 0 {
		p.serving, p.age = true, (wire.Clock()-since)/int64(time.Millisecond)
	}
	return p
}

// tell tells the others that this Server is there.
func (s *Server) tell(ask bool) {
	if s.cfg.Cluster == "" {
		return
	}
	p := s.self()
	p.asks = ask
	_, _ = s.conn.publish(s.base+".who", "", p.append(nil)) // it is told again
}

// met is called with what a Server of the group, if only this one, tells of itself.
func (s *Server) met(m *nats.Msg) {
	var p presence
	if !p.take(m.Data) || p.cluster == s.cfg.Cluster {
		return
	}
	if p.asks {
		s.tell(false)
	}
	select {
	case s.others <- p:
	default: // it tells again
	}
}

// admitted waits until the group's subjects may be taken. It is false when the Server stops, or they are another cluster's.
func (s *Server) admitted() bool {
	if s.cfg.Cluster == "" {
		return true
	}
	for {
		var settled <-chan time.Time
		if s.conn.Connected() && s.conn.nc.FlushTimeout(flushLimit) == nil {
			s.tell(true)
			settled = time.After(s.cfg.Settle)
		}
		again := time.After(look)
		for waiting := true; waiting; {
			select {
			case <-s.stop:
				return false
			case p := <-s.others:
				if s.withdraws(&p) {
					return false
				}
			case <-settled:
				if s.conn.Connected() {
					return true
				}
				settled = nil
			case <-s.again:
				waiting = false
			case <-again:
				waiting = settled != nil
			}
		}
	}
}

// withdraws reports whether the group is another's, and says so.
func (s *Server) withdraws(other *presence) bool {
	self := s.self()
	if !self.yields(other) {
		if other.serving {
			s.log.Error("another cluster wants to serve the same engine on this bus: give each a NATS account of its own",
				zap.String("node", other.node), zap.String("cluster", other.cluster))
		}
		return false
	}
	err := fmt.Errorf("the %v engine on the bus is that of node %s of cluster %s, and this node's is of cluster %s: give each a NATS server or account of its own (-bus), and start this one again",
		s.cfg.Engine, other.node, other.cluster, s.cfg.Cluster)
	s.since.Store(0)
	s.refused.Store(&err)
	s.log.Error("not served on the bus", zap.Error(err))
	return true
}

// Serving returns nil if others can use the engine over the bus, as long as that is there; else why not.
func (s *Server) Serving() error {
	if why := s.refused.Load(); why != nil {
		return *why
	}
	if s.since.Load() == 0 && s.conn.Connected() {
		return fmt.Errorf("the %v engine is not served on the bus yet", s.cfg.Engine)
	}
	return nil
}
