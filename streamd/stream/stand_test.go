package stream

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/streamd/stream/internal/fsm"
)

// turnOf is a consume of member c of group g that owns partition 0, as a coordinator sees it.
func turnOf(turn, order uint64) *call {
	c := &call{owned: []fsm.Owned{{Partition: 0, Since: 1, Committed: wire.OffsetEarliest}}}
	c.op, c.order = wire.OpStreamConsume, order
	c.consume = wire.StreamConsume{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("c"), Count: 10, Turn: turn}
	return c
}

// stage is a coordinator whose one member has subscribed with revision 1.
type stage struct {
	*coordinator
	t  *testing.T
	ms fsm.Membership
}

func newStage(t *testing.T) *stage {
	return &stage{newCoordinator(func() int64 { return 0 }), t, fsm.Membership{Generation: 1, Joined: 1, Begun: 1, Session: 1, Poll: 1}}
}

func (s *stage) enters(c *call, want verdict) {
	s.t.Helper()
	v, stray := s.enter(c, 1, &s.ms)
	if v != want || stray != nil {
		s.t.Fatalf("a consume that enters is told %d (%v), not %d", v, stray, want)
	}
}

func TestAConsumeThatEndsBeforeItsTurnPassesItOn(t *testing.T) {
	for name, end := range map[string]func(s *stage, c *call) *call{
		"outdated": func(s *stage, c *call) *call {
			s.enters(c, outdated)
			return s.leave(c)
		},
		"withdrawn": func(s *stage, c *call) *call { return s.leave(c) },
		"of an earlier subscription": func(s *stage, c *call) *call {
			s.ms.Begun++
			s.enters(c, outdated)
			s.ms.Begun--
			return s.leave(c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			first, second, third := turnOf(5, 1), turnOf(5, 2), turnOf(5, 3)
			s.enters(first, proceed)
			s.enters(second, behind)
			s.enters(third, behind)
			if next := s.pass(first); next != second {
				t.Fatal("the second has not the turn after the first")
			}
			s.leave(first)
			if next := end(s, second); next != third {
				t.Fatal("the third has not the turn that the second did not take")
			}
			s.enters(third, proceed)
			if next := s.pass(third); next != nil {
				t.Fatal("somebody has the turn after the last")
			}
			s.leave(third)
			if x := s.find([]byte("g"), []byte("c")); x.active != 0 {
				t.Errorf("%d consumes are counted when none is left", x.active)
			}
		})
	}
}

func TestAConsumeThatIsOvertakenKeepsNoTurn(t *testing.T) {
	s := newStage(t)
	first, second, third := turnOf(0, 0), turnOf(0, 0), turnOf(0, 0)
	s.enters(first, proceed)
	s.enters(second, behind)
	if s.pass(first) != second {
		t.Fatal("the second has not the turn")
	}
	s.enters(third, proceed) // it came before the second took its turn
	s.enters(second, behind)
	if next := s.leave(second); next != nil {
		t.Fatal("who waits behind the third has passed its turn on")
	}
	if next := s.pass(third); next != second {
		t.Fatal("the second has not the turn after the third")
	}
}

func TestASeekWhileAConsumeReadsIsNotUndone(t *testing.T) {
	s := newStage(t)
	c := turnOf(1, 1)
	s.enters(c, proceed)
	s.place(1, []byte("t"), []byte("g"), []byte("c"), &s.ms, 0, position{since: 1, offset: 7})
	c.plan[0].to = 150
	s.move(c)
	s.pass(c)
	s.leave(c)
	next := turnOf(2, 2)
	s.enters(next, proceed)
	if from := next.plan[0].from; from != 7 {
		t.Errorf("the next consume begins at %d, and the member was put at 7", from)
	}
}
