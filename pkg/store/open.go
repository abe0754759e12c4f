package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/disk"
)

// The folder of a store:
//
//	LOCK      held by the process that has it open
//	CURRENT   the format, what shapes the files, and the generation in force; replaced atomically
//	g000001/  a generation: Badger's files, and READY once it is complete
//	blobs/    the blob files of all generations
const (
	lockName    = "LOCK"
	currentName = "CURRENT"
	readyName   = "READY"
	blobsName   = "blobs"

	memTableSize = 32 << 20
)

// stamp is what CURRENT says.
type stamp struct {
	memTable   int64
	generation string
}

func generationName(n int) string { return fmt.Sprintf("g%06d", n) }

func (s *stamp) encode() string {
	return fmt.Sprintf("flin store, format %d\nmemtable %d\ngeneration %s\n", formatVersion, s.memTable, s.generation)
}

// readStamp reads CURRENT; nil where there is none.
func readStamp(dir string) (*stamp, error) {
	path := filepath.Join(dir, currentName)
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // nothing there is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	var version int
	st := &stamp{}
	if _, err := fmt.Sscanf(string(b), "flin store, format %d\n", &version); err != nil {
		return nil, fmt.Errorf("%s cannot be read: restore the store from a replica or a backup", path)
	}
	if version > formatVersion {
		return nil, fmt.Errorf("%s: the store has format %d, this program knows formats up to %d: run the newer version that wrote it", path, version, formatVersion)
	}
	_, rest, _ := strings.Cut(string(b), "\n")
	if n, err := fmt.Sscanf(rest, "memtable %d\ngeneration %s\n", &st.memTable, &st.generation); err != nil || n != 2 {
		return nil, fmt.Errorf("%s cannot be read: restore the store from a replica or a backup", path)
	}
	return st, nil
}

// writeStamp replaces CURRENT.
func writeStamp(dir string, st *stamp) error {
	if err := disk.WriteFile(filepath.Join(dir, currentName), []byte(st.encode())); err != nil {
		return fmt.Errorf("replacing %s: %w", currentName, err)
	}
	return nil
}

// generations lists the folders of generations, complete ones and others.
func generations(dir string) (ready, unfinished []string, err error) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the store: %w", err)
	}
	for _, e := range names {
		var n int
		if _, err := fmt.Sscanf(e.Name(), "g%06d", &n); err != nil || !e.IsDir() {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, e.Name(), readyName)); err == nil {
			ready = append(ready, e.Name())
		} else {
			unfinished = append(unfinished, e.Name())
		}
	}
	return ready, unfinished, nil
}

// openBadger opens a generation's Badger.
func openBadger(dir string, memTable int64, log *zap.Logger) (*badger.DB, error) {
	if err := removeEmptyLogs(dir); err != nil {
		return nil, err
	}
	o := badger.DefaultOptions(dir)
	o.SyncWrites = true
	o.DetectConflicts = false
	o.MetricsEnabled = false
	o.NumGoroutines = 1
	o.Logger = badgerLog{log.Sugar()}
	// Values are small: everything stays in the tree and the value log stays empty.
	o.ValueLogFileSize = 1 << 20
	o.ValueThreshold = min(1<<20, memTable/16)
	// A flush must fit into one transaction, which is 15 % of this.
	o.MemTableSize = memTable
	o.NumMemtables = 2
	o.NumLevelZeroTables = 4
	o.NumLevelZeroTablesStall = 12
	o.NumCompactors = 2
	o.BaseTableSize = 8 << 20
	// No compression, no block cache: blocks are read from the page cache, in place.
	o.Compression = options.None
	o.BlockCacheSize = 0
	// The other modes read on past damage.
	o.ChecksumVerificationMode = options.OnTableRead
	db, err := badger.OpenManaged(o)
	if err != nil {
		return nil, fmt.Errorf("opening the key tree in %s: %w; if it is damaged, restore the store from a replica or a backup", dir, err)
	}
	return db, nil
}

// removeEmptyLogs removes what a kill between two steps of Badger's can leave, and what its Open then stumbles over.
func removeEmptyLogs(dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("opening the key tree: %w", err)
	}
	for _, e := range names {
		ext := filepath.Ext(e.Name())
		if ext != ".mem" && ext != ".vlog" {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return fmt.Errorf("opening the key tree: %w", err)
		}
		if info.Size() == 0 {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("opening the key tree: %w", err)
			}
		}
	}
	return nil
}

// badgerLog hands Badger's log on: it is chatty at level info.
type badgerLog struct{ l *zap.SugaredLogger }

func trimmed(format string) string { return "badger: " + strings.TrimSpace(format) }

func (b badgerLog) Errorf(format string, args ...any)   { b.l.Errorf(trimmed(format), args...) }
func (b badgerLog) Warningf(format string, args ...any) { b.l.Warnf(trimmed(format), args...) }
func (b badgerLog) Infof(format string, args ...any)    { b.l.Debugf(trimmed(format), args...) }
func (b badgerLog) Debugf(format string, args ...any)   { b.l.Debugf(trimmed(format), args...) }
