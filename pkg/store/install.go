package store

import (
	"errors"
	"fmt"
	"io"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/store/internal/blob"
)

// Install replaces everything by a snapshot that WriteTo has written. Apply goroutine only, between entries. Views that
// are open go on with what they had. If it fails, or the process ends, before the switch, the store is as it was. Those
// who wait for a flush get an error.
func (s *Store) Install(r io.Reader) error {
	sr, err := newStreamReader(r)
	if err != nil {
		return err
	}
	if s.opts.Memory {
		return s.installMemory(sr)
	}
	s.flushMu.Lock()
	defer s.flushMu.Unlock()
	firstBlob := s.base.blobs.Next()
	g, err := s.newGeneration()
	if err != nil {
		return err
	}
	number := s.epochs[len(s.epochs)-1].number + 1
	m := &marker{number: number, ringFrom: number, pos: sr.pos}
	files, err := s.load(g, sr, number)
	if err == nil {
		m.keys, m.nextBlob = g.keys, s.base.blobs.Next()
		err = g.finish(m, files)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("installing a snapshot: %w", err), g.abandon(), s.dropBlobs(firstBlob))
	}
	if err := g.enforce(); err != nil {
		return err
	}
	s.switchTo(g, m, files)
	s.collect()
	s.log.Info("snapshot installed", zap.Uint64("index", m.pos.Index), zap.Int64("keys", g.keys))
	return s.step("installed")
}

// load fills a generation from a stream and makes it durable. The bodies go to blob files of their own.
func (s *Store) load(g *generation, sr *streamReader, number uint64) (map[uint32]fileRecord, error) {
	if err := s.base.blobs.Roll(); err != nil {
		return nil, err
	}
	files := make(map[uint32]fileRecord)
	sync := func() error {
		lengths, err := s.base.blobs.Sync()
		for _, l := range lengths {
			files[l.File] = fileRecord{size: l.Size}
		}
		return err
	}
	var buf []byte
	unsynced := 0
	for {
		key, v, ok, err := sr.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if len(v.Body) <= maxInline {
			buf = appendInline(buf[:0], v.Head, v.Body)
		} else {
			p, err := s.base.blobs.Append(key, v.Body)
			if err != nil {
				return nil, err
			}
			buf = appendPointer(buf[:0], v.Head, p)
			if unsynced += len(v.Body); unsynced >= blob.MaxFile {
				unsynced = 0
				if err := sync(); err != nil {
					return nil, err
				}
			}
		}
		if err := g.put(key, buf, number); err != nil {
			return nil, err
		}
	}
	if err := sync(); err != nil {
		return nil, err
	}
	if err := s.step("install read"); err != nil {
		return nil, err
	}
	return files, g.filled()
}

// switchTo puts an installed generation in force. Under flushMu.
func (s *Store) switchTo(g *generation, m *marker, files map[uint32]fileRecord) {
	s.space.replace(files, m)
	s.mu.Lock()
	old := s.cur
	s.base = g.base(m)
	s.reclaiming = reclaiming{}
	for _, t := range append(s.queue, s.live) {
		t.finish(errSuperseded)
	}
	s.queue = nil
	s.live = newTable()
	s.dirty, s.want = false, false
	s.applied = m.pos
	s.installs++
	s.fillEpoch++
	s.begin(&epoch{base: s.base, number: m.number, pos: m.pos})
	s.cache.reset()
	s.room.Broadcast()
	s.mu.Unlock()
	old.release()
}

// errSuperseded is what a wait for a flush ends with when a snapshot was installed instead.
var errSuperseded = errors.New("the flush was dropped: a snapshot was installed")

// dropBlobs removes the blob files from a number on, which a failed install has left.
func (s *Store) dropBlobs(from uint32) error {
	err := s.base.blobs.Roll()
	for no := from; no < s.base.blobs.Next(); no++ {
		err = errors.Join(err, s.base.blobs.Remove(no))
	}
	if _, serr := s.base.blobs.Sync(); serr != nil {
		err = errors.Join(err, serr)
	}
	return err
}

// installMemory is Install where the table is the store.
func (s *Store) installMemory(sr *streamReader) error {
	t := newTable()
	sl := slab{seed: s.seed, single: true}
	for {
		key, v, ok, err := sr.next()
		if err != nil {
			return fmt.Errorf("installing a snapshot: %w", err)
		}
		if !ok {
			break
		}
		t.keep(sl.new(key, v.Head, v.Body, false))
	}
	s.mu.Lock()
	s.live = t
	s.applied = sr.pos
	s.installs++
	s.dirty = false
	s.room.Broadcast()
	s.mu.Unlock()
	return nil
}
