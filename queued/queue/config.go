package queue

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
	// Workers is how many reads that look at messages run at once (-workers).
	Workers int
	// Queue is how many of them may wait for a worker. Over it they are answered Busy.
	Queue int
	// MaxMessage bounds a message's body in bytes (-max-value). No more than wire.MaxMessage is ever let in.
	MaxMessage int
	// MaxWaiters is how many pops may wait for messages at once. Over it they are answered Busy.
	MaxWaiters int
	// Log takes what the engine has to say. Default: nothing is logged.
	Log *zap.Logger
}

// Default returns the Config that an engine has unless it is told otherwise. Store.Dir is to be filled in.
func Default() Config {
	return Config{Workers: 64, Queue: 4096, MaxMessage: wire.MaxMessage, MaxWaiters: 100_000}
}

// withDefaults fills in what was left zero.
func (c Config) withDefaults() Config {
	d := Default()
	c.Workers = cmp.Or(c.Workers, d.Workers)
	c.Queue = cmp.Or(c.Queue, d.Queue)
	c.MaxMessage = cmp.Or(c.MaxMessage, d.MaxMessage)
	c.MaxWaiters = cmp.Or(c.MaxWaiters, d.MaxWaiters)
	c.Log = cmp.Or(c.Log, zap.NewNop())
	return c
}

// Validate returns all complaints about c at once.
func (c Config) Validate() error {
	errs := []error{c.Store.Validate()}
	complain := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("queue: "+format, args...))
		}
	}
	complain(c.Workers < 0, "Workers of %d is negative", c.Workers)
	complain(c.Queue < 0, "Queue of %d is negative", c.Queue)
	complain(c.MaxMessage < 0, "MaxMessage of %d bytes is negative (-max-value)", c.MaxMessage)
	complain(c.MaxWaiters < 0, "MaxWaiters of %d is negative", c.MaxWaiters)
	return errors.Join(errs...)
}
