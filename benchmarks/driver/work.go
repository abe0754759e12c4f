package driver

import (
	"bytes"
	"fmt"
	"sync/atomic"

	"github.com/skshohagmiah/flin/benchmarks/load"
)

// checkEvery is how many reads pass between two whose value is compared byte by byte; the length is checked always.
const checkEvery = 64

// Work is what workers do to one server, whichever client they do it with. Its keys are numbers from 0 up.
type Work struct {
	KV     KV
	Values *load.Values
	next   atomic.Uint64 // the first key number that nobody has written
}

// Written returns how many keys have been written: all numbers below it, when no run is under way and none failed.
func (w *Work) Written() uint64 { return w.next.Load() }

// SetNew writes keys that are not there, one a call. Limit is the number of keys at which to stop; 0: none.
func (w *Work) SetNew(limit uint64) func(*load.Worker) load.Op {
	return func(*load.Worker) load.Op {
		var buf []byte
		return func() (int, error) {
			n := w.next.Add(1) - 1
			if limit > 0 && n >= limit {
				w.next.Add(^uint64(0))
				return 0, load.ErrDone
			}
			buf = w.Values.Fill(buf, n)
			return 1, w.KV.Set(load.Key(n), buf)
		}
	}
}

// MSetNew writes keys that are not there, size in a call. Limit is the number of keys at which to stop; 0: none.
func (w *Work) MSetNew(size int, limit uint64) func(*load.Worker) load.Op {
	return func(*load.Worker) load.Op {
		keys, values := make([]string, size), make([][]byte, size)
		return func() (int, error) {
			from := w.next.Add(uint64(size)) - uint64(size)
			if limit > 0 && from >= limit {
				w.next.Add(-uint64(size))
				return 0, load.ErrDone
			}
			for i := range keys {
				n := from + uint64(i)
				keys[i], values[i] = load.Key(n), w.Values.Fill(values[i], n)
			}
			return size, w.KV.MSet(keys, values)
		}
	}
}

// Get reads keys at random out of all that have been written, one a call.
func (w *Work) Get() func(*load.Worker) load.Op {
	all := w.Written()
	return func(worker *load.Worker) load.Op {
		c := checker{values: w.Values}
		return func() (int, error) {
			n := worker.Rand.Uint64N(all)
			value, err := w.KV.Get(load.Key(n))
			if err != nil {
				return 0, err
			}
			return 1, c.check(n, value)
		}
	}
}

// MGet reads keys at random out of all that have been written, size in a call.
func (w *Work) MGet(size int) func(*load.Worker) load.Op {
	all := w.Written()
	return func(worker *load.Worker) load.Op {
		c := checker{values: w.Values}
		numbers, keys := make([]uint64, size), make([]string, size)
		return func() (int, error) {
			for i := range keys {
				numbers[i] = worker.Rand.Uint64N(all)
				keys[i] = load.Key(numbers[i])
			}
			values, err := w.KV.MGet(keys)
			if err != nil {
				return 0, err
			}
			if len(values) != size {
				return 0, fmt.Errorf("%d keys were asked for and %d values came", size, len(values))
			}
			for i, value := range values {
				if err := c.check(numbers[i], value); err != nil {
					return 0, err
				}
			}
			return size, nil
		}
	}
}

// checker compares what was read with what was written. It belongs to one worker.
type checker struct {
	values *load.Values
	reads  uint
	buf    []byte
}

func (c *checker) check(n uint64, got []byte) error {
	if len(got) != c.values.Size() {
		return fmt.Errorf("key %q: %d bytes were written and %d read", load.Key(n), c.values.Size(), len(got))
	}
	if c.reads++; c.reads%checkEvery != 0 {
		return nil
	}
	if c.buf = c.values.Fill(c.buf, n); !bytes.Equal(c.buf, got) {
		return fmt.Errorf("key %q: what was read is not what was written", load.Key(n))
	}
	return nil
}
