package replica

import "strings"

// Standing is what this node is in its group, for those who show others the way.
type Standing struct {
	// Leads: this node leads and has applied an entry of its own term, so that it can serve.
	Leads bool
	// Term is that in which it leads or, where it does not, the newest of which it knows.
	Term uint64
	// Leader is the node id of the leader as far as it is known.
	Leader string
}

// Standing returns what this node is at this moment.
func (g *Group) Standing() Standing {
	s := &g.stand
	s.mu.Lock()
	now := Standing{Leads: s.ready.Load(), Term: s.term}
	now.Leader, _, _ = strings.Cut(s.leader, "/")
	s.mu.Unlock()
	if in := g.raft.Load(); in != nil && now.Term == 0 {
		now.Term = in.CurrentTerm()
	}
	return now
}

// Follow returns a channel that gets a value whenever Standing may have changed since the last one was taken; it is for one
// reader. stop ends that. Any number may follow.
func (g *Group) Follow() (changed <-chan struct{}, stop func()) {
	s := &g.stand
	f := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.followers == nil {
		s.followers = make(map[chan struct{}]struct{})
	}
	s.followers[f] = struct{}{}
	return f, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.followers, f)
	}
}
