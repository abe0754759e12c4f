package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/dgraph-io/badger/v4"
	"go.uber.org/zap"
)

// undo takes back what a flush of several transactions wrote before it was cut short. Its parts carry a timestamp above
// the marker's, so nobody has seen them; they are overwritten at a still higher one with what was there before, again
// under an intent, so that this can be cut short and done again.
func (s *Store) undo(db *badger.DB, dir string, m *marker) (*marker, error) {
	b, err := readMeta(db, intentKey, math.MaxUint64)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if len(b) != 8 {
		return nil, fmt.Errorf("the store in %s cannot be read: the record of its last flush is damaged; restore it from a replica or a backup", dir)
	}
	if torn := binary.LittleEndian.Uint64(b); torn <= m.number {
		return m, nil
	}
	u := undoing{s: s, db: db, from: m.number}
	if err := u.collect(); err != nil {
		return nil, fmt.Errorf("undoing an interrupted flush in %s: %w", dir, err)
	}
	s.log.Info("undoing an interrupted flush", zap.String("dir", dir), zap.Int("keys", len(u.keys)))
	next := *m
	next.number = u.highest + 1
	// Numbers between the two were never finished. They are put on record, so that nobody looks for them.
	if err := u.write(&next); err != nil {
		return nil, fmt.Errorf("undoing an interrupted flush in %s: %w", dir, err)
	}
	return &next, nil
}

// undoing is the work of one undo.
type undoing struct {
	s       *Store
	db      *badger.DB
	from    uint64 // the marker's number
	highest uint64
	keys    [][]byte
	txn     *badger.Txn
}

// collect finds the keys that were written after the marker.
func (u *undoing) collect() error {
	txn := u.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{SinceTs: u.from})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		u.highest = max(u.highest, it.Item().Version())
		if key := it.Item().KeyCopy(nil); key[0] == userPrefix || string(key[:2]) == string(filePrefix) {
			u.keys = append(u.keys, key)
		}
	}
	return nil
}

// write puts the old values back and commits the marker at its new number.
func (u *undoing) write(next *marker) error {
	for _, key := range u.keys {
		old, err := readMeta(u.db, key, u.from)
		if err != nil {
			return err
		}
		if old == nil {
			old = []byte{kindTombstone} // which is also what the record of a file that is gone looks like
		}
		if err := u.add(key, old, next.number); err != nil {
			return err
		}
	}
	for n := u.from + 1; n < next.number; n++ {
		if err := u.add(ringKey(n), binary.LittleEndian.AppendUint64(nil, n), next.number); err != nil {
			return err
		}
	}
	if u.txn != nil {
		if err := u.commit(next.number); err != nil {
			return err
		}
	}
	if err := commitMarker(u.db, next); err != nil {
		return err
	}
	return u.s.step("undone")
}

func (u *undoing) add(key, value []byte, number uint64) error {
	for {
		if u.txn == nil {
			u.txn = u.db.NewTransactionAt(u.from, true)
			if err := u.txn.Set(intentKey, binary.LittleEndian.AppendUint64(nil, number)); err != nil {
				return fmt.Errorf("writing the intent: %w", err)
			}
		}
		err := u.txn.Set(key, value)
		if !errors.Is(err, badger.ErrTxnTooBig) {
			if err != nil {
				return fmt.Errorf("putting a key back: %w", err)
			}
			return nil
		}
		if err := u.commit(number); err != nil {
			return err
		}
	}
}

func (u *undoing) commit(number uint64) error {
	txn := u.txn
	u.txn = nil
	if err := txn.CommitAt(number, nil); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return u.s.step("undo part")
}
