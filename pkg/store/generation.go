package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/ristretto/v2/z"
)

// generation is a new Badger folder in the making: filled with sorted keys, brought up to date, and put in force. Until
// CURRENT names it a crash leaves nothing of it.
type generation struct {
	s     *Store
	stamp stamp
	dir   string
	db    *badger.DB
	bulk  *badger.StreamWriter
	buf   *z.Buffer
	keys  int64
}

// bulkBytes is how much is handed to Badger at a time.
const bulkBytes = 2 << 20

// newGeneration makes the folder of a new generation and prepares it for sorted keys.
func (s *Store) newGeneration() (*generation, error) {
	g := &generation{s: s}
	g.stamp = stamp{memTable: s.memTable, generation: generationName(int(s.nextGeneration.Add(1) - 1))}
	g.dir = filepath.Join(s.opts.Dir, g.stamp.generation)
	if err := os.Mkdir(g.dir, 0o750); err != nil {
		return nil, fmt.Errorf("creating a generation: %w", err)
	}
	var err error
	if g.db, err = openBadger(g.dir, s.memTable, s.log); err != nil {
		return nil, errors.Join(err, os.RemoveAll(g.dir))
	}
	g.bulk = g.db.NewStreamWriter()
	if err := g.bulk.Prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing a generation: %w", err), g.abandon())
	}
	g.buf = z.NewBuffer(bulkBytes+(1<<20), "store.generation")
	return g, nil
}

// put adds a user's key: larger than all before. value is copied.
func (g *generation) put(key, value []byte, number uint64) error {
	g.keys++
	badger.KVToBuffer(&pb.KV{Key: appendUserKey(nil, key), Value: value, Version: number, StreamId: 1}, g.buf)
	if g.buf.LenNoPadding() < bulkBytes {
		return nil
	}
	return g.write()
}

func (g *generation) write() error {
	if err := g.bulk.Write(g.buf); err != nil {
		return fmt.Errorf("filling a generation: %w", err)
	}
	g.buf.Reset()
	return nil
}

// filled ends the sorted part: from now on keys are written by transactions.
func (g *generation) filled() error {
	err := g.write()
	if err == nil {
		err = g.bulk.Flush()
	}
	if err != nil {
		return fmt.Errorf("filling a generation: %w", err)
	}
	g.bulk = nil
	return g.release()
}

func (g *generation) release() error {
	if g.buf == nil {
		return nil
	}
	b := g.buf
	g.buf = nil
	if err := b.Release(); err != nil {
		return fmt.Errorf("releasing a buffer: %w", err)
	}
	return nil
}

// finish makes the generation complete, with a marker and the records of its blob files.
func (g *generation) finish(m *marker, files map[uint32]fileRecord) error {
	txn := g.db.NewTransactionAt(m.number, true)
	defer txn.Discard()
	for no, f := range files {
		if err := txn.Set(fileKey(no), f.encode()); err != nil {
			return fmt.Errorf("writing the records of blob files: %w", err)
		}
	}
	if err := putMarker(txn, m); err != nil {
		return err
	}
	if err := txn.CommitAt(m.number, nil); err != nil {
		return fmt.Errorf("committing a generation: %w", err)
	}
	if err := g.s.step("generation committed"); err != nil {
		return err
	}
	if err := finishGeneration(g.dir); err != nil {
		return err
	}
	return g.s.step("generation ready")
}

// enforce has CURRENT name the generation. If that fails nobody knows which one it names, and the process must end.
func (g *generation) enforce() error {
	err := writeStamp(g.s.opts.Dir, &g.stamp)
	if err == nil {
		err = g.s.step("generation switched")
	}
	if err != nil && !errors.Is(err, errStopped) {
		g.s.fault(err)
	}
	if err != nil {
		return errors.Join(err, g.close())
	}
	return nil
}

// base is what readers will use.
func (g *generation) base(m *marker) *base {
	return &base{dir: g.dir, db: g.db, blobs: g.s.base.blobs, ringFrom: m.ringFrom}
}

// close gives back what the generation holds, but not its folder.
func (g *generation) close() error {
	if g.bulk != nil {
		g.bulk.Cancel() // or Close would stop a second time what the bulk writer has stopped
	}
	return errors.Join(g.release(), g.db.Close())
}

// abandon removes the folder of a generation that did not come into force.
func (g *generation) abandon() error { return errors.Join(g.close(), os.RemoveAll(g.dir)) }
