package proc

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestPostgresIsTheOneThatIsNamedElseThatOfThePath(t *testing.T) {
	bin := t.TempDir()
	if _, err := FindPostgres(bin); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty directory is said to have it: %v", err)
	}
	if err := os.WriteFile(filepath.Join(bin, "postgres"), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := FindPostgres(bin); err != nil || got != bin {
		t.Errorf("it is named and found in %q: %v", got, err)
	}
	linked := t.TempDir()
	if err := os.Symlink(filepath.Join(bin, "postgres"), filepath.Join(linked, "postgres")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", linked)
	if got, err := FindPostgres(""); err != nil || got != bin {
		t.Errorf("a link to it is in the path, and it is found in %q: %v", got, err)
	}
	t.Setenv("PATH", t.TempDir())
	if got, err := FindPostgres(""); err != nil && !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("it is found in %q: %v", got, err)
	}
}

func TestTheNewestOfDebiansDirectoriesComesFirst(t *testing.T) {
	if a, b := postgresVersion("/usr/lib/postgresql/9.6/bin"), postgresVersion("/usr/lib/postgresql/15/bin"); a >= b {
		t.Errorf("9.6 counts as %d, 15 as %d", a, b)
	}
}

func TestADirectoryIsMadeReadyOnceByItsRecipe(t *testing.T) {
	r := helper(t, "serve")
	r.Init = func(dir string) (string, []string) { return "touch", []string{filepath.Join(dir, "made")} }
	s, err := Launch(t.Context(), t.TempDir(), r)
	if err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(s.dataDir, "made")
	if err := os.Remove(made); err != nil {
		t.Errorf("the command was not run: %v", err)
	}
	if err := errors.Join(s.Kill(), s.Restart(t.Context())); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(made); err == nil {
		t.Error("the command was run again")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	r.Init = func(string) (string, []string) { return "false", nil }
	if _, err := Launch(t.Context(), t.TempDir(), r); err == nil {
		t.Error("a command that fails passes")
	}
}
