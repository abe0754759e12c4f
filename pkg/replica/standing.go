package replica

import (
	"sync"
	"sync/atomic"
)

// standing is what this node is in its group. Raft's notifications, the apply goroutine and membership changes write it;
// requests read the two atomics.
type standing struct {
	mu       sync.Mutex
	term     uint64 // in which this node leads, 0: it does not
	own      uint64 // the newest term of which this process has applied an entry of its own
	alone    bool   // the group has this one voter and nobody else
	yielding bool   // leadership is being given away or the group is changing: no reads
	leader   string // server id of the leader as far as known

	ready atomic.Bool // leads, and an entry of its own term has been applied
	local atomic.Bool // ready and alone: a local read is linearizable
	woken func()      // called, without the lock, when ready may have changed

	followers map[chan struct{}]struct{} // told of every change; under mu
}

// update changes the standing under its lock and derives the atomics.
func (s *standing) update(change func()) {
	s.mu.Lock()
	change()
	ready := s.term != 0 && s.own >= s.term && !s.yielding
	s.ready.Store(ready)
	s.local.Store(ready && s.alone)
	for f := range s.followers {
		select {
		case f <- struct{}{}:
		default: // it has not taken the last one, and looks at what is now when it does
		}
	}
	s.mu.Unlock()
	s.woken()
}

// applied notes that an entry of this process from the given term has been applied.
func (s *standing) applied(term uint64) {
	s.mu.Lock()
	news := term > s.own
	s.mu.Unlock()
	if news {
		s.update(func() { s.own = max(s.own, term) })
	}
}

// leads returns the term in which this node leads and is ready, 0 if it does not.
func (s *standing) leads() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own < s.term || s.yielding {
		return 0
	}
	return s.term
}

// elsewhere returns who leads, if that is another node.
func (s *standing) elsewhere(self string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.term != 0 || s.leader == self {
		return ""
	}
	return s.leader
}
