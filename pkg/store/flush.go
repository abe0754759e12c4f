package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/disk"
)

// counts are figures for Stats.
type counts struct {
	flushes atomic.Uint64
	nanos   atomic.Int64
}

// errStopped is how a test's hook ends work as a crash would.
var errStopped = errors.New("stopped by a test")

// step tells a test that a step has been done.
func (s *Store) step(name string) error {
	if s.opts.hooks.step == nil {
		return nil
	}
	return s.opts.hooks.step(name)
}

// runFlusher is the goroutine that carries tables to disk, one after another, and cleans up between them.
func (s *Store) runFlusher() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for flushes := 0; ; {
		t, wait := s.next(time.Now())
		var err error
		if t != nil && flushes < reclaimEvery {
			if !s.roomOnDisk(t) {
				return
			}
			flushes++
			err = s.flush(t)
		} else {
			flushes = 0
			err = s.tidy()
		}
		if err != nil {
			if errors.Is(err, errStopped) {
				s.stop(err)
			} else {
				s.fault(err)
			}
			return
		}
		if t != nil {
			continue
		}
		if wait == 0 {
			wait = tidyEvery
		}
		if rest := s.rest(); rest > 0 {
			wait = min(wait, rest)
		}
		timer.Reset(wait)
		select {
		case <-s.quit:
			return
		case <-s.kick:
		case <-timer.C:
		}
	}
}

// flush carries a rotated table to disk: blob files, then one transaction with the marker. It is atomic: after a crash at
// any point the store is as it was before, or as it is after.
func (s *Store) flush(t *table) error {
	s.flushMu.Lock()
	defer s.flushMu.Unlock()
	s.mu.RLock()
	gone := len(s.queue) == 0 || s.queue[0] != t
	s.mu.RUnlock()
	if gone {
		return nil // an install has dropped it
	}
	start := time.Now()
	w := s.newWriter(t.end)
	if err := w.putTable(t); err != nil {
		return err
	}
	if err := w.commit(); err != nil {
		return err
	}
	s.mu.Lock()
	s.fillEpoch++
	s.mu.Unlock()
	s.cache.renew(t)
	s.publish(w.epoch(), t)
	s.counts.flushes.Add(1)
	s.counts.nanos.Add(int64(time.Since(start)))
	s.log.Debug("flushed", zap.Uint64("flush", w.m.number), zap.Int("keys", t.count()), zap.Int64("bytes", t.live),
		zap.Duration("took", time.Since(start)))
	s.collect()
	return s.step("published")
}

// publish lets readers see a finished flush, and drops its table in the same moment. Under flushMu.
func (s *Store) publish(e *epoch, t *table) {
	s.mu.Lock()
	old := s.cur
	s.begin(e)
	if t != nil {
		s.queue = slices.Delete(slices.Clone(s.queue), 0, 1)
		t.finish(nil)
		s.room.Broadcast()
	}
	s.mu.Unlock()
	old.release()
}

// listTree lists what a power cut could forget of a key tree's folder: the numbers of its .mem files in order, and the
// names of all files that hold data.
func listTree(dir string) (mems []uint64, names string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, "", fmt.Errorf("listing the key tree: %w", err)
	}
	var b strings.Builder
	for _, e := range entries {
		switch filepath.Ext(e.Name()) {
		case ".mem":
			id, err := strconv.ParseUint(strings.TrimSuffix(e.Name(), ".mem"), 10, 64)
			if err != nil {
				continue
			}
			mems = append(mems, id)
		case ".sst":
		default:
			continue
		}
		b.WriteString(e.Name())
		b.WriteByte('/')
	}
	slices.Sort(mems)
	return mems, b.String(), nil
}

// noteFiles makes the names of new files durable, which Badger leaves to chance, and notes which flush began which .mem.
func (b *base) noteFiles(number uint64) error {
	mems, names, err := listTree(b.dir)
	if err != nil {
		return err
	}
	if names == b.names {
		return nil
	}
	if err := disk.SyncDir(b.dir); err != nil {
		return err
	}
	b.names = names
	known := b.mems
	b.mems = nil
	for _, id := range mems {
		since := number
		for _, f := range known {
			if f.id == id {
				since = f.since
			}
		}
		b.mems = append(b.mems, memFile{id: id, since: since})
	}
	return nil
}
