package conf

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// The default of -cache-size is a sixteenth of the memory, within these bounds.
const (
	leastCache = 64 << 20
	mostCache  = 4 << 30
)

func cacheOf(total int64) Size { return Size(min(max(total/16, leastCache), mostCache)) }

// limitFiles tell how much memory the process may have where it is in a container: cgroups v2 and v1.
var limitFiles = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

// MemoryTotal returns the memory in bytes that there is for the process: the machine's or, if that is less, the container's; 4 GiB
// where it cannot be told.
func MemoryTotal() int64 {
	total := int64(4 << 30)
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err == nil {
		total = int64(info.Totalram) * int64(info.Unit) //nolint:unconvert // the fields' types differ between architectures
	}
	return limited(total, limitFiles)
}

// limited returns total, or the least of the limits that files say. A file that is not there, or says "max", sets none.
func limited(total int64, files []string) int64 {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 {
			total = min(total, n)
		}
	}
	return total
}
