package flin

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// turns lets the fake tell which turns are asked for.
func (s *fakeTopic) turnsOf(also func(c *fakeConn, req *wire.Request) bool) *[]uint64 {
	turns := new([]uint64)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = func(c *fakeConn, req *wire.Request) bool {
		if req.Op == wire.OpStreamConsume {
			var m wire.StreamConsume
			s.check(m.Decode(req.Body))
			*turns = append(*turns, m.Turn)
		}
		return also(c, req)
	}
	return turns
}

// Who has not subscribed a consumer does not count its consumes, and does not repeat one whose records are gone.
func TestAClientCountsTheConsumesOfItsOwnMembersAlone(t *testing.T) {
	s := newFakeTopic(t, 1)
	s.put(0, "a", "b")
	owner, other := connect(t, s.f.addr()).Stream, connect(t, s.f.addr()).Stream
	s.assign("c", 0)
	must(t, owner.Subscribe("events", "g", "c"))
	lose := false
	turns := s.turnsOf(func(c *fakeConn, req *wire.Request) bool {
		if lose && req.Op == wire.OpStreamConsume {
			_ = c.nc.Close()
			return true
		}
		return false
	})
	for _, st := range []*Stream{owner, other} {
		if list, err := st.Consume("events", "g", "c", 1); err != nil || len(list) != 1 {
			t.Errorf("%d records, %v", len(list), err)
		}
	}
	s.mu.Lock()
	lose = true
	s.mu.Unlock()
	if _, err := other.Consume("events", "g", "c", 1); !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("an answer that was lost: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if fmt.Sprint(*turns) != "[1 0 0]" {
		t.Errorf("turns %v", *turns)
	}
	if n := len(other.client.members.all); n != 0 {
		t.Errorf("%d members are known that were merely tried", n)
	}
}

// One that could not leave is a member still: its next consume has the next turn. But nobody says that it is alive.
func TestAMemberThatCouldNotLeaveCountsOn(t *testing.T) {
	s := newFakeTopic(t, 1)
	s.put(0, "a", "b", "c")
	st := connect(t, s.f.addr(), func(o *Options) { o.Retries = 0 }).Stream
	s.assign("c", 0)
	must(t, st.Subscribe("events", "g", "c", SessionTimeout(15*time.Millisecond)))
	refuse := true
	turns := s.turnsOf(func(c *fakeConn, req *wire.Request) bool {
		if refuse && req.Op == wire.OpStreamUnsubscribe {
			c.answer(req.Tag, wire.Failf(wire.Unavailable, "not now"))
			return true
		}
		return false
	})
	consume := func() {
		t.Helper()
		_, err := st.Consume("events", "g", "c", 1)
		must(t, err)
	}
	consume()
	if err := st.Unsubscribe("events", "g", "c"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("unsubscribe: %v", err)
	}
	consume()
	for st.client.members.alive() {
		time.Sleep(time.Millisecond) // nothing tells of it
	}
	s.mu.Lock()
	refuse = false
	s.mu.Unlock()
	must(t, st.Unsubscribe("", "g", "c"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if fmt.Sprint(*turns) != "[1 2]" {
		t.Errorf("turns %v", *turns)
	}
	if n := len(st.client.members.all); n != 0 {
		t.Errorf("%d members are known after all have left", n)
	}
}

// An answer that cannot be read is as one that was lost.
func TestAConsumeWhoseAnswerIsDamagedIsAskedForAgain(t *testing.T) {
	s := newFakeTopic(t, 1)
	s.put(0, "a")
	st := connect(t, s.f.addr()).Stream
	s.assign("c", 0)
	must(t, st.Subscribe("events", "g", "c"))
	damage := true
	turns := s.turnsOf(func(c *fakeConn, req *wire.Request) bool {
		if damage && req.Op == wire.OpStreamConsume {
			c.answer(req.Tag, wire.Response{Num: 1, Body: []byte{1, 2, 3}})
			return true
		}
		return false
	})
	if _, err := st.Consume("events", "g", "c", 1); !errors.Is(err, ErrInternal) {
		t.Errorf("a damaged answer: %v", err)
	}
	s.mu.Lock()
	damage = false
	s.mu.Unlock()
	if list, err := st.Consume("events", "g", "c", 1); err != nil || len(list) != 1 {
		t.Errorf("%d records, %v", len(list), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if fmt.Sprint(*turns) != "[1 1]" {
		t.Errorf("turns %v", *turns)
	}
}

func TestWhoHasConsumedAPartitionLast(t *testing.T) {
	s := newMembers(nil)
	a, b := memberKey{"t", "g", "a"}, memberKey{"t", "g", "b"}
	of := func(generation uint64) *consumed {
		return &consumed{generation: generation, spans: []span{{partition: 3}}}
	}
	is := func(want stand) {
		t.Helper()
		if got := s.stand("t", "g", 3); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	s.consumed(a, of(5))
	s.consumed(b, of(4)) // its answer came late
	is(stand{"a", 5})
	s.consumed(b, of(6))
	is(stand{"b", 6})
	s.consumed(b, of(2)) // the group was made anew
	is(stand{"b", 2})
	now := time.Now()
	s.left(b, now)
	is(stand{"b", 2}) // so that what it commits late is refused
	s.left(a, now.Add(2*remembered))
	is(stand{})
}
