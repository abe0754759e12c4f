package replica

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft-wal/fs"
	"github.com/hashicorp/raft-wal/types"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/disk"
)

// segmentFiles is the file system below raft-wal. A segment that is cut off is not removed but filled with zeros and used
// again: writing over blocks that a file has already takes half the time of writing to new ones, because nothing that the
// file system knows of the file has to be made durable with it, and nothing else it is just making durable is waited for.
// raft-wal finds such a file as it finds a new one: of the size it wants, and all zeros.
type segmentFiles struct {
	*fs.FS
	dir   string
	size  int64 // of the files that are kept
	limit int   // files that are kept
	log   *zap.Logger

	mu      sync.Mutex
	spare   []string // the names of zeroed files
	zeroing int      // files that are going to be spare
	named   int      // the greatest number in a name
	closed  bool
	work    sync.WaitGroup // one for each file that is being zeroed; Add only with mu held and closed false
}

// A spare file is called spare-N and one of these. What is called dirty has content of an old segment.
const (
	spareDirty = ".dirty"
	spareZero  = ".zero" // zeros, durably
)

// openSegmentFiles takes over the spare files that an earlier process has left in dir.
func openSegmentFiles(cfg *Config) (*segmentFiles, error) {
	s := &segmentFiles{FS: fs.New(), dir: cfg.Dir, size: int64(cfg.SegmentSize), log: cfg.Log}
	// What one cut frees is about what is written until the next.
	s.limit = int(min(cfg.SnapshotBytes/s.size+2, 8))
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		var n int
		if _, err := fmt.Sscanf(f.Name(), "spare-%d.", &n); err != nil {
			continue
		}
		s.named = max(s.named, n)
		info, err := f.Info()
		if err == nil && strings.HasSuffix(f.Name(), spareZero) && info.Size() == s.size && len(s.spare) < s.limit {
			s.spare = append(s.spare, f.Name())
		} else if err := os.Remove(filepath.Join(s.dir, f.Name())); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Create makes the file of a segment, out of a spare one if there is one.
func (s *segmentFiles) Create(dir, name string, size uint64) (types.WritableFile, error) {
	spare := ""
	s.mu.Lock()
	if n := len(s.spare); n > 0 && int64(size) == s.size {
		spare, s.spare = s.spare[n-1], s.spare[:n-1]
	}
	s.mu.Unlock()
	if spare == "" {
		return s.FS.Create(dir, name, size)
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("segment %s is there already", path), err)
	}
	if err := os.Rename(filepath.Join(dir, spare), path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &reusedFile{File: f, dir: dir}, nil
}

// Delete removes the file of a segment, or keeps it as a spare one.
func (s *segmentFiles) Delete(dir, name string) error {
	spare := s.begin()
	if spare == "" {
		return s.FS.Delete(dir, name)
	}
	err := os.Rename(filepath.Join(dir, name), filepath.Join(dir, spare+spareDirty))
	if err != nil {
		s.end("")
		return err
	}
	go s.clean(spare)
	return disk.SyncDir(dir)
}

// begin returns the name, without its end, for a file that is going to be spare, "" if there are enough.
func (s *segmentFiles) begin() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.spare)+s.zeroing >= s.limit {
		return ""
	}
	s.zeroing++
	s.named++
	s.work.Add(1)
	return fmt.Sprintf("spare-%d", s.named)
}

// end notes what has become of a file: it is spare under the given name, or gone if that is "".
func (s *segmentFiles) end(name string) {
	s.mu.Lock()
	s.zeroing--
	if name != "" {
		s.spare = append(s.spare, name)
	}
	s.mu.Unlock()
	s.work.Done()
}

// clean makes a dirty file a spare one. What it cannot do costs time later, nothing else.
func (s *segmentFiles) clean(spare string) {
	dirty := filepath.Join(s.dir, spare+spareDirty)
	err := s.zero(dirty)
	if err == nil {
		err = os.Rename(dirty, filepath.Join(s.dir, spare+spareZero))
	}
	if err == nil {
		s.end(spare + spareZero)
		return
	}
	if !errors.Is(err, errStopping) {
		s.log.Warn("a segment of the log cannot be used again and is removed", zap.Error(err))
	}
	_ = os.Remove(dirty) // or else the next start does it
	s.end("")
}

// zero fills a file with zeros, durably.
func (s *segmentFiles) zero(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	// The append that fills a segment may have gone past its end, and a segment can have been made with another size.
	err = f.Truncate(s.size)
	zeros := make([]byte, 256<<10)
	for at := int64(0); at < s.size && err == nil; at += int64(len(zeros)) {
		if s.stopping() {
			err = errStopping
			break
		}
		_, err = f.WriteAt(zeros[:min(int64(len(zeros)), s.size-at)], at)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (s *segmentFiles) stopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// close returns when no file is being zeroed any more.
func (s *segmentFiles) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.work.Wait()
}

// reusedFile is a segment whose blocks are all there.
type reusedFile struct {
	*os.File
	dir   string
	named atomic.Bool // its name is durable
}

// Sync makes what was written durable, the first time with the file's name.
func (f *reusedFile) Sync() error {
	if err := disk.Sync(f.File); err != nil {
		return err
	}
	if f.named.Load() {
		return nil
	}
	if err := disk.SyncDir(f.dir); err != nil {
		return err
	}
	f.named.Store(true)
	return nil
}
