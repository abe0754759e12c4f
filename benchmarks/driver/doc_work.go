package driver

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/skshohagmiah/flin/benchmarks/load"
)

// The documents of a range.
const (
	pageSize = 10  // that a call takes
	inRange  = 100 // that there are, about
	// MinRanged is how many documents there must be for ranges to have enough.
	MinRanged = 1000
)

// DocWork is what workers do to one collection, whichever client they do it with. Its documents are numbers from 0 up. A find
// that brings another document than was asked for, or none, is a failure.
type DocWork struct {
	Docs Docs
	Make *Documents

	next atomic.Uint64 // the first number that nobody has inserted
	gone atomic.Uint64 // the first number that nobody has deleted
}

// Inserted returns how many documents have been inserted, when no run is under way and none failed.
func (w *DocWork) Inserted() uint64 { return w.next.Load() }

// Insert inserts documents that are not there, one a call.
func (w *DocWork) Insert() func(*load.Worker) load.Op {
	return func(*load.Worker) load.Op {
		var buf []byte
		var d Document
		return func() (int, error) {
			d, buf = w.Make.Make(buf, w.next.Add(1)-1)
			return 1, w.Docs.Insert(&d)
		}
	}
}

// Fill inserts documents that are not there, size a call, until there are limit of them.
func (w *DocWork) Fill(size int, limit uint64) func(*load.Worker) load.Op {
	return func(*load.Worker) load.Op {
		var buf []byte
		list := make([]Document, size)
		return func() (int, error) {
			from, ok := claim(&w.next, uint64(size), limit)
			if !ok {
				return 0, load.ErrDone
			}
			for i := range list {
				list[i], buf = w.Make.Make(buf, from+uint64(i))
			}
			return size, w.Docs.InsertMany(list)
		}
	}
}

// FindID finds documents at random by their _id, one a call.
func (w *DocWork) FindID() func(*load.Worker) load.Op {
	return w.find(func(n uint64, buf []byte) ([]byte, []byte, error) {
		raw, err := w.Docs.FindID(load.Key(n))
		return raw, buf, err
	})
}

// FindUID finds documents at random by their uid, one a call.
func (w *DocWork) FindUID() func(*load.Worker) load.Op {
	return w.find(func(n uint64, buf []byte) ([]byte, []byte, error) {
		uid, buf := w.Make.UID(buf, n)
		raw, err := w.Docs.FindUID(uid)
		return raw, buf, err
	})
}

func (w *DocWork) find(by func(n uint64, buf []byte) (raw, _ []byte, err error)) func(*load.Worker) load.Op {
	all := w.Inserted()
	return func(worker *load.Worker) load.Op {
		c := docChecker{work: w}
		var buf []byte
		return func() (int, error) {
			n := worker.Rand.Uint64N(all)
			var raw []byte
			var err error
			if raw, buf, err = by(n, buf); err != nil {
				return 0, err
			}
			return 1, c.check(n, raw)
		}
	}
}

// Range takes the first 10 of about 100 documents whose ranks lie in a range, in the order of their ranks, once a call. There must
// be MinRanged documents.
func (w *DocWork) Range() func(*load.Worker) load.Op {
	width := int64(math.MaxInt64 / max(w.Inserted(), MinRanged) * inRange)
	return func(worker *load.Worker) load.Op {
		c := docChecker{work: w}
		return func() (int, error) {
			from := worker.Rand.Int64N(math.MaxInt64 - width)
			list, err := w.Docs.Range(from, from+width, pageSize)
			if err != nil {
				return 0, err
			}
			return 1, c.checkRange(from, from+width, list)
		}
	}
}

// UpdateUID changes documents at random that it finds by their uid, one a call.
func (w *DocWork) UpdateUID() func(*load.Worker) load.Op {
	all := w.Inserted()
	return func(worker *load.Worker) load.Op {
		var buf []byte
		var uid int64
		return func() (int, error) {
			uid, buf = w.Make.UID(buf, worker.Rand.Uint64N(all))
			return 1, w.Docs.UpdateUID(uid, worker.Rand.Int64())
		}
	}
}

// DeleteID deletes documents by their _id, one a call, until there is none.
func (w *DocWork) DeleteID() func(*load.Worker) load.Op {
	all := w.Inserted()
	return func(*load.Worker) load.Op {
		return func() (int, error) {
			n, ok := claim(&w.gone, 1, all)
			if !ok {
				return 0, load.ErrDone
			}
			return 1, w.Docs.DeleteID(load.Key(n))
		}
	}
}

// CheckCount fails unless the server has as many documents as were inserted and not deleted.
func (w *DocWork) CheckCount() error {
	n, err := w.Docs.Count()
	if want := w.Inserted() - w.gone.Load(); err == nil && n != want {
		err = fmt.Errorf("%d documents were inserted and not deleted, and the server has %d", want, n)
	}
	return err
}

// docChecker compares what was found with what was inserted. It belongs to one worker.
type docChecker struct {
	work  *DocWork
	finds uint
	buf   []byte
}

// check compares a document with the one that was asked for. Most are only as long as they must be.
func (c *docChecker) check(n uint64, raw []byte) error {
	if err := c.length(raw); err != nil {
		return err
	}
	if c.finds++; c.finds%checkEvery != 0 {
		return nil
	}
	got, err := c.work.Docs.Decode(raw)
	if err != nil {
		return err
	}
	var want Document
	want, c.buf = c.work.Make.Make(c.buf, n)
	got.Visits = 0 // updates change it
	if got != want {
		return fmt.Errorf("document %q is not as it was inserted: %+v", want.ID, got)
	}
	return nil
}

// length fails if there is less of a document than its strings.
func (c *docChecker) length(raw []byte) error {
	if least := c.work.Make.Size() - bareDocument; len(raw) < least {
		return fmt.Errorf("a document came with %d bytes, and its strings alone have %d", len(raw), least)
	}
	return nil
}

// checkRange looks whether documents can be the first ones of a range.
func (c *docChecker) checkRange(from, to int64, list [][]byte) error {
	if len(list) != pageSize {
		return fmt.Errorf("%d documents came of a range that has about %d, not %d", len(list), inRange, pageSize)
	}
	for _, raw := range list {
		if err := c.length(raw); err != nil {
			return err
		}
	}
	if c.finds++; c.finds%checkEvery != 0 {
		return nil
	}
	for _, raw := range list {
		d, err := c.work.Docs.Decode(raw)
		if err != nil {
			return err
		}
		if d.Rank < from || d.Rank >= to {
			return errors.New("documents of a range are out of order, or not in it")
		}
		from = d.Rank
	}
	return nil
}
