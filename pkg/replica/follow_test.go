package replica

import (
	"testing"
	"time"
)

// awaitStanding takes what changed gives until now is as wanted.
func awaitStanding(t *testing.T, g *Group, changed <-chan struct{}, what string, ok func(Standing) bool) Standing {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		if now := g.Standing(); ok(now) {
			return now
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("nobody was told that %s: %+v", what, g.Standing())
		}
	}
}

func TestWhoFollowsIsToldOfEveryChangeOfLeader(t *testing.T) {
	c, a := three(t)
	b := c.nodes[1]
	fromA, stopA := a.Follow()
	defer stopA()
	fromB, stopB := b.Follow()
	defer stopB()
	other, stopOther := b.Follow()
	defer stopOther()

	before := awaitStanding(t, a.Group, fromA, "a leads", func(s Standing) bool { return s.Leads })
	if before.Leader != "a" || before.Term == 0 {
		t.Errorf("the leader stands as %+v", before)
	}
	awaitStanding(t, b.Group, fromB, "a leads", func(s Standing) bool { return !s.Leads && s.Leader == "a" && s.Term == before.Term })

	ok(t, a.TransferLeadership(b.ID()))
	after := awaitStanding(t, b.Group, fromB, "b leads", func(s Standing) bool { return s.Leads })
	if after.Leader != "b" || after.Term <= before.Term {
		t.Errorf("the new leader stands as %+v, the old one stood as %+v", after, before)
	}
	awaitStanding(t, b.Group, other, "b leads", func(s Standing) bool { return s.Leads })
	awaitStanding(t, a.Group, fromA, "b leads", func(s Standing) bool { return !s.Leads && s.Leader == "b" && s.Term == after.Term })
}

func TestALeaderThatIsClosedLeadsNoMore(t *testing.T) {
	n := single(t)
	n.lead()
	changed, stop := n.Follow()
	n.stop()
	awaitStanding(t, n.Group, changed, "it leads no more", func(s Standing) bool { return !s.Leads && s.Leader == "" })
	stop()
	if len(n.stand.followers) != 0 {
		t.Errorf("%d still follow", len(n.stand.followers))
	}
}
