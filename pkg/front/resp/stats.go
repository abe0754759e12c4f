package resp

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	lookupStripes = 16
	maxErrorKinds = 128 // kinds of errors that are counted by name; the rest counts as one
)

// stats are the figures of INFO and of the metrics.
type stats struct {
	calls    []atomic.Uint64 // by command.index
	lookups  [lookupStripes]lookups
	accepted atomic.Uint64 // connections so far
	blocked  atomic.Int64  // connections whose command waits for a message

	invalidations atomic.Uint64 // messages to clients that track keys

	mu     sync.Mutex        // guards errors
	errors map[string]uint64 // by the first word
}

// lookups counts how often a key that was asked for was there. There are several, each on cache lines of its own, so
// that connections do not wait for each other.
type lookups struct {
	hits, misses atomic.Uint64
	_            [112]byte
}

func (s *stats) init(t *commands) {
	s.calls = make([]atomic.Uint64, len(t.all))
	s.errors = make(map[string]uint64)
}

// reset sets to zero what CONFIG RESETSTAT does.
func (s *stats) reset() {
	for i := range s.calls {
		s.calls[i].Store(0)
	}
	for i := range s.lookups {
		s.lookups[i].hits.Store(0)
		s.lookups[i].misses.Store(0)
	}
	s.accepted.Store(0)
	s.mu.Lock()
	clear(s.errors)
	s.mu.Unlock()
}

// failed counts an error by its first word.
func (s *stats) failed(text string) {
	kind, _, _ := strings.Cut(text, " ")
	s.mu.Lock()
	if _, ok := s.errors[kind]; !ok && len(s.errors) >= maxErrorKinds {
		kind = "OTHER"
	}
	s.errors[kind]++
	s.mu.Unlock()
}

// failures returns a copy of the count of errors by kind, and their sum.
func (s *stats) failures() (byKind map[string]uint64, total uint64) {
	s.mu.Lock()
	byKind = maps.Clone(s.errors)
	s.mu.Unlock()
	for _, n := range byKind {
		total += n
	}
	return byKind, total
}

// processed returns how many commands were run.
func (s *stats) processed() (n uint64) {
	for i := range s.calls {
		n += s.calls[i].Load()
	}
	return n
}

// keyspace returns how many lookups found a key and how many did not.
func (s *stats) keyspace() (hits, misses uint64) {
	for i := range s.lookups {
		hits += s.lookups[i].hits.Load()
		misses += s.lookups[i].misses.Load()
	}
	return hits, misses
}

func (c *conn) hit()    { c.s.stats.lookups[c.link.ID()%lookupStripes].hits.Add(1) }
func (c *conn) missed() { c.s.stats.lookups[c.link.ID()%lookupStripes].misses.Add(1) }
