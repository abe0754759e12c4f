package store

import (
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// fullness remembers how the disk was found, so that Full is cheap enough to be asked for each write.
type fullness struct {
	checked atomic.Int64 // when, in ns
	near    atomic.Bool  // little was left
	err     atomic.Pointer[wire.Error]
}

const (
	fullEvery = int64(time.Second)
	// soonFull is how often the disk is looked at while less than nearFull above the limit is free: a second of writing is
	// hundreds of megabytes.
	soonFull = int64(20 * time.Millisecond)
	nearFull = 1 << 30
	// leastFree is the least that must stay free on any disk: what is in tables when the disk is found full still has to be
	// flushed, each flush wants its reserve, and the Raft log on the same disk makes its files before it fills them.
	leastFree = flushReserve + 2*(maxQueue+1)*tableBytes + 64<<20
	// flushReserve is what must be free before a flush begins, beside twice what it writes: Badger writes through mapped
	// files, and a disk that fills up under them ends the process by a signal.
	flushReserve = 192 << 20
	// entryOverhead is what a key costs with Memory beside its bytes, roughly.
	entryOverhead = 160
)

// Full returns an error of code Full when the store can take no more writes, because the disk is nearly full or because
// MaxMemory is used up, and nil otherwise. Any goroutine may ask it for each write: the disk is looked at once a second,
// and more often when it is nearly full.
func (s *Store) Full() error {
	if s.opts.Memory {
		return s.fullMemory()
	}
	now := time.Now().UnixNano()
	last := s.full.checked.Load()
	every := fullEvery
	if s.full.near.Load() {
		every = soonFull
	}
	if now-last > every && s.full.checked.CompareAndSwap(last, now) {
		s.checkDisk()
	}
	if err := s.full.err.Load(); err != nil {
		return err
	}
	return nil
}

func (s *Store) fullMemory() error {
	used := s.MemoryUsed()
	if s.opts.Beside != nil {
		used += s.opts.Beside()
	}
	if used > s.opts.MaxMemory {
		return wire.Errorf(wire.Full, "the keys and values take %d bytes of memory, the limit is %d (-max-memory)", used, s.opts.MaxMemory)
	}
	return nil
}

// MemoryUsed returns the bytes that count against MaxMemory. Without Options.Memory they are those of the live table.
func (s *Store) MemoryUsed() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.live.live + int64(s.live.count())*entryOverhead
}

// checkDisk looks how much of the disk is free.
func (s *Store) checkDisk() {
	free, total, err := s.statfs()
	if err != nil {
		s.log.Warn("the free space of the disk is unknown", zap.String("dir", s.opts.Dir), zap.Error(err))
		return
	}
	need := s.opts.MinFree
	if need == 0 {
		need = max(min(max(defaultMinFree, total/20), total/10), leastFree)
	}
	s.full.near.Store(free < need+nearFull)
	if free >= need {
		s.full.err.Store(nil)
		return
	}
	s.full.err.Store(wire.Errorf(wire.Full, "the disk of %s has %d bytes free, %d must stay free: delete data or add space", s.opts.Dir, free, need))
}

func (s *Store) statfs() (free, total int64, err error) {
	if s.opts.hooks.statfs != nil {
		return s.opts.hooks.statfs()
	}
	return statfs(s.opts.Dir)
}

// roomOnDisk waits until the disk has room for a table's flush. It returns false when the store is closed meanwhile.
func (s *Store) roomOnDisk(t *table) bool {
	need := 2*t.live + flushReserve
	for warned := false; ; warned = true {
		free, _, err := s.statfs()
		if err != nil || free >= need {
			return true
		}
		if !warned {
			s.log.Error("the disk is full: waiting with a flush", zap.String("dir", s.opts.Dir), zap.Int64("free", free), zap.Int64("needed", need))
		}
		select {
		case <-s.quit:
			return false
		case <-time.After(time.Second):
		}
	}
}
