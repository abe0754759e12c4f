package store

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"golang.org/x/sys/unix"
)

// trimAbove is how many bytes of mapped files may count as the process's memory before they are given back.
const trimAbove = 64 << 20

// trim gives mapped table files back to the page cache, where they stay: they are read in place, so that otherwise
// everything that was ever read, and at open everything, would count as memory of this process. Under flushMu.
func (s *Store) trim() {
	if mappedBytes() < trimAbove {
		return
	}
	dir, err := filepath.Abs(s.base.dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return
	}
	// A range must not be given back after Badger has unmapped it: something else may be there by then. The iterator
	// holds every table of its moment, and a table that is listed before and after that moment is one of them.
	before := tableNames(s.base.db, dir)
	txn := s.base.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{})
	defer it.Close()
	after := tableNames(s.base.db, dir)

	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		at, name, ok := strings.Cut(lines.Text(), " /")
		if name = "/" + name; !ok || !before[name] || !after[name] {
			continue
		}
		var from, to uintptr
		if _, err := fmt.Sscanf(at, "%x-%x ", &from, &to); err != nil || to <= from {
			continue
		}
		// The mapping is shared and of a file: what was read can be read again. An error changes nothing.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED)
	}
}

func tableNames(db *badger.DB, dir string) map[string]bool {
	names := make(map[string]bool)
	for _, t := range db.Tables() {
		names[filepath.Join(dir, fmt.Sprintf("%06d.sst", t.ID))] = true
	}
	return names
}

// mappedBytes is how much of files the process has in its memory.
func mappedBytes() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 3 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
