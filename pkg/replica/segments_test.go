package replica

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft-wal/types"
	"go.uber.org/zap"
)

// segmentDir is a folder for segments of the given size.
func segmentDir(t *testing.T, size int) *Config {
	t.Helper()
	cfg := Default()
	cfg.Dir, cfg.SegmentSize, cfg.SnapshotBytes, cfg.Log = t.TempDir(), size, int64(2*size), zap.NewNop()
	return &cfg
}

func openSegments(t *testing.T, cfg *Config) *segmentFiles {
	t.Helper()
	s, err := openSegmentFiles(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// fill makes a segment that is full of anything but zeros, and a little longer than it was to be.
func fill(t *testing.T, s *segmentFiles, name string) {
	t.Helper()
	f, err := s.Create(s.dir, name, uint64(s.size))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xAB}, int(s.size)+100), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// names lists the folder's files.
func names(t *testing.T, dir string) []string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		out = append(out, f.Name())
	}
	return out
}

func mustBeEmpty(t *testing.T, f types.WritableFile, size int) {
	t.Helper()
	got := make([]byte, size+1)
	n, _ := f.ReadAt(got, 0) // it ends before
	if n != size || !bytes.Equal(got[:n], make([]byte, size)) {
		t.Errorf("a reused segment has %d bytes, all zero: %v", n, bytes.Equal(got[:n], make([]byte, n)))
	}
}

func TestASegmentThatIsCutOffIsUsedAgainEmpty(t *testing.T) {
	const size = 300 << 10
	cfg := segmentDir(t, size)
	s := openSegments(t, cfg)
	fill(t, s, "a.wal")
	if err := s.Delete(s.dir, "a.wal"); err != nil {
		t.Fatal(err)
	}
	s.work.Wait()
	if got := names(t, s.dir); len(got) != 1 || got[0] != "spare-1.zero" {
		t.Fatal(got)
	}
	if f, err := s.Create(s.dir, "other.wal", size*2); err != nil || f.Close() != nil || len(s.spare) != 1 {
		t.Errorf("a segment of another size: %v, and %d are spare", err, len(s.spare))
	}
	f, err := s.Create(s.dir, "b.wal", size)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mustBeEmpty(t, f, size)
	if err := f.Sync(); err != nil {
		t.Error(err)
	}
	if got := strings.Join(names(t, s.dir), " "); got != "b.wal other.wal" {
		t.Error(got)
	}
}

func TestOnlySoManySegmentsAreKept(t *testing.T) {
	cfg := segmentDir(t, 64<<10)
	s := openSegments(t, cfg)
	files := []string{"a.wal", "b.wal", "c.wal", "d.wal", "e.wal", "f.wal"}
	for _, name := range files {
		fill(t, s, name)
	}
	for _, name := range files {
		if err := s.Delete(s.dir, name); err != nil {
			t.Fatal(err)
		}
	}
	s.work.Wait()
	if got := names(t, s.dir); len(got) != s.limit || s.limit >= len(files) {
		t.Errorf("%d of at most %d are kept", len(got), s.limit)
	}
	if s.Delete(s.dir, "missing.wal") == nil {
		t.Error("a missing segment was deleted")
	}
}

func TestSpareSegmentsSurviveARestartAndHalfZeroedOnesDoNot(t *testing.T) {
	const size = 64 << 10
	cfg := segmentDir(t, size)
	write := func(name string, n int, b byte) {
		if err := os.WriteFile(filepath.Join(cfg.Dir, name), bytes.Repeat([]byte{b}, n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("spare-3.zero", size, 0)
	write("spare-4.dirty", size, 0xAB)
	write("spare-5.zero", size/2, 0) // of a process with smaller segments
	write("a.wal", size, 0xAB)
	s := openSegments(t, cfg)
	if got := strings.Join(names(t, s.dir), " "); got != "a.wal spare-3.zero" {
		t.Error(got)
	}
	if err := s.Delete(s.dir, "a.wal"); err != nil {
		t.Fatal(err)
	}
	s.work.Wait()
	if got := strings.Join(names(t, s.dir), " "); got != "spare-3.zero spare-6.zero" {
		t.Error(got)
	}
	for _, name := range []string{"b.wal", "c.wal"} {
		f, err := s.Create(s.dir, name, size)
		if err != nil {
			t.Fatal(err)
		}
		mustBeEmpty(t, f, size)
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Create(s.dir, "b.wal", size); err == nil {
		t.Error("a segment was made over one that is there")
	}
}

func TestNothingIsZeroedAfterClose(t *testing.T) {
	cfg := segmentDir(t, 64<<10)
	s := openSegments(t, cfg)
	fill(t, s, "a.wal")
	s.close()
	if err := s.Delete(s.dir, "a.wal"); err != nil {
		t.Fatal(err)
	}
	if got := names(t, s.dir); len(got) != 0 {
		t.Error(got)
	}
}
