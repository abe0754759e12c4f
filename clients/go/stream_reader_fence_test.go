package flin

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// dealtWith says that the program has come back for more than it was handed out, and gets nothing.
func dealtWith(t *testing.T, r *Reader) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.comeBack()
}

// holds returns when the reader has read so many records ahead.
func holds(t *testing.T, r *Reader, n int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) { // nothing tells of it
		r.mu.Lock()
		held := len(r.ahead)
		r.mu.Unlock()
		if held == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d records are read ahead, not %d", held, n)
		}
	}
}

// deaf lets a consumer hear nothing more of its group: neither its consumes nor its signs of life are answered. It is called before what
// it is not to hear of.
func (s *fakeTopic) deaf(consumer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parked = nil
	s.hook = func(_ *fakeConn, req *wire.Request) bool {
		var c wire.StreamConsume
		var m wire.StreamMember
		switch req.Op {
		case wire.OpStreamConsume:
			s.check(c.Decode(req.Body))
			return string(c.Consumer) == consumer
		case wire.OpStreamHeartbeat:
			s.check(m.Decode(req.Body))
			return string(m.Consumer) == consumer
		}
		return false
	}
}

// Two readers of one client are two members: one does not commit what the other has.
func TestAReaderCommitsInItsOwnNameAlone(t *testing.T) {
	s := newFakeTopic(t, 1)
	s.put(0, "a", "b", "c")
	c := connect(t, s.f.addr())
	first := newReading(t, s, c, []int32{0}, CommitEvery(time.Hour))
	text(t, first, 3)
	dealtWith(t, first)
	settled(s)
	s.deaf("r")
	s.assign("q", 0)
	second, err := c.Stream.Reader("events", "g", ConsumerName("q"), CommitEvery(time.Hour))
	must(t, err)
	t.Cleanup(func() { _ = second.Close() })
	if got := text(t, second, 2); got != "ab" {
		t.Errorf("the second got %q", got)
	}
	if err := first.commitDone(c.Stream); !errors.Is(err, ErrFenced) {
		t.Errorf("who has lost the partition commits: %v", err)
	}
	committed(t, s, 0)
	dealtWith(t, second)
	must(t, second.commitDone(c.Stream))
	committed(t, s, 2)
}

// What was read before a reset does not undo it, even when the reader has learned already which generation it is.
func TestAReaderDoesNotUndoAReset(t *testing.T) {
	s := newFakeTopic(t, 1)
	s.put(0, "a", "b", "c")
	c := connect(t, s.f.addr())
	r := newReading(t, s, c, []int32{0}, CommitEvery(time.Hour))
	text(t, r, 3)
	dealtWith(t, r)
	settled(s)
	asks := make(chan struct{}, 1)
	release := make(chan struct{})
	s.mu.Lock()
	s.hook = func(fc *fakeConn, req *wire.Request) bool {
		if req.Op != wire.OpStreamHeartbeat {
			return false
		}
		select { // between the new generation and what came with it
		case asks <- struct{}{}:
			tag, resp := req.Tag, s.assignment("r")
			go func() {
				<-release
				fc.answer(tag, resp)
			}()
			return true
		default:
			return false
		}
	}
	s.reset(0, 0)
	s.mu.Unlock()
	<-asks
	if err := r.commitDone(c.Stream); !errors.Is(err, ErrFenced) {
		t.Errorf("what was read before the reset is committed: %v", err)
	}
	close(release)
	committed(t, s, 0)
	if got := text(t, r, 3); got != "abc" {
		t.Errorf("after the reset %q", got)
	}
}

// A partition that was another's and came back at the very offset is not the same: what was read before is not committed, what comes
// then is.
func TestAReaderThatGetsAPartitionBackCommitsWhatItReadsThen(t *testing.T) {
	s := newFakeTopic(t, 1)
	s.put(0, "a", "b")
	c := connect(t, s.f.addr())
	r := newReading(t, s, c, []int32{0}, CommitEvery(time.Hour))
	text(t, r, 1)
	dealtWith(t, r)
	settled(s)
	s.mu.Lock()
	s.reset(0, 2)
	s.mu.Unlock()
	s.put(0, "c")
	holds(t, r, 2)
	if err := r.commitDone(c.Stream); !errors.Is(err, ErrFenced) {
		t.Errorf("what another has dealt with is committed: %v", err)
	}
	committed(t, s, 2)
	if got := text(t, r, 2); got != "bc" {
		t.Errorf("%q", got)
	}
	dealtWith(t, r)
	must(t, r.commitDone(c.Stream))
	committed(t, s, 3)
}

func TestAProgramDoesNotCommitWhatItGotBeforeAReset(t *testing.T) {
	s := newFakeTopic(t, 1)
	s.put(0, "a", "b", "c")
	r := newReading(t, s, connect(t, s.f.addr()), []int32{0}, ManualCommit())
	list, err := r.ReadBatch(t.Context(), 3)
	must(t, err)
	for len(list) < 3 {
		more, err := r.ReadBatch(t.Context(), 3)
		must(t, err)
		list = append(list, more...)
	}
	settled(s)
	s.mu.Lock()
	s.reset(0, 0)
	s.mu.Unlock()
	settled(s) // it has read ahead again
	if err := r.Commit(list[2]); !errors.Is(err, ErrFenced) {
		t.Errorf("what came before the reset: %v", err)
	}
	committed(t, s, 0)
	one, err := r.Read(t.Context())
	must(t, err)
	must(t, r.Commit(one))
	committed(t, s, 1)
}

// What was handed out of a partition that was lost does not count when it has come back.
func TestWhatWasHandedOutByAnEarlierMembershipIsNotDealtWith(t *testing.T) {
	s := newFakeTopic(t, 1)
	s.put(0, "a", "b", "c")
	c := connect(t, s.f.addr())
	r := newReading(t, s, c, []int32{0}, CommitEvery(time.Hour))
	text(t, r, 3)
	settled(s)
	s.deaf("r")
	r.own(Assignment{Generation: 2, Partitions: []int{0}}) // it has joined anew, and not consumed
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = r.Read(ctx) // comes back for more
	must(t, r.commitDone(c.Stream))
	if got := s.commits(); got[0] != 0 {
		t.Errorf("%v is committed", got)
	}
}

// Retention takes what the program has not been handed out, but what was read ahead is there still.
func TestAReaderThatRetentionHasOvertakenHandsOutWhatItHas(t *testing.T) {
	s := newFakeTopic(t, 1)
	s.put(0, "a", "b", "c", "d", "e", "f")
	r := newReading(t, s, connect(t, s.f.addr()), []int32{0}, MaxRecords(2), CommitEvery(time.Millisecond))
	holds(t, r, 4)
	s.mu.Lock()
	s.parts[0].start = 5
	s.mu.Unlock()
	if got := text(t, r, 2); got != "ab" {
		t.Errorf("%q", got)
	}
	holds(t, r, 3) // it has read on
	if got := text(t, r, 3); got != "cdf" {
		t.Errorf("then %q", got)
	}
	committed(t, s, 4)
}

// A program that takes a record now and then is not removed for not consuming, however much was read ahead.
func TestAReaderThatHasEnoughAheadConsumesAsLongAsTheProgramReads(t *testing.T) {
	s := newFakeTopic(t, 1)
	s.put(0, "a", "b", "c", "d", "e", "f", "g", "h", "i")
	r := newReading(t, s, connect(t, s.f.addr()), []int32{0}, MaxRecords(3), MaxPoll(30*time.Millisecond))
	consumes := func(n int) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); s.f.count(wire.OpStreamConsume) < n; time.Sleep(time.Millisecond) { // nothing tells of it
			if time.Now().After(deadline) {
				t.Fatalf("%d consumes, not %d", s.f.count(wire.OpStreamConsume), n)
			}
		}
	}
	consumes(2)
	got := text(t, r, 1)
	consumes(3)
	got += text(t, r, 1)
	consumes(4)
	if got += text(t, r, 7); got != "abcdefghi" {
		t.Errorf("%q", got)
	}
}
