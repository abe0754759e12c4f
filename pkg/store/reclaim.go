package store

import (
	"os"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/store/internal/blob"
)

const (
	tidyEvery    = 2 * time.Second  // between looks at what can be given up, when nothing else happens
	recheckEvery = 10 * time.Second // between rechecks of a blob file
	reclaimPiece = 2 << 20          // bytes of a blob file that are gone over under flushMu at a time
	reclaimEvery = 4                // flushes after which a piece is due although tables wait
	reclaimHurry = 384 << 20        // dead bytes beyond the living ones above which reclaim does not rest
)

// collect gives up what nobody holds any more: epochs, retired blob files, generations. Under flushMu.
func (s *Store) collect() {
	var gone []*base
	s.epochs = slices.DeleteFunc(s.epochs, func(e *epoch) bool {
		if e.refs.Load() > 0 {
			return false
		}
		gone = append(gone, e.base)
		return true
	})
	held := func(b *base) bool {
		return slices.ContainsFunc(s.epochs, func(e *epoch) bool { return e.base == b })
	}
	for i, b := range gone {
		if slices.Index(gone, b) == i && !held(b) {
			s.closeBase(b)
		}
	}
	if len(s.epochs) == 0 {
		return
	}
	low := s.epochs[0].number
	if held(s.base) {
		s.base.db.SetDiscardTs(s.oldest())
	}
	for _, no := range s.space.unlinkable(low) {
		if err := s.base.blobs.Remove(no); err != nil {
			s.log.Warn("a dead blob file could not be removed", zap.Error(err))
		}
		s.space.forget(no)
	}
}

// oldest is the oldest flush of the base in force that is still held.
func (s *Store) oldest() uint64 {
	for _, e := range s.epochs {
		if e.base == s.base {
			return e.number
		}
	}
	return s.epochs[len(s.epochs)-1].number
}

// closeBase closes a generation, and removes it if it is not the one in force.
func (s *Store) closeBase(b *base) {
	if err := b.db.Close(); err != nil {
		s.log.Error("closing a key tree", zap.String("dir", b.dir), zap.Error(err))
	}
	if b == s.base {
		return
	}
	if err := os.RemoveAll(b.dir); err != nil {
		s.log.Warn("an old generation could not be removed", zap.String("dir", b.dir), zap.Error(err))
	}
}

// reclaiming is where the rewriting of a blob file has come to.
type reclaiming struct {
	file uint32 // 0: none
	off  int64
	next time.Time // tidy goes over no piece before
}

// tidy does the flusher's other work while no table waits: it gives up what nobody holds, goes over half-dead blob files,
// rechecks one, and starts a rebuild when tombstones outnumber the living.
func (s *Store) tidy() error {
	s.flushMu.Lock()
	defer s.flushMu.Unlock()
	s.collect()
	now := time.Now()
	if now.Sub(s.trimmed) >= tidyEvery {
		s.trimmed = now
		s.trim()
	}
	if s.opts.hooks.manual {
		return nil
	}
	if now.Sub(s.rechecked) >= recheckEvery {
		s.rechecked = now
		if err := s.recheckNext(); err != nil {
			return err
		}
	}
	s.considerRebuild()
	if now.Before(s.reclaiming.next) {
		return nil
	}
	return s.reclaim()
}

// recheckNext rechecks the blob files in turn.
func (s *Store) recheckNext() error {
	var nos []uint32
	s.space.mu.Lock()
	for no := range s.space.files {
		nos = append(nos, no)
	}
	s.space.mu.Unlock()
	if len(nos) == 0 {
		return nil
	}
	slices.Sort(nos)
	i, _ := slices.BinarySearch(nos, s.recheckAt+1)
	s.recheckAt = nos[i%len(nos)]
	return s.recheck(s.recheckAt)
}

// pause is how long reclaim rests after a piece that took d. It shares the processor and the disk with those who are served,
// so it takes an eighth of them, half when there is much to reclaim, and all when there is too much.
func (s *Store) pause(d time.Duration) time.Duration {
	_, living, dead := s.space.sums()
	switch {
	case dead > living+reclaimHurry:
		return 0
	case dead > living/2+reclaimHurry/2:
		return d
	}
	return 7 * d
}

// rest is how long it is until reclaim may go on, not positive if it may now or has nothing to do.
func (s *Store) rest() time.Duration {
	s.flushMu.Lock()
	defer s.flushMu.Unlock()
	return time.Until(s.reclaiming.next)
}

// reclaim goes over one piece of a blob file that is at least half dead: what is still pointed to is appended elsewhere,
// and its pointers are changed by a flush of their own. After the last piece the file is retired. Under flushMu.
func (s *Store) reclaim() error {
	g := &s.reclaiming
	start := time.Now()
	if g.file == 0 {
		no, ok := s.space.worst(s.base.blobs.Active())
		if !ok {
			return nil
		}
		g.file, g.off = no, blob.First
	}
	ep := s.epochs[len(s.epochs)-1]
	w := s.newWriter(ep.pos)
	moved := 0
	next, end, err := s.base.blobs.Walk(g.file, g.off, reclaimPiece, func(key, body []byte, p blob.Pointer) error {
		return ep.lookup(key, func(r *record) error {
			if r.kind != kindPointer || r.ptr != p {
				return nil
			}
			moved++
			to, err := w.base.blobs.Append(key, body)
			if err != nil {
				return err
			}
			return w.set(key, 2+len(r.head)+maxPointer, func(b []byte) []byte { return appendPointer(b, r.head, to) })
		})
	})
	if isCorrupt(err) {
		s.log.Error("a half-dead blob file cannot be rewritten", zap.Error(err))
		s.space.mu.Lock()
		s.space.files[g.file].broken = true
		s.space.mu.Unlock()
		end, err = false, nil
		g.file = 0
	}
	if err != nil {
		return err
	}
	if end {
		w.gone = append(w.gone, g.file)
		g.file = 0
	} else if g.file != 0 {
		g.off = next
	}
	if rest := s.pause(time.Since(start)); rest > 0 {
		g.next = start.Add(time.Since(start) + rest)
	} else {
		s.wake() // there may be more
	}
	if moved == 0 && !end {
		return nil
	}
	if err := w.commit(); err != nil {
		return err
	}
	s.publish(w.epoch(), nil)
	s.collect()
	return s.step("reclaimed")
}
