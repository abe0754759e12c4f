package replica

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// changeLimit bounds how long a membership change may take to be committed.
const changeLimit = 10 * time.Second

// members returns the servers of the newest configuration that Raft knows, committed or not.
func (in *instance) members() []Member {
	f := in.GetConfiguration()
	if f.Error() != nil {
		return nil
	}
	servers := f.Configuration().Servers
	list := make([]Member, len(servers))
	for i, s := range servers {
		list[i] = Member{ID: string(s.ID), Address: string(s.Address), Voter: s.Suffrage == raft.Voter}
	}
	return list
}

// member reports whether id is in the configuration.
func (in *instance) member(id string) bool {
	for _, m := range in.members() {
		if m.ID == id {
			return true
		}
	}
	return false
}

// alone reports whether id is the only voter.
func (in *instance) alone(id string) bool {
	voters, self := 0, false
	for _, m := range in.members() {
		if m.Voter {
			voters++
			self = self || m.ID == id
		}
	}
	return voters == 1 && self
}

// AddNonvoter adds a server that receives the log without a vote, or changes its address. A group of one is reopened with
// the timings of several nodes first. Only the leader can.
func (g *Group) AddNonvoter(id, addr string) error {
	return g.change(func(in *instance) raft.Future {
		return in.AddNonvoter(raft.ServerID(id), raft.ServerAddress(addr), 0, changeLimit)
	})
}

// AddVoter gives a server its vote. It must have caught up as a non-voter: a voter that is not there counts in every
// majority from now on. Only the leader can.
func (g *Group) AddVoter(id, addr string) error {
	return g.change(func(in *instance) raft.Future {
		return in.AddVoter(raft.ServerID(id), raft.ServerAddress(addr), 0, changeLimit)
	})
}

// RemoveServer takes a server out of the group. Only the leader can; it may remove itself, and then steps down.
func (g *Group) RemoveServer(id string) error {
	return g.change(func(in *instance) raft.Future { return in.RemoveServer(raft.ServerID(id), 0, changeLimit) })
}

// change makes one change of the membership.
func (g *Group) change(do func(in *instance) raft.Future) error {
	g.life.Lock()
	defer g.life.Unlock()
	in := g.raft.Load()
	if in == nil {
		return g.stopped()
	}
	if in.State() != raft.Leader {
		return g.notLeader(in)
	}
	if in.single {
		if g.cfg.Transport == nil {
			return wire.Errorf(wire.Invalid, "group %s has no Raft listener (-raft): it cannot have a second node", g.cfg.Name)
		}
		if err := g.reopen(false); err != nil {
			return err
		}
		if in = g.raft.Load(); in == nil {
			return g.stopped()
		}
		if err := g.awaitLead(in); err != nil {
			return err
		}
		// The address a group begins with may not be one that others can reach.
		self := in.AddVoter(raft.ServerID(g.server), raft.ServerAddress(g.address()), 0, changeLimit)
		if err := self.Error(); err != nil {
			return g.changed(in, err)
		}
	}
	// From here on another voter may elect itself: no local read before the new configuration is known.
	g.stand.update(func() { g.stand.alone = false })
	err := do(in).Error()
	alone := in.alone(g.server)
	g.stand.update(func() { g.stand.alone = alone })
	return g.changed(in, err)
}

// changed says what Raft's answer to a change means.
func (g *Group) changed(in *instance, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, raft.ErrNotLeader):
		return g.notLeader(in)
	case errors.Is(err, raft.ErrEnqueueTimeout):
		return wire.Errorf(wire.Timeout, "group %s has another change under way", g.cfg.Name)
	case errors.Is(err, raft.ErrLeadershipLost), errors.Is(err, raft.ErrRaftShutdown):
		return wire.Errorf(wire.OutcomeUnknown, "group %s lost its leader during the change: it may or may not have been made", g.cfg.Name)
	default:
		return fmt.Errorf("change of group %s: %w", g.cfg.Name, err)
	}
}

func (g *Group) notLeader(in *instance) *wire.Error {
	_, id := in.LeaderWithID()
	if id == "" {
		return wire.Errorf(wire.Unavailable, "group %s has no leader", g.cfg.Name)
	}
	return wire.Errorf(wire.NotLeader, "group %s is led by %s", g.cfg.Name, id)
}

// awaitLead waits until this node, the only voter, leads again.
func (g *Group) awaitLead(in *instance) error {
	deadline := time.Now().Add(changeLimit)
	for in.State() != raft.Leader {
		select {
		case <-g.stopping:
			return g.stopped()
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return wire.Errorf(wire.Unavailable, "group %s has no leader after it was reopened", g.cfg.Name)
		}
	}
	return nil
}

// TransferLeadership gives the leadership to a server, or with "" to the one that is furthest. Commands wait meanwhile and
// reads are refused. Only the leader can.
func (g *Group) TransferLeadership(id string) error {
	in := g.raft.Load()
	if in == nil {
		return g.stopped()
	}
	if in.State() != raft.Leader {
		return g.notLeader(in)
	}
	return g.transfer(in, id)
}

func (g *Group) transfer(in *instance, id string) error {
	var f raft.Future
	g.stand.update(func() { g.stand.yielding = true })
	g.prop.lead(false, "")
	if id == "" {
		f = in.LeadershipTransfer()
	} else {
		for _, m := range in.members() {
			if m.ID == id {
				f = in.LeadershipTransferToServer(raft.ServerID(id), raft.ServerAddress(m.Address))
			}
		}
	}
	err := error(wire.Errorf(wire.NotFound, "group %s has no server %s", g.cfg.Name, id))
	if f != nil {
		if err = f.Error(); err != nil {
			err = fmt.Errorf("give away the leadership of group %s: %w", g.cfg.Name, err)
		}
	}
	// What Raft says now is passed on as news.
	g.stand.update(func() { g.stand.yielding, g.stand.term, g.stand.leader = false, 0, "" })
	g.reconcile(in)
	return err
}
