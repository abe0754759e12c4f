package store

import "time"

// Advance says that everything up to p is committed. It is called by the apply goroutine after each log entry; it may
// rotate the table, and waits while the flusher is too far behind.
func (s *Store) Advance(p Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied = p
	s.dirty = false
	if s.opts.Memory {
		s.room.Broadcast()
		return
	}
	if !s.due() {
		return
	}
	for len(s.queue) >= maxQueue && !s.stopped {
		s.room.Wait()
	}
	if s.due() && !s.stopped {
		s.rotate()
	}
}

// due says whether the live table has to go. Under mu.
func (s *Store) due() bool {
	t := s.live
	if t.count() == 0 {
		return false
	}
	return s.want || t.written >= s.limits.bytes || t.lsmBytes >= s.limits.lsmBytes || t.count() >= s.limits.lsmCount
}

// rotate makes the live table one that waits for its flush. Under mu, when it is not dirty.
func (s *Store) rotate() {
	s.want = false
	s.live.end = s.applied
	s.queue = append(s.queue, s.live)
	s.live = newTable()
	s.wake()
}

// Rotate asks for a flush of everything up to the last Advance, of its position alone if there are no writes, and returns
// a channel that is closed when that is durable, or gives the error that ended it. Apply goroutine only, between entries.
func (s *Store) Rotate() (done <-chan error) {
	ch := make(chan error, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopped:
		ch <- ErrClosed
		close(ch)
	case s.opts.Memory:
		close(ch)
	case s.live.count() == 0 && len(s.queue) == 0 && samePlace(s.applied, s.cur.pos):
		close(ch)
	case s.live.count() == 0 && len(s.queue) > 0 && samePlace(s.applied, s.queue[len(s.queue)-1].end):
		t := s.queue[len(s.queue)-1]
		t.done = append(t.done, ch)
	default:
		s.live.done = append(s.live.done, ch)
		s.rotate()
	}
	return ch
}

// samePlace compares what an Advance can change.
func samePlace(a, b Position) bool {
	return a.Index == b.Index && a.Term == b.Term && a.Revision == b.Revision && a.Time == b.Time && a.ConfIndex == b.ConfIndex
}

// finish tells those who wait for the table. Under mu.
func (t *table) finish(err error) {
	for _, ch := range t.done {
		if err != nil {
			ch <- err
		}
		close(ch)
	}
	t.done = nil
}

// next returns the table to flush, after rotating one that is old enough, or nil and how long to wait for the next look
// (0: until somebody wakes the flusher).
func (s *Store) next(now time.Time) (*table, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, 0
	}
	if len(s.queue) > 0 {
		return s.queue[0], 0
	}
	if s.live.count() == 0 {
		return nil, 0
	}
	if wait := s.live.first.Add(s.opts.idleTime()).Sub(now); wait > 0 {
		return nil, wait
	}
	if s.dirty {
		s.want = true // Advance comes soon
		return nil, 0
	}
	s.rotate()
	return s.queue[0], 0
}
