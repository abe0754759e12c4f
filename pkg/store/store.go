package store

import (
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// ErrClosed is what waits for a flush ends with when the store is closed before it.
var ErrClosed = errors.New("the store is closed")

// Store keeps the keys of one engine. See the package's comment for who may call what.
//
// Its state has three owners: mu guards what readers see; flushMu is held by whoever changes the disk (the flusher for a
// flush or a piece of blob reclaim, the apply goroutine for an install, the rebuilder for its last round); the rest
// belongs to the apply goroutine.
type Store struct {
	opts Options
	log  *zap.Logger
	seed maphash.Seed
	lock *os.File // held as long as the store is open

	// mu guards what readers see. It is held for a command's inserts, a rotation and the end of a flush, never for I/O.
	mu        sync.RWMutex
	room      *sync.Cond // of mu: the queue got shorter, or the store stopped
	live      *table
	queue     []*table // rotated, oldest first; the first may be being flushed
	cur       *epoch   // what the last finished flush left
	applied   Position // of the last Advance
	dirty     bool     // live has writes of an entry that Advance has not come to
	want      bool     // the next Advance should rotate
	stopped   bool     // Close was called, or a fault ended it
	fillEpoch uint64   // moves when a flush begins to renew the cache
	installs  uint64   // how often a snapshot has replaced everything

	batch Batch
	cache *cache // nil with Memory

	// flushMu guards the disk side below. Taken before mu.
	flushMu sync.Mutex
	base    *base
	epochs  []*epoch // those that may still be held, oldest first; the last is cur
	space   *space   // has a lock of its own; the pointer never changes
	limits  limits

	reclaiming reclaiming // under flushMu
	rechecked  time.Time  // under flushMu
	trimmed    time.Time  // under flushMu
	recheckAt  uint32     // under flushMu
	rebuildNot time.Time  // no rebuild before; under flushMu
	rebuilding atomic.Bool

	memTable       int64 // of Badger, as stamped
	nextGeneration atomic.Int64

	kick    chan struct{} // something for the flusher to look at
	quit    chan struct{}
	workers sync.WaitGroup
	failed  atomic.Bool
	closed  atomic.Bool
	full    fullness
	counts  counts
}

// limits are when a table is rotated, of Badger's bounds for one transaction.
type limits struct {
	bytes    int64 // of entries
	lsmBytes int64
	lsmCount int
}

// Rotation leaves room for one more log entry of many small commands. An entry that needs more makes a flush of several
// transactions, which is dearer at a crash but as atomic.
const (
	tableBytes = 64 << 20
	lsmReserve = 1536 << 10
	maxEntries = 48_000
	maxQueue   = 2 // tables that wait or are being flushed before apply has to wait
)

// Open opens the store in o.Dir, or makes one there, and brings it to the position of its last flush. A folder of a newer
// format, one that another process has open, and one that is damaged are refused with a message that names them.
func Open(o Options) (*Store, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &Store{
		opts: o,
		log:  o.Log,
		seed: maphash.MakeSeed(),
		live: newTable(),
		kick: make(chan struct{}, 1),
		quit: make(chan struct{}),
	}
	s.room = sync.NewCond(&s.mu)
	s.batch = Batch{s: s, slab: slab{seed: s.seed, single: o.Memory}}
	if o.Memory {
		s.cur = &epoch{idle: func() {}}
		s.cur.acquire()
		return s, nil
	}
	if err := s.recover(); err != nil {
		return nil, err
	}
	s.cache = newCache(o.CacheSize)
	s.workers.Go(s.runFlusher)
	return s, nil
}

// Durable returns the position of the last finished flush: zero for a fresh store.
func (s *Store) Durable() Position {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.cur.pos
}

// Applied returns the position of the last Advance.
func (s *Store) Applied() Position {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.applied
}

// Installs returns how often a snapshot has replaced everything since the store was opened. Who keeps in memory what the store
// holds, and renews that only after Install, finds by it whether a view fits what is kept. Any goroutine may call it.
func (s *Store) Installs() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.installs
}

// wake makes the flusher look around.
func (s *Store) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// fault ends the store: nothing is flushed any more, and the process is told to end.
func (s *Store) fault(err error) {
	if s.failed.Swap(true) {
		return
	}
	s.log.Error("disk fault: the process must end", zap.String("dir", s.opts.Dir), zap.Error(err))
	s.stop(fmt.Errorf("the store had a disk fault: %w", err))
	s.opts.OnFault(err)
}

// stop wakes everybody who waits for a flush.
func (s *Store) stop(err error) {
	s.mu.Lock()
	s.stopped = true
	for _, t := range append(s.queue, s.live) {
		t.finish(err)
	}
	s.room.Broadcast()
	s.mu.Unlock()
}

// closeWait is how long Close waits for views that were left open.
const closeWait = 5 * time.Second

// Close stops the store when the flush in progress has ended. What is in tables only is not lost: the log has it. Reads
// must have ended and views be closed; if they are not after some seconds, Close says so and leaves their files open.
func (s *Store) Close() error {
	s.stop(ErrClosed)
	if s.closed.Swap(true) || s.opts.Memory {
		return nil
	}
	close(s.quit)
	s.workers.Wait()
	s.flushMu.Lock()
	defer s.flushMu.Unlock()
	s.cur.release()
	deadline := time.Now().Add(closeWait)
	for s.collect(); len(s.epochs) > 0; s.collect() {
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("store: %d views were still open at Close", len(s.epochs)), s.lock.Close())
		}
		select {
		case <-s.kick:
		case <-time.After(closeWait / 50):
		}
	}
	s.cache.reset()
	return errors.Join(s.base.blobs.Close(), s.lock.Close())
}
