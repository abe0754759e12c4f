package blob

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/disk"
)

// Sizes of the appending side.
const (
	// MaxFile is the size in bytes at which the next record begins a new file.
	MaxFile     = 128 << 20
	bufferSize  = 1 << 20
	directWrite = 256 << 10 // bodies from this size on are written without the buffer
)

// Set is the blob files of a store. One goroutine at a time appends, syncs and removes; any goroutine may read what was
// synced.
type Set struct {
	dir     string
	maxFile int64
	cold    *cold                            // nil: all reads go through the page cache
	files   atomic.Pointer[map[uint32]*file] // replaced, never changed

	cur     *file // is appended to; nil before the first append
	next    uint32
	buf     []byte // what belongs at the end of cur and is not written yet
	touched []*file
	created bool // the folder has names that are not durable
}

// Open opens the files of dir that lengths names by number, each of which must hold at least as many bytes; what is
// beyond is cut off. Files that lengths does not name are left over from a crash and removed.
func Open(dir string, lengths map[uint32]int64) (*Set, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("creating the folder of blob files: %w", err)
	}
	s := &Set{dir: dir, maxFile: MaxFile, next: 1}
	files := make(map[uint32]*file, len(lengths))
	s.files.Store(&files)
	if err := s.removeUnknown(lengths); err != nil {
		return nil, err
	}
	for no, size := range lengths {
		f, err := open(dir, no, size)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		files[no] = f
		if no >= s.next {
			s.next = no + 1
			s.cur = f
		}
	}
	return s, nil
}

func (s *Set) removeUnknown(lengths map[uint32]int64) error {
	names, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("listing blob files: %w", err)
	}
	for _, e := range names {
		digits, ok := strings.CutSuffix(e.Name(), ".blob")
		no, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil {
			continue
		}
		if _, known := lengths[uint32(no)]; known {
			continue
		}
		if err := os.Remove(filepath.Join(s.dir, e.Name())); err != nil {
			return fmt.Errorf("removing a left-over blob file: %w", err)
		}
	}
	return nil
}

// SetMaxFile changes the size at which a new file begins. Before the first append.
func (s *Set) SetMaxFile(n int64) { s.maxFile = n }

// SetTurns has Read go past the page cache, in large pieces, for what is not in memory, and says who goes first then; nil changes
// nothing. Before the first read.
func (s *Set) SetTurns(t *disk.Turns) {
	if t != nil {
		s.cold = &cold{turns: t}
	}
}

// StartAt makes the next file's number at least no, for numbers that were given out and whose files are gone.
func (s *Set) StartAt(no uint32) { s.next = max(s.next, no) }

// Next returns the number that the next new file will have.
func (s *Set) Next() uint32 { return s.next }

// Roll makes the next append begin a new file.
func (s *Set) Roll() error {
	if err := s.drain(); err != nil {
		return err
	}
	s.cur = nil
	return nil
}

// Append adds a record and says where it will be. It is durable, and may be read, after the next Sync.
func (s *Set) Append(key, body []byte) (Pointer, error) {
	if s.cur != nil && s.cur.size.Load()+int64(len(s.buf)) >= s.maxFile {
		if err := s.Roll(); err != nil {
			return Pointer{}, err
		}
	}
	if s.cur == nil {
		if err := s.begin(); err != nil {
			return Pointer{}, err
		}
	}
	if len(s.touched) == 0 || s.touched[len(s.touched)-1] != s.cur {
		s.touched = append(s.touched, s.cur)
	}
	p := Pointer{File: s.cur.no, Size: uint32(len(body)), Offset: s.cur.size.Load() + int64(len(s.buf))}
	var h [recordHead]byte
	putHeader(h[:], key, body)
	if s.buf == nil {
		s.buf = make([]byte, 0, bufferSize)
	}
	s.buf = append(append(s.buf, h[:]...), key...)
	if len(body) < directWrite {
		s.buf = append(s.buf, body...)
		if len(s.buf) < bufferSize-directWrite {
			return p, nil
		}
		return p, s.drain()
	}
	if err := s.drain(); err != nil {
		return Pointer{}, err
	}
	return p, s.write(body)
}

func (s *Set) begin() error {
	f, err := create(s.dir, s.next)
	if err != nil {
		return err
	}
	s.next++
	s.created = true
	s.cur = f
	files := maps.Clone(*s.files.Load())
	files[f.no] = f
	s.files.Store(&files)
	return nil
}

func (s *Set) drain() error {
	if len(s.buf) == 0 {
		return nil
	}
	err := s.write(s.buf)
	s.buf = s.buf[:0]
	return err
}

func (s *Set) write(b []byte) error {
	n, err := s.cur.f.WriteAt(b, s.cur.size.Load())
	if err != nil {
		return fmt.Errorf("writing %s: %w", s.cur.path, err)
	}
	s.cur.size.Add(int64(n))
	return nil
}

// Length is how many bytes of a file are durable.
type Length struct {
	File uint32
	Size int64
}

// Sync makes everything appended durable and returns the lengths of the files that were appended to since the last Sync.
func (s *Set) Sync() ([]Length, error) {
	if err := s.drain(); err != nil {
		return nil, err
	}
	s.buf = nil // a megabyte is not kept while nothing happens
	var out []Length
	for _, f := range s.touched {
		if err := disk.Sync(f.f); err != nil {
			return nil, fmt.Errorf("syncing %s: %w", f.path, err)
		}
		out = append(out, Length{File: f.no, Size: f.size.Load()})
	}
	s.touched = s.touched[:0]
	if s.created {
		if err := disk.SyncDir(s.dir); err != nil {
			return nil, fmt.Errorf("syncing the folder of blob files: %w", err)
		}
		s.created = false
	}
	return out, nil
}

// Read returns the value that p points to, read into buf or, if that is too small, into new memory. buf should have room
// for RecordSize bytes. Any goroutine may call it.
func (s *Set) Read(p Pointer, key, buf []byte) ([]byte, error) {
	f := (*s.files.Load())[p.File]
	if f == nil {
		return nil, fmt.Errorf("%w: %s is missing (wanted: offset %d)", ErrCorrupt, fileName(s.dir, p.File), p.Offset)
	}
	return f.read(p, key, buf, s.cold)
}

// Active returns the number of the file that is appended to, 0 if there is none.
func (s *Set) Active() uint32 {
	if s.cur == nil {
		return 0
	}
	return s.cur.no
}

// Remove unlinks a file to which no pointer leads any more. A missing file is no error.
func (s *Set) Remove(no uint32) error {
	files := maps.Clone(*s.files.Load())
	f := files[no]
	if f == nil {
		return nil
	}
	delete(files, no)
	s.files.Store(&files)
	if s.cur == f {
		s.cur = nil
		s.buf = s.buf[:0]
	}
	s.touched = slices.DeleteFunc(s.touched, func(t *file) bool { return t == f })
	if err := os.Remove(f.path); err != nil {
		return fmt.Errorf("removing a dead blob file: %w", err)
	}
	if err := f.close(); err != nil {
		return fmt.Errorf("closing %s: %w", f.path, err)
	}
	return nil
}

// Close closes all files. What was not synced is lost.
func (s *Set) Close() error {
	var errs []error
	for _, f := range *s.files.Load() {
		if err := f.close(); err != nil {
			errs = append(errs, fmt.Errorf("closing %s: %w", f.path, err))
		}
	}
	return errors.Join(errs...)
}
