//go:build !linux

package disk

import (
	"errors"
	"os"
)

// OpenDirect fails where the system has no such thing.
func OpenDirect(string) (*os.File, error) { return nil, errors.ErrUnsupported }

// Cached is true where the system cannot be asked.
func Cached(*os.File, int64, int64) bool { return true }
