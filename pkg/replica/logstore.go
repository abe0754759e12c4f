package replica

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/disk"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// backend is what a log is kept in: raft-wal, or memory.
type backend interface {
	raft.LogStore
	raft.StableStore
}

// logStore is the group's Raft log. It measures and watches every write, refuses to cut what a store has not flushed,
// keeps recent entries for followers, and ends the process when a write fails: what the disk then holds is unknown.
type logStore struct {
	backend
	name     string
	dir      string
	memory   bool
	files    *segmentFiles // nil: in memory, or a test's
	floor    func() uint64 // the highest index that may be cut
	fault    func(error)
	relapse  func() // Raft must be reopened: its idea of the last entry is wrong
	met      *metrics
	turns    *disk.Turns
	limit    int64         // bytes after which the log is to be cut
	full     chan struct{} // one slot: it is
	recent   recentLog
	writing  atomic.Int64 // wire.Clock when the write under way began; 0: none
	last     atomic.Uint64
	failed   atomic.Bool
	stopping atomic.Bool // errors are no faults any more
	starting atomic.Bool // Raft is being started: what cannot be read goes to unread
	unread   error       // owned by the goroutine that starts Raft

	mu    sync.Mutex
	marks []mark // where in the log its bytes are, oldest first
	grown int64  // bytes written since the last cut
	wipe  uint64 // the index of a snapshot just installed: Raft is about to remove all entries; 0: none
}

// openLog opens the log in dir, or one in memory.
func openLog(cfg *Config, met *metrics) (*logStore, error) {
	s := &logStore{name: cfg.Name, dir: cfg.Dir, memory: cfg.Memory, met: met, turns: cfg.Turns}
	if cfg.Memory {
		s.backend = raft.NewInmemStore()
		return s, nil
	}
	if cfg.vfs == nil {
		var err error
		if s.files, err = openSegmentFiles(cfg); err != nil {
			return nil, fmt.Errorf("open the folder of the Raft log of group %s: %w", cfg.Name, err)
		}
		own := *cfg
		own.vfs = s.files
		cfg = &own
	}
	w, err := openWAL(cfg)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the Raft log of group %s in %s: %w", cfg.Name, cfg.Dir, err), s.close())
	}
	s.backend = w
	first, err1 := w.FirstIndex()
	last, err2 := w.LastIndex()
	if err := errors.Join(err1, err2); err != nil {
		return nil, errors.Join(fmt.Errorf("read the bounds of the Raft log in %s: %w", cfg.Dir, err), s.close())
	}
	s.last.Store(last)
	if last > first {
		// How much an earlier process left is not known by entry; its files say roughly.
		s.grown = max(0, dirSize(cfg.Dir)-int64(cfg.SegmentSize))
	}
	return s, nil
}

// dirSize returns the bytes of the files in dir, 0 if it cannot be read.
func dirSize(dir string) (n int64) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil && !f.IsDir() {
			n += info.Size()
		}
	}
	return n
}

// IsMonotonic says that indexes in the log have no gaps, as raft-wal demands.
func (s *logStore) IsMonotonic() bool { return !s.memory }

// StoreLog appends one entry.
func (s *logStore) StoreLog(l *raft.Log) error { return s.StoreLogs([]*raft.Log{l}) }

// StoreLogs appends entries and returns when they are on disk. Any failure is a fault: it is not known what the disk holds.
func (s *logStore) StoreLogs(logs []*raft.Log) error {
	if len(logs) == 0 {
		return nil
	}
	if s.failed.Load() {
		return errFaulted
	}
	began := wire.Clock()
	s.writing.Store(began)
	s.turns.Begin()
	err := s.backend.StoreLogs(logs)
	s.turns.End()
	s.writing.Store(0)
	if err != nil {
		if !s.stopping.Load() {
			s.failed.Store(true)
			s.fault(fmt.Errorf("the Raft log of group %s cannot be written: %w; free space on its disk or replace it, then start again", s.name, err))
		}
		return err
	}
	if s.failed.Load() {
		return errFaulted // the watchdog gave up on this write
	}
	var n int64
	for _, l := range logs {
		n += int64(len(l.Data)) + 64
		s.recent.add(l)
	}
	s.last.Store(logs[len(logs)-1].Index)
	s.met.fsync.Observe(float64(wire.Clock()-began) / 1e9)
	s.met.logged.Add(uint64(n))
	s.mu.Lock()
	s.grown += n
	s.marks = addMark(s.marks, logs[0].Index, n)
	due := s.grown >= s.limit
	s.mu.Unlock()
	if due {
		select {
		case s.full <- struct{}{}:
		default:
		}
	}
	return nil
}

// due reports whether the log is to be cut.
func (s *logStore) due() bool { return s.growth() >= s.limit }

// growth returns how many bytes have been written since the last cut.
func (s *logStore) growth() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grown
}

// cutDone notes that the log was cut when its growth was n.
func (s *logStore) cutDone(n int64) {
	s.mu.Lock()
	s.grown -= n
	s.mu.Unlock()
}

// trailing returns how many of the last entries have the given bytes.
func (s *logStore) trailing(limit int64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return trailing(s.marks, s.last.Load(), limit)
}

// DeleteRange cuts the log: its head after a snapshot, its tail where it conflicts with the leader's, or all of it after a
// snapshot was installed.
func (s *logStore) DeleteRange(lo, hi uint64) error {
	first, err := s.backend.FirstIndex()
	if err != nil {
		return err
	}
	last, err := s.backend.LastIndex()
	if err != nil {
		return err
	}
	s.mu.Lock()
	installed := uint64(0)
	if lo <= first && hi >= last {
		installed, s.wipe = s.wipe, 0
	}
	s.mu.Unlock()
	floor := s.floor()
	switch {
	case installed != 0:
		s.recent.clear()
		if last > installed {
			// Raft still believes in the entries beyond the snapshot, which are gone now (hashicorp/raft#697).
			s.relapse()
		}
	case hi >= last && lo > floor:
		s.recent.clear()
	case hi >= last && lo > first:
		err := fmt.Errorf("group %s: the leader asks to remove entry %d, but this node has applied all up to %d: the nodes have diverged; empty this node's data folder and join it anew", s.name, lo, floor)
		s.failed.Store(true)
		s.fault(err)
		return err
	default:
		if hi = min(hi, floor); hi < lo {
			return nil
		}
	}
	if err := s.backend.DeleteRange(lo, hi); err != nil {
		return fmt.Errorf("cut the Raft log of group %s from %d to %d: %w", s.name, lo, hi, err)
	}
	if hi >= last {
		left, err := s.backend.LastIndex()
		if err != nil {
			return err
		}
		s.last.Store(left)
	}
	s.mu.Lock()
	if lo <= first {
		s.marks = cutHead(s.marks, hi)
	} else {
		s.marks = cutTail(s.marks, lo)
	}
	s.mu.Unlock()
	return nil
}

// installed notes that a snapshot up to index was installed: Raft will now remove all entries.
func (s *logStore) installed(index uint64) {
	if s.memory {
		return
	}
	s.mu.Lock()
	s.wipe = index
	s.mu.Unlock()
}

// stalled returns for how long the write under way has been going on.
func (s *logStore) stalled() time.Duration {
	if began := s.writing.Load(); began != 0 {
		return time.Duration(wire.Clock() - began)
	}
	return 0
}

// abandon makes every write fail from now on: the disk hangs, and what it will do with the write under way is unknown.
func (s *logStore) abandon() { s.failed.Store(true) }

// check compares the log with the stores before Raft starts, and repairs what an interrupted install leaves: entries that
// end before the stores do, or that contradict them.
func (s *logStore) check(index, term uint64, log *zap.Logger) error {
	first, err := s.backend.FirstIndex()
	if err != nil {
		return err
	}
	last, err := s.backend.LastIndex()
	if err != nil {
		return err
	}
	if last == 0 || index == 0 && first == 1 {
		return nil
	}
	if first > index+1 {
		return fmt.Errorf("the Raft log of group %s begins at entry %d but its stores end at %d: a store was emptied or set back; restore the whole data folder from a backup, or empty it and join the group anew", s.name, first, index)
	}
	stale := last < index
	if !stale && index >= first {
		var l raft.Log
		if err := s.read(index, &l); err != nil {
			return err
		}
		stale = l.Term != term
	}
	if !stale {
		return nil
	}
	log.Warn("the log ends before the installed snapshot and is emptied", zap.Uint64("first", first), zap.Uint64("last", last), zap.Uint64("snapshot", index))
	s.last.Store(0)
	return s.backend.DeleteRange(first, last)
}

// close closes the log's files.
func (s *logStore) close() error {
	s.stopping.Store(true)
	var err error
	if w, ok := s.backend.(*wal.WAL); ok {
		err = w.Close()
	}
	if s.files != nil {
		s.files.close()
	}
	return err
}
