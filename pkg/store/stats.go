package store

import (
	"time"

	"github.com/VictoriaMetrics/fastcache"
)

// Stats are figures of a store, for INFO and metrics.
type Stats struct {
	TableBytes   int64 // of keys and values in the live table and in those that wait for their flush
	TableKeys    int64
	TablesQueued int // that wait or are being flushed
	Flushes      uint64
	FlushTime    time.Duration // of all flushes together
	Keys         int64         // estimate of living keys on disk; exact with Memory
	Tombstones   int64         // estimate of deletions that are still on disk
	BlobFiles    int
	BlobLive     int64   // estimate of bytes in blob files that are pointed to
	BlobDead     int64   // estimate of those that are not
	LevelBytes   []int64 // of Badger's levels
	CacheHits    uint64
	CacheMisses  uint64
	CacheBytes   int64 // memory that the read cache takes
	OpenViews    int   // references to finished flushes, of views and of reads in progress
}

// Stats returns the figures of this moment. It takes locks and is meant for a call in some seconds, not for each request.
func (s *Store) Stats() Stats {
	var st Stats
	s.mu.RLock()
	for _, t := range append([]*table{s.live}, s.queue...) {
		st.TableBytes += t.live
		st.TableKeys += int64(t.count())
	}
	st.TablesQueued = len(s.queue)
	st.OpenViews = int(s.cur.refs.Load()) - 1
	ep := s.cur.acquire()
	s.mu.RUnlock()
	defer ep.release()
	if s.opts.Memory {
		st.Keys = st.TableKeys
		return st
	}
	st.Flushes = s.counts.flushes.Load()
	st.FlushTime = time.Duration(s.counts.nanos.Load())
	sp := s.space
	st.Keys, st.Tombstones = sp.estimates()
	st.BlobFiles, st.BlobLive, st.BlobDead = sp.sums()
	for _, l := range ep.base.db.Levels() {
		st.LevelBytes = append(st.LevelBytes, l.Size)
	}
	var cs fastcache.Stats
	s.cache.c.UpdateStats(&cs)
	st.CacheHits = cs.GetCalls - cs.Misses
	st.CacheMisses = cs.Misses
	st.CacheBytes = int64(cs.BytesSize)
	return st
}
