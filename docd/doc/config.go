package doc

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/store"
)

// Config shapes an Engine. It is read once, by Open. Start from Default.
type Config struct {
	// Store is the engine's own store.
	Store store.Options
	// Workers is how many requests that look for documents run at once (-workers).
	Workers int
	// Queue is how many of them may wait for a worker. Over it they are answered Busy.
	Queue int
	// Memory is how many bytes one request may hold to sort, or to remember what it has found. Over it it is answered TooLarge.
	Memory int
	// Cursors is how many cursors may be open at once. Over it what would leave another is answered Full.
	Cursors int
	// CursorMemory is how many bytes all cursors together may hold of what they have not handed out.
	CursorMemory int64
	// MaxWatches is how many watches there may be at once. Over it they are answered Busy.
	MaxWatches int
	// FeedRetention is how long recorded changes are kept for watches.
	FeedRetention time.Duration
	// FeedBytes is how many bytes of recorded changes are kept, of all feeds together.
	FeedBytes int64
	// Transactions is how many transactions may be open at once. Over it what would begin another is answered Busy.
	Transactions int
	// TransactionMemory is how many bytes of documents all open transactions together may have written. One that goes over it is
	// aborted, and answered Full.
	TransactionMemory int64
	// Log takes what the engine has to say. Default: nothing is logged.
	Log *zap.Logger

	// clock is the time in ms by which cursors are idle. Default: a monotonic one.
	clock func() int64
	// batchBytes bounds the documents of one answer. Default: maxBatchBytes.
	batchBytes int
}

// Default returns the Config that an engine has unless it is told otherwise. Store.Dir is to be filled in.
func Default() Config {
	return Config{
		Workers: 64, Queue: 4096, Memory: 100 << 20, Cursors: 10_000, CursorMemory: 512 << 20,
		Transactions: 1000, TransactionMemory: 512 << 20,
		MaxWatches: 10_000, FeedRetention: 24 * time.Hour, FeedBytes: 1 << 30,
	}
}

// withDefaults fills in what was left zero.
func (c Config) withDefaults() Config {
	d := Default()
	c.Workers = cmp.Or(c.Workers, d.Workers)
	c.Queue = cmp.Or(c.Queue, d.Queue)
	c.Memory = cmp.Or(c.Memory, d.Memory)
	c.Cursors = cmp.Or(c.Cursors, d.Cursors)
	c.CursorMemory = cmp.Or(c.CursorMemory, d.CursorMemory)
	c.MaxWatches = cmp.Or(c.MaxWatches, d.MaxWatches)
	c.FeedRetention = cmp.Or(c.FeedRetention, d.FeedRetention)
	c.FeedBytes = cmp.Or(c.FeedBytes, d.FeedBytes)
	c.Transactions = cmp.Or(c.Transactions, d.Transactions)
	c.TransactionMemory = cmp.Or(c.TransactionMemory, d.TransactionMemory)
	c.Log = cmp.Or(c.Log, zap.NewNop())
	if c.clock == nil {
		c.clock = monotonic
	}
	c.batchBytes = cmp.Or(c.batchBytes, maxBatchBytes)
	return c
}

// Validate returns all complaints about c at once.
func (c Config) Validate() error {
	errs := []error{c.Store.Validate()}
	complain := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("doc: "+format, args...))
		}
	}
	complain(c.Workers < 0, "Workers of %d is negative", c.Workers)
	complain(c.Queue < 0, "Queue of %d is negative", c.Queue)
	complain(c.Memory < 0, "Memory of %d bytes is negative", c.Memory)
	complain(c.Cursors < 0, "Cursors of %d is negative", c.Cursors)
	complain(c.CursorMemory < 0, "CursorMemory of %d bytes is negative", c.CursorMemory)
	complain(c.MaxWatches < 0, "MaxWatches of %d is negative", c.MaxWatches)
	complain(c.FeedRetention < 0, "FeedRetention of %v is negative", c.FeedRetention)
	complain(c.FeedBytes < 0, "FeedBytes of %d is negative", c.FeedBytes)
	complain(c.Transactions < 0, "Transactions of %d is negative", c.Transactions)
	complain(c.TransactionMemory < 0, "TransactionMemory of %d bytes is negative", c.TransactionMemory)
	return errors.Join(errs...)
}
