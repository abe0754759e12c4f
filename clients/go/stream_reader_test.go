package flin

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// newReading returns a reader named r that owns the partitions given.
func newReading(t *testing.T, s *fakeTopic, c *Client, partitions []int32, opts ...ReaderOption) *Reader {
	t.Helper()
	s.assign("r", partitions...)
	r, err := c.Stream.Reader("events", "g", append(opts, ConsumerName("r"))...)
	must(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// text reads n records and returns their values.
func text(t *testing.T, r *Reader, n int) (all string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range n {
		one, err := r.Read(ctx)
		must(t, err)
		all += string(one.Value)
	}
	return all
}

// committed returns when the offsets are committed.
func committed(t *testing.T, s *fakeTopic, want ...int64) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); fmt.Sprint(s.commits()) != fmt.Sprint(want); time.Sleep(time.Millisecond) { // nothing tells of it
		if time.Now().After(deadline) {
			t.Fatalf("%v are committed, not %v", s.commits(), want)
		}
	}
}

// settled returns when the reader has asked for more than it has, so that nothing is on its way.
func settled(s *fakeTopic) {
	for {
		s.mu.Lock()
		n := len(s.parked)
		s.mu.Unlock()
		if n > 0 {
			return
		}
		time.Sleep(time.Millisecond) // nothing tells of it
	}
}

func TestAReaderCommitsWhatTheProgramCameBackFor(t *testing.T) {
	s := newFakeTopic(t, 2)
	s.put(0, "a", "b", "c")
	r := newReading(t, s, connect(t, s.f.addr()), []int32{0, 1}, CommitEvery(time.Millisecond))
	if got := text(t, r, 2); got != "ab" {
		t.Errorf("%q", got)
	}
	committed(t, s, 1, 0)
	if got := text(t, r, 1); got != "c" {
		t.Errorf("%q", got)
	}
	committed(t, s, 2, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Read(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrCanceled) {
		t.Errorf("a read whose context has ended: %v", err)
	}
	committed(t, s, 3, 0)
	s.put(1, "d", "e", "f")
	list, err := r.ReadBatch(t.Context(), 10)
	must(t, err)
	for len(list) < 3 {
		more, err := r.ReadBatch(t.Context(), 10)
		must(t, err)
		list = append(list, more...)
	}
	must(t, r.Close())
	if got := s.commits(); got[1] >= 3 || s.members["r"] {
		t.Errorf("what was handed out last is committed: %v, or it is a member still", got)
	}
	if _, err := r.Read(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed reader: %v", err)
	}
	must(t, r.Close())
}

func TestAReaderThatIsClosedCommitsWhatItHasNotYet(t *testing.T) {
	s := newFakeTopic(t, 1)
	s.put(0, "a", "b")
	r := newReading(t, s, connect(t, s.f.addr()), []int32{0}, CommitEvery(time.Hour))
	text(t, r, 2)
	must(t, r.Close())
	if got := s.commits(); got[0] != 1 {
		t.Errorf("%v is committed", got)
	}
}

// What was read ahead of a partition that another member has got is not handed out, and not committed.
func TestAReaderDropsWhatItHasReadAheadOfALostPartition(t *testing.T) {
	s := newFakeTopic(t, 2)
	s.put(0, "a", "b", "c")
	s.put(1, "1", "2", "3")
	r := newReading(t, s, connect(t, s.f.addr()), []int32{0, 1}, CommitEvery(time.Millisecond))
	if got := text(t, r, 1); got != "a" {
		t.Errorf("%q", got)
	}
	settled(s)
	s.assign("r", 1)
	for len(r.Assignment().Partitions) != 1 {
		time.Sleep(time.Millisecond) // nothing tells of it
	}
	if got := text(t, r, 3); got != "123" {
		t.Errorf("then %q", got)
	}
	committed(t, s, 0, 2)
	s.assign("r", 0, 1)
	if got := text(t, r, 1); got != "3" && got != "a" { // both begin where they are committed
		t.Errorf("after it has come back %q", got)
	}
}

func TestAReaderThatWasTakenForDeadJoinsAnew(t *testing.T) {
	s := newFakeTopic(t, 1)
	s.put(0, "a", "b", "c")
	r := newReading(t, s, connect(t, s.f.addr()), []int32{0}, CommitEvery(time.Millisecond))
	text(t, r, 2)
	committed(t, s, 1)
	settled(s)
	s.mu.Lock()
	delete(s.members, "r")
	s.generation++
	s.wake()
	s.mu.Unlock()
	settled(s) // it has joined, and read ahead again
	if got := text(t, r, 2); got != "bc" {
		t.Errorf("%q", got)
	}
}

// A group that is moved back is not moved on by what was handed out before.
func TestAReaderFollowsItsGroupThatIsMoved(t *testing.T) {
	s := newFakeTopic(t, 1)
	s.put(0, "a", "b", "c")
	r := newReading(t, s, connect(t, s.f.addr()), []int32{0}, CommitEvery(time.Millisecond))
	text(t, r, 3)
	committed(t, s, 2)
	settled(s)
	s.mu.Lock()
	s.reset(0, 0)
	s.mu.Unlock()
	settled(s)
	if got := text(t, r, 1); got != "a" {
		t.Errorf("%q", got)
	}
	if got := s.commits(); got[0] != 0 {
		t.Errorf("%v is committed", got)
	}
	if got := text(t, r, 1); got != "b" {
		t.Errorf("then %q", got)
	}
	committed(t, s, 1)
}

func TestAProgramMayCommitByItself(t *testing.T) {
	s := newFakeTopic(t, 2)
	s.put(0, "a", "b", "c")
	r := newReading(t, s, connect(t, s.f.addr()), []int32{0}, ManualCommit())
	var list []Record
	for one, err := range r.Records(t.Context()) {
		must(t, err)
		if list = append(list, one); len(list) == 3 {
			break
		}
	}
	must(t, r.Commit(list[1], list[0]))
	committed(t, s, 2, 0)
	must(t, r.Commit(list[0])) // it is committed by now
	must(t, r.Commit())
	if got := s.commits(); got[0] != 2 {
		t.Errorf("%v is committed", got)
	}
	if err := r.Commit(list[2], Record{Partition: 1}); !errors.Is(err, ErrFenced) {
		t.Errorf("another's partition: %v", err)
	}
	committed(t, s, 3, 0)
	if err := r.Commit(Record{Partition: 0, Offset: 7}); !errors.Is(err, ErrFenced) {
		t.Errorf("what was not read: %v", err)
	}
	s.mu.Lock()
	s.hook = func(c *fakeConn, req *wire.Request) bool {
		if req.Op == wire.OpStreamCommit {
			s.t.Error("a reader whose program commits has committed")
		}
		return false
	}
	s.mu.Unlock()
	must(t, r.Close())
}

func TestAReaderEndsWhenItCannotGoOnAndWaitsWhileItMay(t *testing.T) {
	s := newFakeTopic(t, 1)
	s.put(0, "a")
	failures := []wire.Code{wire.Unavailable, wire.Busy, wire.NotLeader, wire.Unavailable, wire.Unavailable, wire.Unavailable, wire.Unavailable}
	s.hook = func(c *fakeConn, req *wire.Request) bool {
		if req.Op != wire.OpStreamConsume || len(failures) == 0 {
			return false
		}
		c.answer(req.Tag, wire.Failf(failures[0], "not now"))
		failures = failures[1:]
		return true
	}
	c := connect(t, s.f.addr())
	r := newReading(t, s, c, []int32{0})
	if got := text(t, r, 1); got != "a" {
		t.Errorf("%q", got)
	}
	settled(s)
	s.mu.Lock()
	s.hook = func(c *fakeConn, req *wire.Request) bool {
		if req.Op == wire.OpStreamConsume {
			c.answer(req.Tag, wire.Failf(wire.NotFound, "the topic is not there"))
		}
		return req.Op == wire.OpStreamConsume
	}
	s.generation++
	s.wake()
	s.mu.Unlock()
	if _, err := r.Read(t.Context()); !errors.Is(err, ErrNotFound) {
		t.Errorf("a topic that is gone: %v", err)
	}
	must(t, r.Close())

	other := newFakeTopic(t, 1)
	closing := connect(t, other.f.addr())
	waiting := newReading(t, other, closing, []int32{0})
	ended := make(chan error)
	go func() {
		_, err := waiting.Read(context.Background())
		ended <- err
	}()
	settled(other)
	must(t, closing.Close())
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Errorf("a client that is closed: %v", err)
	}
}
