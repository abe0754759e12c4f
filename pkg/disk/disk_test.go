package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFileIsWrittenWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stamp")
	for _, text := range []string{"first", "a second one that is longer", "third"} {
		if err := WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Errorf("%q, %v instead of %q", got, err, text)
		}
	}
	if names, _ := os.ReadDir(filepath.Dir(path)); len(names) != 1 {
		t.Errorf("%d files were left", len(names))
	}
	if err := WriteFile(filepath.Join(path, "below a file"), nil); err == nil {
		t.Error("a file below a file was written")
	}
}

func TestALockIsHeldOnceAndNamesItsHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "LOCK")
	first, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(path); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), string(pid)) {
		t.Errorf("the second lock: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}

func TestSyncReportsWhatItCannotDo(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Sync(f); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if Sync(f) == nil || SyncDir(f.Name()+".gone") == nil {
		t.Error("a closed file and a missing folder were synced")
	}
}
