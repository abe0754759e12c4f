package store

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/dgraph-io/badger/v4"
	"go.uber.org/zap"
)

const (
	// rebuildTombs is how many tombstones there must be at least before a rebuild pays.
	rebuildTombs = 200_000
	rebuildAgain = 10 * time.Minute // after one that failed
	rebuildSmall = 2_000            // changed keys that are few enough for the last round
	rebuildMost  = 10               // rounds before the last one comes anyhow
)

var errSwitched = errors.New("a snapshot was installed meanwhile")

// considerRebuild starts a rebuild when tombstones outnumber the living. Under flushMu.
func (s *Store) considerRebuild() {
	keys, tombs := s.space.estimates()
	if tombs < rebuildTombs || tombs < keys || time.Now().Before(s.rebuildNot) || s.rebuilding.Swap(true) {
		return
	}
	s.rebuildNot = time.Now().Add(rebuildAgain)
	s.workers.Go(func() {
		defer s.rebuilding.Store(false)
		if err := s.rebuild(); err != nil && !errors.Is(err, ErrClosed) {
			s.log.Warn("a rebuild of the key tree did not come to its end; it will be tried again", zap.Error(err))
		}
	})
}

// rebuild copies the living keys into a new generation and puts that in force: the only way in which tombstones go. Blob
// files stay. Flushes go on meanwhile; what they change is copied in rounds, the last of them under flushMu.
func (s *Store) rebuild() (err error) {
	s.mu.RLock()
	from := s.cur.acquire()
	s.mu.RUnlock()
	defer func() { from.release() }()
	startKeys, _ := s.space.estimates()
	start := time.Now()
	g, err := s.newGeneration()
	if err != nil {
		return err
	}
	switched := false
	defer func() {
		if err != nil && !switched {
			err = errors.Join(err, g.abandon())
		}
	}()
	if err := s.copyLiving(g, from); err != nil {
		return err
	}
	tombs := int64(0)
	for range rebuildMost {
		s.mu.RLock()
		to := s.cur.acquire()
		s.mu.RUnlock()
		n, dead, err := s.copyChanges(g, from, to)
		from.release()
		from = to
		if err != nil {
			return err
		}
		tombs += dead
		if n <= rebuildSmall {
			break
		}
	}
	s.flushMu.Lock()
	defer s.flushMu.Unlock()
	cur := s.epochs[len(s.epochs)-1]
	_, dead, err := s.copyChanges(g, from, cur)
	if err != nil {
		return err
	}
	nowKeys, _ := s.space.estimates()
	s.space.reset(max(0, g.keys+nowKeys-startKeys), tombs+dead)
	// The number is a new one: two epochs of one number would not say which generation they mean.
	m := &marker{number: cur.number + 1, ringFrom: cur.number + 1, nextBlob: s.base.blobs.Next(), pos: cur.pos}
	m.keys, m.tombs = s.space.estimates()
	if err := g.finish(m, s.space.records()); err != nil {
		return err
	}
	switched = true
	if err := g.enforce(); err != nil {
		return err
	}
	s.mu.Lock()
	s.base = g.base(m)
	s.begin(&epoch{base: s.base, number: m.number, pos: m.pos})
	s.mu.Unlock()
	cur.release()
	from.release()
	from = s.cur.acquire() // given back by the deferred call
	s.collect()
	s.log.Info("key tree rebuilt", zap.Int64("keys", m.keys), zap.Duration("took", time.Since(start)))
	return s.step("rebuilt")
}

// copyLiving fills a generation with the keys that live at an epoch.
func (s *Store) copyLiving(g *generation, at *epoch) error {
	c := newDiskCursor(at, nil, nil, false, 0)
	defer c.close()
	var it item
	var buf []byte
	for ; c.valid(); c.next() {
		living, err := c.load(&it)
		if err != nil {
			return err
		}
		if !living {
			continue
		}
		buf = it.r.append(buf[:0])
		if err := g.put(it.key, buf, at.number); err != nil {
			return err
		}
		if g.keys%4096 == 0 {
			if err := s.onward(); err != nil {
				return err
			}
		}
	}
	if err := s.step("rebuild copied"); err != nil {
		return err
	}
	return g.filled()
}

// onward says whether background work may go on.
func (s *Store) onward() error {
	if s.closed.Load() || s.failed.Load() {
		return ErrClosed
	}
	return nil
}

// copyChanges brings a generation from one epoch to a later one. It returns how many keys had changed, and how many
// tombstones that took.
func (s *Store) copyChanges(g *generation, from, to *epoch) (n int, tombs int64, err error) {
	if from.base != to.base {
		return 0, 0, errSwitched
	}
	if from.number == to.number {
		return 0, 0, nil
	}
	c := newDiskCursor(to, nil, nil, false, from.number)
	defer c.close()
	txn := g.db.NewTransactionAt(math.MaxUint64, true)
	defer func() { txn.Discard() }()
	var it item
	for ; c.valid(); c.next() {
		living, err := c.load(&it)
		if err != nil {
			return n, tombs, err
		}
		n++
		key := appendUserKey(nil, it.key)
		if !living {
			there, err := readMeta(g.db, key, math.MaxUint64)
			if err != nil {
				return n, tombs, err
			}
			if there == nil {
				continue
			}
			tombs++
		}
		value := it.r.append(nil)
		err = txn.Set(key, value)
		if errors.Is(err, badger.ErrTxnTooBig) {
			if err = txn.CommitAt(to.number, nil); err == nil {
				txn = g.db.NewTransactionAt(math.MaxUint64, true)
				err = txn.Set(key, value)
			}
		}
		if err == nil {
			err = s.onward()
		}
		if err != nil {
			return n, tombs, fmt.Errorf("copying changed keys: %w", err)
		}
	}
	if err := txn.CommitAt(to.number, nil); err != nil {
		return n, tombs, fmt.Errorf("copying changed keys: %w", err)
	}
	return n, tombs, nil
}
