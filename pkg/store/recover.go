package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/dgraph-io/badger/v4"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/disk"
	"github.com/skshohagmiah/flin/pkg/store/internal/blob"
)

// recover opens what is in the folder, or makes a store there.
func (s *Store) recover() (err error) {
	if err := os.MkdirAll(s.opts.Dir, 0o750); err != nil {
		return fmt.Errorf("creating the store's folder: %w", err)
	}
	lock := filepath.Join(s.opts.Dir, lockName)
	if s.lock, err = disk.Lock(lock); err != nil {
		return fmt.Errorf("locking the store with %s: %w; stop it, or choose another folder (-data)", lock, err)
	}
	var db *badger.DB
	defer func() {
		if err == nil {
			return
		}
		if db != nil {
			err = errors.Join(err, db.Close())
		}
		err = errors.Join(err, s.lock.Close())
	}()
	st, fresh, err := s.choose()
	if err != nil {
		return err
	}
	dir := filepath.Join(s.opts.Dir, st.generation)
	var mems []uint64
	if db = fresh; db == nil {
		if mems, _, err = listTree(dir); err != nil { // before Badger opens them and makes others
			return err
		}
		if db, err = openBadger(dir, st.memTable, s.log); err != nil {
			return err
		}
	}
	m, err := readMarker(db, dir)
	if err != nil {
		return err
	}
	if err := checkNumbers(db, dir, m, mems); err != nil {
		return err
	}
	if m, err = s.undo(db, dir, m); err != nil {
		return err
	}
	files, err := readFiles(db, m.number)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	lengths := make(map[uint32]int64, len(files))
	for no, f := range files {
		lengths[no] = f.size
	}
	blobs, err := blob.Open(filepath.Join(s.opts.Dir, blobsName), lengths)
	if err != nil {
		return fmt.Errorf("%w; restore the store from a replica or a backup", err)
	}
	blobs.StartAt(m.nextBlob)
	blobs.SetTurns(s.opts.Turns)
	if s.opts.hooks.blobFile > 0 {
		blobs.SetMaxFile(s.opts.hooks.blobFile)
	}
	s.base = &base{dir: dir, db: db, blobs: blobs, ringFrom: m.ringFrom, mems: m.mems}
	s.memTable = st.memTable
	var generation int64
	if _, err := fmt.Sscanf(st.generation, "g%06d", &generation); err != nil {
		return fmt.Errorf("%s names generation %q, which is not one", filepath.Join(s.opts.Dir, currentName), st.generation)
	}
	s.nextGeneration.Store(generation + 1)
	s.space = newSpace(files, m.keys, m.tombs)
	s.limits = limits{
		bytes:    tableBytes,
		lsmBytes: db.MaxBatchSize() - min(lsmReserve, db.MaxBatchSize()/5),
		lsmCount: min(maxEntries, int(db.MaxBatchCount())/2),
	}
	s.begin(&epoch{base: s.base, number: m.number, pos: m.pos})
	s.applied = m.pos
	db.SetDiscardTs(m.number)
	s.trim()
	s.log.Info("store opened", zap.String("dir", dir), zap.Uint64("flush", m.number), zap.Uint64("index", m.pos.Index),
		zap.Int("blob_files", len(files)))
	return nil
}

// begin makes an epoch the current one. Under mu, or before anybody else knows the store.
func (s *Store) begin(e *epoch) {
	e.idle = s.wake
	e.acquire()
	s.cur = e
	s.epochs = append(s.epochs, e)
}

// choose finds the generation to open, makes the first one where there is none, which it returns open, and removes what
// interrupted work left.
func (s *Store) choose() (*stamp, *badger.DB, error) {
	dir := s.opts.Dir
	st, err := readStamp(dir)
	if err != nil {
		return nil, nil, err
	}
	ready, left, err := generations(dir)
	if err != nil {
		return nil, nil, err
	}
	want := memTableSize
	if s.opts.hooks.memTable > 0 {
		want = s.opts.hooks.memTable
	}
	fresh := false
	var was stamp
	if st != nil {
		was = *st
	}
	switch {
	case st != nil && !slices.Contains(ready, st.generation):
		return nil, nil, fmt.Errorf("%s names %s, which is missing or incomplete: restore the store from a replica or a backup",
			filepath.Join(dir, currentName), st.generation)
	case st != nil:
		for _, name := range ready {
			if name != st.generation {
				left = append(left, name)
			}
		}
		// Never lowered: what a crash left in a larger .mem file would not fit.
		st.memTable = max(st.memTable, int64(want))
	case len(ready) > 1:
		return nil, nil, fmt.Errorf("%s is missing, and %d generations are there: restore the store from a replica or a backup",
			filepath.Join(dir, currentName), len(ready))
	case len(ready) == 1: // killed before the first CURRENT was written
		st = &stamp{memTable: int64(want), generation: ready[0]}
	default:
		st = &stamp{memTable: int64(want), generation: generationName(1)}
		fresh = true
	}
	for _, name := range left {
		s.log.Info("removing what interrupted work left", zap.String("folder", filepath.Join(dir, name)))
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return nil, nil, fmt.Errorf("removing an incomplete generation: %w", err)
		}
	}
	if !fresh && was == *st {
		return st, nil, nil
	}
	if !fresh {
		return st, nil, writeStamp(dir, st)
	}
	db, err := s.create(st)
	if err != nil {
		return nil, nil, err
	}
	if err := writeStamp(dir, st); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return st, db, nil
}

// create makes the first generation: a store at position zero.
func (s *Store) create(st *stamp) (*badger.DB, error) {
	dir := filepath.Join(s.opts.Dir, st.generation)
	if err := os.Mkdir(dir, 0o750); err != nil {
		return nil, fmt.Errorf("creating the key tree: %w", err)
	}
	db, err := openBadger(dir, st.memTable, s.log)
	if err != nil {
		return nil, err
	}
	err = commitMarker(db, &marker{number: 1, ringFrom: 1, nextBlob: 1})
	if err == nil {
		err = finishGeneration(dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("creating the key tree in %s: %w", dir, err), db.Close())
	}
	return db, nil
}

// finishGeneration says that everything in a generation is durable and complete.
func finishGeneration(dir string) error {
	if err := disk.WriteFile(filepath.Join(dir, readyName), []byte("complete\n")); err != nil {
		return fmt.Errorf("marking a generation as complete: %w", err)
	}
	return disk.SyncDir(filepath.Dir(dir))
}

// commitMarker commits a flush that has nothing but its marker.
func commitMarker(db *badger.DB, m *marker) error {
	txn := db.NewTransactionAt(m.number, true)
	defer txn.Discard()
	if err := putMarker(txn, m); err != nil {
		return err
	}
	if err := txn.CommitAt(m.number, nil); err != nil {
		return fmt.Errorf("committing a marker: %w", err)
	}
	return nil
}

// putMarker adds the marker, the flush's number, and that nothing is half done.
func putMarker(txn *badger.Txn, m *marker) error {
	if err := txn.Set(ringKey(m.number), binary.LittleEndian.AppendUint64(nil, m.number)); err != nil {
		return fmt.Errorf("writing the flush's number: %w", err)
	}
	if err := txn.Set(intentKey, binary.LittleEndian.AppendUint64(nil, 0)); err != nil {
		return fmt.Errorf("writing the flush's intent: %w", err)
	}
	if err := txn.Set(markerKey, m.encode()); err != nil {
		return fmt.Errorf("writing the marker: %w", err)
	}
	return nil
}

func readMeta(db *badger.DB, key []byte, at uint64) ([]byte, error) {
	txn := db.NewTransactionAt(at, false)
	defer txn.Discard()
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key tree: %w", err)
	}
	b, err := item.ValueCopy(nil)
	if err != nil {
		return nil, fmt.Errorf("reading the key tree: %w", err)
	}
	return b, nil
}

func readMarker(db *badger.DB, dir string) (*marker, error) {
	b, err := readMeta(db, markerKey, math.MaxUint64)
	if err == nil && b == nil {
		err = errors.New("the marker is missing")
	}
	var m *marker
	if err == nil {
		m, err = parseMarker(b)
	}
	if err != nil {
		return nil, fmt.Errorf("the store in %s cannot be read: %w; restore it from a replica or a backup", dir, err)
	}
	return m, nil
}

// checkNumbers looks for flushes that are missing below the marker: a damaged .mem file is cut by Badger without a word,
// and what follows it in newer files would hide the hole.
func checkNumbers(db *badger.DB, dir string, m *marker, mems []uint64) error {
	from := m.number // a .mem file that the marker does not know of was made by its flush or after
	for _, f := range m.mems {
		if len(mems) > 0 && f.id == mems[0] {
			from = max(f.since, m.ringFrom)
		}
	}
	if m.number >= ringSize {
		from = max(from, m.number-ringSize+1)
	}
	txn := db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: ringPrefix})
	defer it.Close()
	seen := uint64(0)
	first := ringPrefix
	if from%ringSize <= m.number%ringSize {
		first = ringKey(from)
	}
	for it.Seek(first); it.Valid() && seen < m.number-from+1; it.Next() {
		var n uint64
		if err := it.Item().Value(func(b []byte) error {
			if len(b) != 8 {
				return errors.New("a flush's number cannot be read")
			}
			n = binary.LittleEndian.Uint64(b)
			return nil
		}); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		if n >= from && n <= m.number {
			seen++
		}
	}
	if want := m.number - from + 1; seen != want {
		return fmt.Errorf("%d of the last %d flushes are missing in %s: a file there is damaged; restore the store from a replica or a backup",
			want-seen, want, dir)
	}
	return nil
}

// readFiles returns what is recorded of the blob files that exist.
func readFiles(db *badger.DB, at uint64) (map[uint32]fileRecord, error) {
	txn := db.NewTransactionAt(at, false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: filePrefix})
	defer it.Close()
	files := make(map[uint32]fileRecord)
	for it.Rewind(); it.Valid(); it.Next() {
		key := it.Item().Key()
		if len(key) != len(filePrefix)+4 {
			return nil, errors.New("the record of a blob file has a wrong key")
		}
		no := binary.BigEndian.Uint32(key[len(filePrefix):])
		if err := it.Item().Value(func(b []byte) error {
			f, ok, err := parseFileRecord(b)
			if ok {
				files[no] = f
			}
			return err
		}); err != nil {
			return nil, fmt.Errorf("reading the records of blob files: %w", err)
		}
	}
	return files, nil
}
