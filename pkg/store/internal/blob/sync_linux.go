package blob

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// datasync makes a file's bytes, and the length that is needed to read them, durable.
func datasync(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if err != unix.EINTR {
			return fmt.Errorf("fdatasync: %w", err)
		}
	}
}
