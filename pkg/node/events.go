package node

import (
	"context"

	"github.com/skshohagmiah/flin/pkg/obs"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/run"
)

// leaderEvent tells that this node has begun to lead a group, or does no more.
type leaderEvent struct {
	Group  string `json:"group"`
	Term   uint64 `json:"term"`
	Leads  bool   `json:"leads"`  // this node does
	Leader string `json:"leader"` // the node that does, as far as this one knows
}

// leaders tells of the leaders of a group: each node speaks of itself, so that everybody hears once of who leads now and once of
// who led before. It outlives the group, whose end is news too.
func (p *process) leaders(g *replica.Group) run.Part {
	return run.Part{Name: "events of " + g.Name(), Run: func(ctx context.Context) error {
		changed, stop := g.Follow()
		defer stop()
		var told replica.Standing
		for {
			told = p.tellLeader(g, told)
			select {
			case <-ctx.Done():
				p.tellLeader(g, told)
				return nil
			case <-changed:
			}
		}
	}}
}

// tellLeader tells what this node is in the group if that is not what was told, and returns what has been told by then.
func (p *process) tellLeader(g *replica.Group, told replica.Standing) replica.Standing {
	now := g.Standing()
	if now.Leads == told.Leads && (!now.Leads || now.Term == told.Term) {
		return told
	}
	leader := now.Leader
	if !now.Leads && leader == p.id {
		leader = "" // it is just giving up
	}
	p.events.Emit(obs.EventLeader, leaderEvent{g.Name(), max(now.Term, told.Term), now.Leads, leader})
	return now
}
