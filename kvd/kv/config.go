package kv

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
	// Workers is how many scans run at once (-workers).
	Workers int
	// Queue is how many scans may wait for a worker. Over it they are answered Busy.
	Queue int
	// MaxValue bounds a value in bytes (-max-value). What commands make of values that are there already, as append does,
	// is bounded by MaxValueLimit instead, on every replica alike.
	MaxValue int
	// WatchRing is how many bytes of recent changes are kept for watches.
	WatchRing int64
	// MaxWatches is how many watches there may be at once. Over it they are answered Busy.
	MaxWatches int
	// Log takes what the engine has to say. Default: nothing is logged.
	Log *zap.Logger
}

// MaxValueLimit is the most that Config.MaxValue may be: a value, its key and what goes with them must fit in a command.
const MaxValueLimit = 16 << 20

// Default returns the Config that an engine has unless it is told otherwise. Store.Dir is to be filled in.
func Default() Config {
	return Config{Workers: 64, Queue: 4096, MaxValue: wire.MaxValue, WatchRing: 32 << 20, MaxWatches: 20_000}
}

// withDefaults fills in what was left zero.
func (c Config) withDefaults() Config {
	d := Default()
	c.Workers = cmp.Or(c.Workers, d.Workers)
	c.Queue = cmp.Or(c.Queue, d.Queue)
	c.MaxValue = cmp.Or(c.MaxValue, d.MaxValue)
	c.WatchRing = cmp.Or(c.WatchRing, d.WatchRing)
	c.MaxWatches = cmp.Or(c.MaxWatches, d.MaxWatches)
	c.Log = cmp.Or(c.Log, zap.NewNop())
	return c
}

// Validate returns all complaints about c at once.
func (c Config) Validate() error {
	errs := []error{c.Store.Validate()}
	complain := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("kv: "+format, args...))
		}
	}
	complain(c.Workers < 0, "Workers of %d is negative", c.Workers)
	complain(c.Queue < 0, "Queue of %d is negative", c.Queue)
	complain(c.MaxValue < 0 || c.MaxValue > MaxValueLimit, "MaxValue of %d bytes is not in 1 to %d (-max-value)", c.MaxValue, MaxValueLimit)
	complain(c.WatchRing < 0, "WatchRing of %d bytes is negative", c.WatchRing)
	complain(c.MaxWatches < 0, "MaxWatches of %d is negative", c.MaxWatches)
	return errors.Join(errs...)
}
