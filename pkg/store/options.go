package store

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/disk"
)

// Bounds and defaults.
const (
	// MaxKey is the longest key in bytes: Badger's bound less our prefix.
	MaxKey = 64_900
	// MaxHead is the longest Value.Head in bytes.
	MaxHead = 255
	// MaxBody is the longest Value.Body in bytes.
	MaxBody = 1 << 30

	defaultCache     = 256 << 20
	defaultMinFree   = 1 << 30
	defaultMaxMemory = 1 << 30
)

// Options shape a Store. They are read once, by Open.
type Options struct {
	// Dir is the store's folder, created if missing. It belongs to the store alone. Ignored with Memory.
	Dir string
	// Memory makes the table the store: nothing is ever flushed, nothing is on disk.
	Memory bool
	// MaxMemory bounds the bytes of keys and values with Memory: over it Full reports an error. Default 1 GiB.
	MaxMemory int64
	// Beside returns the bytes that other stores take of MaxMemory. Any goroutine calls it, for each write. Default: none do.
	Beside func() int64
	// CacheSize bounds the bytes of the read cache, which lies outside the Go heap and is taken as it fills.
	// Default 256 MiB; the least that is used is 32 MiB.
	CacheSize int64
	// MinFree is how many bytes of the disk must stay free: under it Full reports an error. Default: the larger of 1 GiB
	// and 5 % of the disk, but never more than a tenth of it.
	MinFree int64
	// Turns says who uses the disk before reads of large values that are not in memory, which then go past the page cache and in
	// large pieces: for a store that is read in the order in which it was written. Default: nobody, through the page cache.
	Turns *disk.Turns
	// Log takes what the store has to say. Default: nothing is logged.
	Log *zap.Logger
	// OnFault is called once, when a disk fault leaves the store unable to go on: the process must end. Nothing is
	// flushed after it. It may be called from any goroutine of the store and must not call back into it. Default: panic.
	OnFault func(error)

	hooks hooks
}

// hooks are for the tests of this package.
type hooks struct {
	// step is called after each step of a flush, of an install and of a rebuild, with the step's name. An error stops the
	// work there as a crash would.
	step func(name string) error
	// idle is how long a table may be dirty before it is flushed; 0 means one second.
	idle time.Duration
	// manual keeps the background work (blob reclaim, rebuild) from starting by itself.
	manual bool
	// statfs stands for the disk.
	statfs func() (free, total int64, err error)
	// memTable is the size of Badger's memtables; 0 means the usual one.
	memTable int
	// blobFile is the size at which a new blob file begins; 0 means the usual one.
	blobFile int64
}

// withDefaults fills in what was left zero.
func (o Options) withDefaults() Options {
	if o.CacheSize == 0 {
		o.CacheSize = defaultCache
	}
	if o.MaxMemory == 0 {
		o.MaxMemory = defaultMaxMemory
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.OnFault == nil {
		o.OnFault = func(err error) { panic(fmt.Sprintf("store: disk fault: %v", err)) }
	}
	return o
}

// Validate returns all complaints about o at once.
func (o Options) Validate() error {
	var errs []error
	if !o.Memory && o.Dir == "" {
		errs = append(errs, errors.New("store: Dir is empty"))
	}
	if o.MaxMemory < 0 {
		errs = append(errs, fmt.Errorf("store: MaxMemory of %d bytes is negative", o.MaxMemory))
	}
	if o.CacheSize < 0 {
		errs = append(errs, fmt.Errorf("store: CacheSize of %d bytes is negative", o.CacheSize))
	}
	if o.MinFree < 0 {
		errs = append(errs, fmt.Errorf("store: MinFree of %d bytes is negative", o.MinFree))
	}
	return errors.Join(errs...)
}

// idleTime is how long a table may be dirty before it is flushed.
func (o Options) idleTime() time.Duration {
	if o.hooks.idle > 0 {
		return o.hooks.idle
	}
	return time.Second
}
