package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// Sync makes a file's bytes durable, and of what is known of the file only what is needed to read them: its length, if it
// has grown. Where a file is written over, that is half the work of an fsync.
func Sync(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err != unix.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
