// Package driver lets one piece of worker code drive several client libraries: a thin layer over each, as a program
// would call it.
package driver

import (
	"context"
	"fmt"
)

// KV is a client of a key-value server. All methods but Close may be called by many goroutines at once. Keys, values and
// the slices that hold them belong to the caller again when a call has returned.
type KV interface {
	Set(key string, value []byte) error
	// Get fails where the key is missing: every key that the benchmarks read was written before.
	Get(key string) ([]byte, error)
	MSet(keys []string, values [][]byte) error
	// MGet returns the values in the order of the keys, and fails where one is missing.
	MGet(keys []string) ([][]byte, error)
	Close() error
}

// Scanner is a KV that can read keys in order.
type Scanner interface {
	// Scan reads all keys under prefix and their values, once, until ctx ends. It returns how many there were.
	Scan(ctx context.Context, prefix string) (int, error)
}

// Open connects a client to the server at addr. Conns is the number of connections where the library lets one choose,
// 0 its default.
type Open func(addr string, conns int) (KV, error)

// MissingError says that a key which was written is not there: the figures of such a run mean nothing.
type MissingError struct{ Key string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("key %q was written and is missing", e.Key)
}
