package bus

import (
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Standing is what a node is in its group.
type Standing struct {
	// Leads: this node leads and can serve, which is after it has applied an entry of its own term.
	Leads bool
	// Term in which it leads; it grows whenever the leader changes.
	Term uint64
	// Leader is the node id of the leader as far as it is known.
	Leader string
}

// Leadership tells what this node is in its group. All methods may be called from any goroutine.
type Leadership interface {
	Now() Standing
	// Changed returns a channel that gets a value when Now may have changed since the last was taken. It has one reader.
	Changed() <-chan struct{}
}

// alone is the leadership of an engine without peers.
type alone struct{ node string }

func (a alone) Now() Standing          { return Standing{Leads: true, Term: 1, Leader: a.node} }
func (alone) Changed() <-chan struct{} { return nil }

// flushLimit bounds how long it is waited until the NATS server knows of a subscription.
const flushLimit = 2 * time.Second

// look is how often the standing is looked at without news, so that one which was missed does no harm for long.
const look = time.Second

// follow takes the group's subjects when it may, and opens and closes the leader's door until the server stops. It alone does, so
// that no two changes are under way at once.
func (s *Server) follow() {
	if !s.admitted() {
		return
	}
	if err := s.takeDoors(); err != nil {
		s.refused.Store(&err)
		s.log.Error("not served on the bus", zap.Error(err))
		return
	}
	defer s.changed(false)
	s.changed(true)
	var door *nats.Subscription
	var term uint64
	tick, told := time.NewTicker(look), time.NewTicker(toldEvery)
	defer tick.Stop()
	defer told.Stop()
	for {
		now := s.cfg.Leadership.Now()
		if door != nil && (!now.Leads || now.Term != term) {
			s.shut(door, now.Leader)
			door = nil
		}
		if door == nil && now.Leads {
			door, term = s.welcomeAll(now), now.Term
		}
		select {
		case <-s.stop:
			if door != nil {
				s.leads.Store(false)
				_ = door.Unsubscribe() // without a connection there is nothing to give up
			}
			return
		case p := <-s.others:
			if !s.withdraws(&p) {
				continue
			}
			if door != nil {
				s.shut(door, "")
			}
			s.giveUp()
			return
		case <-s.again:
			s.tell(true)
		case <-told.C:
			s.tell(false)
		case <-s.cfg.Leadership.Changed():
		case <-tick.C:
		}
	}
}

// takeDoors takes the subjects of all replicas of the group.
func (s *Server) takeDoors() error {
	err := s.hear(s.base+".any", "any", s.opened)
	if err == nil {
		err = s.hear(node(s.base, s.cfg.Node), "", s.opened)
	}
	if err != nil {
		return err
	}
	s.since.Store(max(wire.Clock(), 1))
	s.tell(true) // who came at the same time is heard now
	return nil
}

// giveUp ends what there is: the group is another's.
func (s *Server) giveUp() {
	s.unsubscribe()
	for _, l := range s.all() {
		l.drop("the engine is served by another cluster", true)
	}
}

// changed tells whether the engine is served, unless the Server stops.
func (s *Server) changed(serving bool) {
	if s.cfg.Changed != nil && !s.stopping.Load() {
		s.cfg.Changed(serving)
	}
}

// welcomeAll opens the door: requests come once it stands, and by then this node must be ready for them. It is not opened if the
// node leads no more when the NATS server knows of it.
func (s *Server) welcomeAll(since Standing) *nats.Subscription {
	s.leads.Store(true)
	door, err := s.conn.subscribe(s.base+".lead", "lead", s.opened)
	if err != nil {
		s.log.Warn("the leader's subject cannot be taken", zap.Error(err))
		s.leads.Store(false)
		return nil
	}
	// Without a connection it is taken when there is one.
	if err := s.conn.nc.FlushTimeout(flushLimit); err != nil {
		s.log.Debug("the bus is not there yet", zap.Error(err))
	}
	if now := s.cfg.Leadership.Now(); !now.Leads || now.Term != since.Term {
		s.shut(door, now.Leader)
		return nil
	}
	s.log.Info("leads on the bus", zap.String("subject", s.base+".lead"), zap.Uint64("term", since.Term))
	return door
}

// shut closes the door: what comes is answered NotLeader at once, nothing more comes, and those who are linked go elsewhere. What
// is under way is answered by the engine. The subscription is not drained, since that would go on taking what others could.
func (s *Server) shut(door *nats.Subscription, leader string) {
	s.leads.Store(false)
	_ = door.Unsubscribe() // without a connection there is nothing to give up
	if leader == s.cfg.Node {
		leader = ""
	}
	for _, l := range s.all() {
		l.out.moved(leader)
	}
	s.log.Info("leads no more on the bus", zap.String("subject", s.base+".lead"), zap.String("leader", leader))
}
