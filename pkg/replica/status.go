package replica

// Status is a picture of a group as this node sees it.
type Status struct {
	Group    string // "all-0"
	Cluster  string // the cluster's id
	Server   string // this node's Raft server id: node/incarnation
	Role     string // "leader", "follower", "candidate", "stopped"
	Ready    bool   // see Group.Ready
	Leader   string // server id of the leader, "" if unknown
	Address  string // the leader's Raft address, "" if unknown
	Term     uint64
	Applied  uint64 // Raft index of the last applied entry
	Commit   uint64 // as far as this node knows
	Last     uint64 // Raft index of the last entry in the log
	Revision uint64 // of the last entry applied here; its commands may have been answered a moment before
	Time     int64  // of the last entry applied here, ms since 1970
	Members  []Member

	LogBytes  uint64 // written to the log since the process began
	Snapshots uint64 // times the log was cut
	Commands  uint64 // applied
	Proposed  uint64 // commands proposed here
	Failed    uint64 // of them, those answered with an error of this package
	Waiting   int    // commands that wait for an entry
	InFlight  int    // entries on their way
}

// Voters returns how many members vote.
func (s *Status) Voters() (n int) {
	for _, m := range s.Members {
		if m.Voter {
			n++
		}
	}
	return n
}

// Member is one server of a group.
type Member struct {
	ID      string // node/incarnation
	Address string // host:port of its Raft listener
	Voter   bool   // false: it only receives the log
}

// Status returns a picture of the group. It takes no lock for long and may be called often.
func (g *Group) Status() Status {
	s := Status{
		Group: g.cfg.Name, Cluster: g.ident.Cluster, Server: g.server, Role: "stopped", Ready: g.Ready(),
		Applied: g.fsm.index.Load(), Last: g.logs.last.Load(), Revision: g.fsm.rev.Load(), Time: g.fsm.time.Load(),
		LogBytes: g.met.logged.Load(), Snapshots: g.met.cuts.Load(), Commands: g.fsm.cmds.Load(),
	}
	g.prop.mu.Lock()
	s.Proposed, s.Failed = g.prop.proposed, g.prop.failed
	s.Waiting, s.InFlight = g.prop.open.crowd()+g.prop.lanes.live, len(g.prop.flight)
	g.prop.mu.Unlock()
	if in := g.raft.Load(); in != nil {
		s.Role = role(in.State())
		addr, id := in.LeaderWithID()
		s.Leader, s.Address = string(id), string(addr)
		s.Term, s.Commit = in.CurrentTerm(), in.CommitIndex()
		s.Members = in.members()
	}
	return s
}

// Ready reports whether this node can serve the group: it leads and has applied an entry of its own term, or it follows a
// leader it hears and knows what is committed.
func (g *Group) Ready() bool {
	if g.stand.ready.Load() {
		return true
	}
	in := g.raft.Load()
	if in == nil || g.stand.elsewhere(g.server) == "" {
		return false
	}
	commit := in.CommitIndex()
	return commit > 0 && in.AppliedIndex() >= commit && in.member(g.server)
}
