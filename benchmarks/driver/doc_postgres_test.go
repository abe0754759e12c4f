//go:build peers

package driver

import (
	"os"
	"testing"

	"github.com/skshohagmiah/flin/benchmarks/load"
	"github.com/skshohagmiah/flin/benchmarks/proc"
)

func TestPostgresDoesTheWorkOfDocuments(t *testing.T) {
	bin, err := proc.FindPostgres("")
	if err != nil {
		t.Fatal(err)
	}
	parent, err := os.MkdirTemp("", "flin-postgres-") // t.TempDir is closed to whom PostgreSQL runs as
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(parent)
	if err := os.Chmod(parent, 0o711); err != nil {
		t.Fatal(err)
	}
	s, err := proc.Launch(t.Context(), parent, proc.Postgres("PostgreSQL", bin))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	docs, err := PostgresDocs(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer docs.Close()
	for _, field := range []string{FieldUID, FieldRank, FieldEmail} {
		if err := docs.Index(field); err != nil {
			t.Fatal(err)
		}
	}
	w := newDocWork(t, docs)
	for _, op := range []func(*load.Worker) load.Op{w.Fill(100, 2000), times(10, w.Insert())} {
		if _, err := load.Run(t.Context(), load.Config{Workers: 8, Op: op}); err != nil {
			t.Fatal(err)
		}
	}
	if err := docs.(Analyzer).Analyze(); err != nil {
		t.Fatal(err)
	}
	for name, op := range map[string]func(*load.Worker) load.Op{"_id": w.FindID(), "uid": w.FindUID(), "update": w.UpdateUID(), "range": w.Range()} {
		if _, err := run(t, op); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := run(t, w.DeleteID()); err != nil {
		t.Error(err)
	}
	if err := w.CheckCount(); err != nil {
		t.Error(err)
	}
	if _, err := docs.FindID("nobody"); err == nil {
		t.Error("a document that is not there was found")
	}
	if docs.UpdateUID(-1, 0) == nil || docs.DeleteID("nobody") == nil {
		t.Error("a document that is not there was changed")
	}
}
