package enginetest

import (
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// feed makes what one waiting request waits for.
func (s *suite) feed(t *testing.T) {
	t.Helper()
	if resp := ask(t, s.e, s.spec.Feed()); resp.Code != wire.OK {
		t.Fatalf("what ends a wait was answered %v: %s", resp.Code, resp.Body)
	}
	s.fed++
}

// fetched checks that a request which waited got something.
func fetched(t *testing.T, resp *wire.Response) {
	t.Helper()
	if resp.Code != wire.OK || resp.Num == 0 {
		t.Errorf("what a request waited for is there, and it was answered %v with %d: %s", resp.Code, resp.Num, resp.Body)
	}
}

func (s *suite) wait(t *testing.T) {
	c := NewClient(t)
	req := s.spec.Wait(s.fed)
	req.Tag = 1
	s.e.Submit(req, c)
	s.write(t) // others go on meanwhile
	if all := c.Answered(); len(all) != 0 {
		t.Errorf("it was answered before there was something: %+v", c.last(1))
	}
	s.feed(t)
	resp := c.last(1)
	fetched(t, &resp)
	// What is there already is not waited for.
	before := s.fed
	s.feed(t)
	resp = ask(t, s.e, s.spec.Wait(before))
	fetched(t, &resp)
}

func (s *suite) waitInVain(t *testing.T) {
	req := s.spec.Wait(s.fed)
	req.Deadline = wire.DeadlineAfter(20 * time.Millisecond)
	resp := ask(t, s.e, req)
	// With peers it may not have been known until then whether this node leads: Unavailable.
	unserved := resp.Code == wire.Timeout || resp.Code == wire.Empty || resp.Code == wire.Unavailable
	if !unserved && (resp.Code != wire.OK || resp.Num != 0) {
		t.Errorf("it was answered %v with %d: %s", resp.Code, resp.Num, resp.Body)
	}
}

func (s *suite) endWait(t *testing.T) {
	c := NewClient(t)
	const waits = 20
	for i := range waits {
		req := s.spec.Wait(s.fed)
		req.Tag = uint64(i + 1)
		s.e.Submit(req, c)
		if i%2 == 0 {
			s.e.Cancel(c, req.Tag) // perhaps before it waits
		}
	}
	s.write(t)
	for i := range waits {
		s.e.Cancel(c, uint64(i+1))
	}
	for i := range waits {
		if resp := c.last(uint64(i + 1)); resp.Code != wire.Canceled {
			t.Errorf("request %d, which was withdrawn, was answered %v: %s", i+1, resp.Code, resp.Body)
		}
	}
	// None of them takes what comes after.
	before := s.fed
	s.feed(t)
	resp := ask(t, s.e, s.spec.Wait(before))
	fetched(t, &resp)
}
