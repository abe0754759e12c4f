package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// OpenDirect opens a file for reads that go past the page cache: offsets, lengths and memory are multiples of DirectAlign. Not
// every file system can.
func OpenDirect(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_DIRECT, 0)
}

// Cached reports whether n bytes of a file from off on are in memory, so that reading them asks no disk. Where the system cannot tell,
// before Linux 6.5, it is true.
func Cached(f *os.File, off, n int64) bool {
	at := unix.CachestatRange{Off: uint64(off), Len: uint64(n)}
	var stat unix.Cachestat_t
	if err := unix.Cachestat(uint(f.Fd()), &at, &stat, 0); err != nil {
		return true
	}
	page := int64(os.Getpagesize())
	return int64(stat.Cache) >= (off+n-1)/page-off/page+1
}
