//go:build !unix

package store

import (
	"fmt"
	"os"
)

// lockFolder opens the lock file; Badger's own lock keeps two processes apart here.
func lockFolder(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the store's lock: %w", err)
	}
	return f, nil
}
