package stream

import (
	"cmp"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Config shapes an Engine. It is read once, by Open. Start from Default.
type Config struct {
	// Store is the engine's own store.
	Store store.Options
	// Workers is how many requests that read batches run at once, and how many others that may be slow (-workers).
	Workers int
	// Queue is how many slow requests that read no batches may wait for a worker. Over it they are answered Busy.
	Queue int
	// MaxRecord bounds a record's key, value and headers in bytes (-max-value). No more than wire.MaxRecord is ever let in.
	MaxRecord int
	// MaxCalls is how many fetches and consumes may be unanswered at once. Over it they are answered Busy.
	MaxCalls int
	// AutoTopics makes a topic when it is first published to (-auto-create-topics).
	AutoTopics bool
	// Log takes what the engine has to say. Default: nothing is logged.
	Log *zap.Logger

	// clock is the time in ms by which members of groups are alive or silent. Default: a monotonic one.
	clock func() int64
}

// Default returns the Config that an engine has unless it is told otherwise. Store.Dir is to be filled in.
func Default() Config {
	return Config{Workers: 64, Queue: 4096, MaxRecord: wire.MaxRecord, MaxCalls: 100_000, AutoTopics: true}
}

// withDefaults fills in what was left zero, but for AutoTopics.
func (c Config) withDefaults() Config {
	d := Default()
	c.Workers = cmp.Or(c.Workers, d.Workers)
	c.Queue = cmp.Or(c.Queue, d.Queue)
	c.MaxRecord = cmp.Or(c.MaxRecord, d.MaxRecord)
	c.MaxCalls = cmp.Or(c.MaxCalls, d.MaxCalls)
	c.Log = cmp.Or(c.Log, zap.NewNop())
	if c.clock == nil {
		c.clock = func() int64 { return wire.Clock() / 1e6 }
	}
	return c
}

// Validate returns all complaints about c at once.
func (c Config) Validate() error {
	errs := []error{c.Store.Validate()}
	complain := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("stream: "+format, args...))
		}
	}
	complain(c.Workers < 0, "Workers of %d is negative", c.Workers)
	complain(c.Queue < 0, "Queue of %d is negative", c.Queue)
	complain(c.MaxRecord < 0, "MaxRecord of %d bytes is negative (-max-value)", c.MaxRecord)
	complain(c.MaxCalls < 0, "MaxCalls of %d is negative", c.MaxCalls)
	return errors.Join(errs...)
}
