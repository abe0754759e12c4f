//go:build unix

package store

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// statfs returns the bytes of a disk that are free to us, and all of them.
func statfs(dir string) (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, fmt.Errorf("statfs %s: %w", dir, err)
	}
	size := int64(st.Bsize)
	return int64(st.Bavail) * size, int64(st.Blocks) * size, nil
}
