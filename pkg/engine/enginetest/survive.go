package enginetest

import (
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Survives writes and reads while one step after the other happens to an engine, or to what lies before it. It checks that
// nothing is lost that was answered, nothing takes effect that was refused, or again behind what came after it, and ordered
// requests keep their order; and that behind each step all is served again.
func Survives(t *testing.T, spec Spec, e engine.Engine, steps ...func()) {
	t.Helper()
	s := &suite{spec: &spec, e: e}
	s.prepare(t)
	var wg sync.WaitGroup
	defer wg.Wait() // a step may end the test
	for i, step := range steps {
		begun, ended := make(chan struct{}), make(chan struct{})
		wg.Go(func() {
			defer close(ended)
			s.round(t, func() { close(begun) })
		})
		select {
		case <-begun:
			step()
			<-ended
		case <-ended:
		}
		for end := time.Now().Add(patience); !t.Failed() && !s.round(t, func() {}); {
			if time.Now().After(end) {
				t.Fatalf("%v behind step %d not all requests are served", patience, i)
			}
		}
	}
}

// pairs is how many writes, and reads behind them, a round sends.
const pairs = 300

// round sends ordered writes, with an ordered read behind each, checks what came of them, and reports whether all were served. It
// calls begun when some of them are under way.
func (s *suite) round(t *testing.T, begun func()) (clean bool) {
	c := NewClient(t)
	c.Once = true
	first := s.count + 1
	s.count += pairs
	for i := range pairs {
		w, r := s.spec.Write(first+i), s.spec.Read()
		w.Tag, r.Tag = uint64(2*i), uint64(2*i+1)
		w.Flags, r.Flags = wire.FlagOrdered, wire.FlagOrdered
		s.e.Submit(w, c)
		s.e.Submit(r, c)
		if i == pairs/3 {
			begun()
		}
		// A read that waits for no leader sets the pace, so that more come while others are on their way, or on it again.
		pace := s.spec.Read()
		pace.Flags = wire.FlagStale
		ask(t, s.e, pace)
	}
	clean = true
	unknown := map[int]bool{} // of them it was answered that they may have been executed
	for i := range pairs {
		write, read := c.last(uint64(2*i)), c.last(uint64(2*i+1))
		clean = s.writes(t, first+i, &write, unknown) && clean
		clean = s.reads(t, &read, unknown) && clean
	}
	// What was refused must not come about later.
	for end := time.Now().Add(patience); !clean; {
		resp := ask(t, s.e, s.spec.Read())
		if s.reads(t, &resp, unknown) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("for %v no read was served; the last was answered %v: %s", patience, resp.Code, resp.Body)
		}
	}
	return clean
}

// writes notes what became of the write of n, and reports whether it was served.
func (s *suite) writes(t *testing.T, n int, resp *wire.Response, unknown map[int]bool) (served bool) {
	t.Helper()
	switch resp.Code {
	case wire.OK:
		s.sure = n
		return true
	case wire.OutcomeUnknown:
		unknown[n] = true
	case wire.NotLeader, wire.Unavailable, wire.Busy, wire.Timeout:
	default:
		t.Errorf("a write was answered %v: %s", resp.Code, resp.Body)
	}
	return false
}

// reads reports whether a read was served, and checks what it found: the last number that was acknowledged, or one behind it
// of those that may have been executed; then that was.
func (s *suite) reads(t *testing.T, resp *wire.Response, unknown map[int]bool) (served bool) {
	t.Helper()
	switch resp.Code {
	case wire.OK, wire.NotFound:
	case wire.NotLeader, wire.Unavailable, wire.Busy, wire.Timeout:
		return false
	default:
		t.Errorf("a read was answered %v: %s", resp.Code, resp.Body)
		return false
	}
	n := s.found(t, resp)
	if n != s.sure && (n < s.sure || !unknown[n]) {
		t.Errorf("a read found %d; the last number that was acknowledged before it is %d, and it is not known of %v", n, s.sure, unknown)
	}
	s.sure = max(s.sure, n)
	return true
}
