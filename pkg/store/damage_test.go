package store

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// closedStore leaves the folder of a store with some flushes.
func closedStore(t *testing.T) (dir string, j journal) {
	t.Helper()
	dir = t.TempDir()
	j, change := crashJournal()
	j = append(j, change...)
	s, err := Open(crashOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	j.feed(s)
	flushed(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, j
}

// refused expects that a folder cannot be opened, for a reason that says all of want.
func refused(t *testing.T, dir string, want ...string) {
	t.Helper()
	s, err := Open(crashOptions(dir))
	if err == nil {
		t.Fatal("it was opened", s.Close())
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error %q does not say %q", err, w)
		}
	}
}

func TestANewerFormatIsRefused(t *testing.T) {
	t.Parallel()
	dir, _ := closedStore(t)
	path := filepath.Join(dir, currentName)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(b), "format 1", "format 9", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, path, "format 9", "up to 1", "newer version")
}

func TestADamagedCurrentIsRefused(t *testing.T) {
	t.Parallel()
	dir, _ := closedStore(t)
	if err := os.WriteFile(filepath.Join(dir, currentName), []byte("something"), 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, currentName, "restore the store from a replica or a backup")
}

func TestAMissingCurrentIsMadeAgain(t *testing.T) {
	t.Parallel()
	dir, j := closedStore(t)
	if err := os.Remove(filepath.Join(dir, currentName)); err != nil {
		t.Fatal(err)
	}
	j.at(uint64(len(j))).expect(t, opened(t, crashOptions(dir)))
}

func TestAFolderInUseIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opened(t, crashOptions(dir))
	refused(t, dir, filepath.Join(dir, lockName), "running process")
}

func TestADamagedMarkerIsRefused(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func([]byte) []byte{
		"checksum": func(b []byte) []byte { b[20] ^= 1; return b },
		"length":   func(b []byte) []byte { return b[:20] },
		"format":   func(b []byte) []byte { binary.LittleEndian.PutUint16(b, 9); return b },
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := closedStore(t)
			db, err := openBadger(filepath.Join(dir, generationName(1)), 4<<20, Options{}.withDefaults().Log)
			if err != nil {
				t.Fatal(err)
			}
			b, err := readMeta(db, markerKey, 1<<60)
			if err != nil {
				t.Fatal(err)
			}
			txn := db.NewTransactionAt(100, true)
			if err := errors.Join(txn.Set(markerKey, damage(b)), txn.CommitAt(100, nil), db.Close()); err != nil {
				t.Fatal(err)
			}
			refused(t, dir, generationName(1), "marker", "restore it from a replica or a backup")
		})
	}
}

func TestADamagedBlobIsAFaultThatNamesIt(t *testing.T) {
	t.Parallel()
	dir, j := closedStore(t)
	files := blobFiles(t, dir)
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := 100; i < len(b); i += 1000 {
		b[i] ^= 0x10
	}
	if err := os.WriteFile(files[0], b, 0o644); err != nil {
		t.Fatal(err)
	}
	s := opened(t, crashOptions(dir))
	for k, v := range j.at(uint64(len(j))) {
		got, ok, err := s.Get([]byte(k), nil)
		if len(v[1]) <= maxInline {
			if err != nil || string(got.Body) != v[1] {
				t.Errorf("%q: %v", k, err)
			}
			continue
		}
		if err == nil || ok || !isCorrupt(err) || !strings.Contains(err.Error(), files[0]) || !strings.Contains(err.Error(), "offset") {
			t.Errorf("%q: %.20q, %v, %v; want an error that names %s", k, got.Body, ok, err, files[0])
		}
		if _, size, ok, err := s.Head([]byte(k), nil); err != nil || !ok || size != len(v[1]) {
			t.Errorf("Head(%q) = %d, %v, %v", k, size, ok, err)
		}
	}
}

func TestAShortOrMissingBlobFileIsRefused(t *testing.T) {
	t.Parallel()
	dir, _ := closedStore(t)
	file := blobFiles(t, dir)[0]
	if err := os.Truncate(file, 5000); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, file, "5000 bytes", "restore")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, file, "missing", "restore")
}

func TestADamagedTableFileIsRefused(t *testing.T) {
	t.Parallel()
	dir, _ := closedStore(t)
	tables, _ := filepath.Glob(filepath.Join(dir, generationName(1), "*.sst"))
	if len(tables) == 0 {
		t.Fatal("no table files")
	}
	b, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(tables[0], b, 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, generationName(1), "restore the store from a replica or a backup")
}

// TestAHoleInTheFlushesIsRefused cuts an older .mem file while a newer one is there, as a flipped bit makes Badger do.
func TestAHoleInTheFlushesIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := opened(t, crashOptions(dir))
	for i := range 5 {
		set(s, string(rune('a'+i)), "", "1")
		flushed(t, s)
	}
	left := capture(t, dir)
	dir = t.TempDir()
	left.restore(t, dir)
	// The records of two flushes go, as if the file that had them had been cut, and a later one stays.
	tree := filepath.Join(dir, generationName(1))
	m := marker{}
	db, err := openBadger(tree, 4<<20, Options{}.withDefaults().Log)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readMarker(db, tree); err == nil {
		m = *got
	} else {
		t.Fatal(err)
	}
	mems, _, err := listTree(tree)
	if err != nil {
		t.Fatal(err)
	}
	m.mems = nil
	for _, id := range mems {
		m.mems = append(m.mems, memFile{id: id, since: 1})
	}
	m.number += 3
	if err := errors.Join(commitMarker(db, &m), db.Sync()); err != nil {
		t.Fatal(err)
	}
	left = capture(t, dir)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	left.restore(t, dir)
	refused(t, dir, "2 of the last", "missing", "damaged")
}

func TestAFullDiskIsToldAndWaitedFor(t *testing.T) {
	t.Parallel()
	o := crashOptions(t.TempDir())
	free := make(chan int64, 1)
	free <- 1 << 40
	o.hooks.statfs = func() (int64, int64, error) {
		n := <-free
		free <- n
		return n, 1 << 41, nil
	}
	s := opened(t, o)
	if err := s.Full(); err != nil {
		t.Fatal(err)
	}
	<-free
	free <- 50 << 20
	s.checkDisk()
	err := s.Full()
	if wire.CodeOf(err) != wire.Full || !strings.Contains(err.Error(), o.Dir) {
		t.Errorf("Full() = %v", err)
	}
	set(s, "k", "", "v")
	done := s.Rotate()
	select {
	case <-done:
		t.Error("flushed to a full disk")
	default:
	}
	<-free
	free <- 1 << 40
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.checkDisk()
	if err := s.Full(); err != nil {
		t.Error(err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	s := opened(t, Options{Memory: true, MaxMemory: 100_000})
	set(s, "a", "", strings.Repeat("x", 60_000))
	if err := s.Full(); err != nil {
		t.Fatal(err)
	}
	set(s, "b", "", strings.Repeat("x", 60_000))
	if err := s.Full(); wire.CodeOf(err) != wire.Full || !strings.Contains(err.Error(), "-max-memory") {
		t.Errorf("Full() = %v", err)
	}
	del(s, "a")
	if err := s.Full(); err != nil {
		t.Error(err)
	}
}

func TestStoresOfOneProcessShareTheBoundOfMemory(t *testing.T) {
	t.Parallel()
	other := opened(t, Options{Memory: true, MaxMemory: 100_000})
	s := opened(t, Options{Memory: true, MaxMemory: 100_000, Beside: other.MemoryUsed})
	set(s, "a", "", strings.Repeat("x", 60_000))
	if err := s.Full(); err != nil {
		t.Fatal(err)
	}
	set(other, "b", "", strings.Repeat("x", 60_000))
	if err := s.Full(); wire.CodeOf(err) != wire.Full {
		t.Errorf("Full() = %v", err)
	}
	if err := other.Full(); err != nil {
		t.Error(err)
	}
}

func TestAFaultEndsFlushingAndIsToldOnce(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	told := make(chan error, 10)
	o := crashOptions(t.TempDir())
	o.OnFault = func(err error) { told <- err }
	o.hooks.step = func(name string) error {
		if name == "blobs" {
			return broken
		}
		return nil
	}
	s := opened(t, o)
	set(s, "k", "", large("v"))
	if err := <-s.Rotate(); !errors.Is(err, broken) {
		t.Errorf("Rotate gave %v", err)
	}
	if err := <-told; !errors.Is(err, broken) {
		t.Errorf("told %v", err)
	}
	set(s, "k2", "", "v")
	if err := <-s.Rotate(); err == nil {
		t.Error("flushed after a fault")
	}
	if len(told) != 0 {
		t.Error("told twice")
	}
}
