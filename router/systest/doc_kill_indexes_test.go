package systest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/docd/doc"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// passingIndex is an index that is made and dropped all the time.
const passingIndex = "passing"

// createDocIndexes makes the indexes of the kill loop: one of each kind.
func createDocIndexes(db *flin.DB) error {
	for _, ix := range []struct {
		coll   string
		fields []string
		opts   []flin.IndexOption
	}{
		{papersColl, []string{"owner", "-seq"}, nil},
		{papersColl, []string{"shelf"}, nil},
		{papersColl, []string{"tags"}, nil},
		{papersColl, []string{"deep.a", "tags"}, nil},
		{papersColl, []string{"extra"}, []flin.IndexOption{flin.Sparse()}},
		{papersColl, []string{"num"}, []flin.IndexOption{flin.Partial(flin.Where("num", flin.Gte, 50))}},
		{annexColl, []string{"seq"}, nil},
		{seatsColl, []string{"seat"}, []flin.IndexOption{flin.Unique()}},
		{accountsColl, []string{"balance"}, nil},
		{journalColl, []string{"from", "to"}, nil},
	} {
		if _, err := db.CreateIndex(ix.coll, ix.fields, ix.opts...); err != nil {
			return fmt.Errorf("index of %v: %w", ix.fields, err)
		}
	}
	return nil
}

// verifyIndexes compares what each index of a collection finds with its documents, which nobody may be writing: all that is in it,
// each value of its first field, and how many entries it says to have.
func verifyIndexes(t *testing.T, db *flin.DB, coll string, docs []flin.Document) {
	t.Helper()
	list, err := db.Indexes(coll)
	if err != nil {
		t.Fatalf("indexes of %s: %v", coll, err)
	}
	for i := range list {
		ix := &list[i]
		if ix.State == flin.IndexFailed {
			t.Errorf("index %s of %s has failed: %s", ix.Name, coll, ix.Reason)
		}
		if ix.State != flin.IndexReady {
			continue
		}
		inside := slices.DeleteFunc(slices.Clone(docs), func(d flin.Document) bool { return !isIn(ix, d) })
		all := db.Query(coll).Hint(ix.Name)
		switch {
		case ix.Sparse:
			all.Where(ix.Fields[0], flin.Exists, true)
		case ix.Partial != nil:
			all.Filter(flin.FilterDoc(ix.Partial))
		}
		sameDocs(t, "index "+ix.Name+" of "+coll, all, inside)
		entries := 0
		for _, d := range inside {
			entries += entriesOf(ix, d)
		}
		if ix.Entries != int64(entries) && ix.Name != "_id_" {
			t.Errorf("index %s of %s says that it has %d entries, its documents give %d", ix.Name, coll, ix.Entries, entries)
		}
		verifyValues(t, db, coll, ix, inside)
	}
}

// verifyValues compares what an index finds for values of its first field.
func verifyValues(t *testing.T, db *flin.DB, coll string, ix *flin.IndexInfo, inside []flin.Document) {
	t.Helper()
	const enough = 25
	first, _ := strings.CutPrefix(ix.Fields[0], "-")
	of := map[any][]flin.Document{}
	for _, d := range inside {
		for _, v := range valuesAt(d, first) {
			if of[v] != nil || v != nil && len(of) < enough {
				of[v] = append(of[v], d)
			}
		}
	}
	for v, want := range of {
		sameDocs(t, fmt.Sprintf("index %s of %s for %v", ix.Name, coll, v), db.Query(coll).Where(first, flin.Eq, v).Hint(ix.Name), want)
	}
}

// isIn reports whether a document is in an index of the kill loop.
func isIn(ix *flin.IndexInfo, d flin.Document) bool {
	switch {
	case ix.Sparse:
		_, ok := d[ix.Fields[0]]
		return ok
	case ix.Partial != nil:
		n, _ := d["num"].(int32)
		return n >= 50
	}
	return true
}

// entriesOf returns how many entries a document has in an index.
func entriesOf(ix *flin.IndexInfo, d flin.Document) int {
	n := 1
	for _, f := range ix.Fields {
		path, _ := strings.CutPrefix(f, "-")
		n *= len(valuesAt(d, path))
	}
	return n
}

// valuesAt returns the values that a document has for an index at a path, each once: nil for one that has none.
func valuesAt(d flin.Document, path string) []any {
	head, rest, deeper := strings.Cut(path, ".")
	v := d[head]
	if deeper {
		inner, _ := v.(flin.Document)
		return valuesAt(inner, rest)
	}
	list, isList := v.([]any)
	if !isList {
		return []any{v}
	}
	var values []any
	for _, e := range list {
		if !slices.Contains(values, e) {
			values = append(values, e)
		}
	}
	if values == nil {
		return []any{nil}
	}
	return values
}

// sameDocs makes a query and compares its documents, in any order.
func sameDocs(t *testing.T, what string, q *flin.Query, want []flin.Document) {
	t.Helper()
	got, err := q.Exec()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	missing := map[any]flin.Document{}
	for _, d := range want {
		missing[d["_id"]] = d
	}
	for _, d := range got {
		is, ok := missing[d["_id"]]
		if delete(missing, d["_id"]); !ok {
			t.Errorf("%s: document %v is found and should not be, or comes twice", what, d["_id"])
		} else if why := differs(is, d); why != "" {
			t.Errorf("%s: document %v: %s", what, d["_id"], why)
		}
	}
	for id := range missing {
		t.Errorf("%s: document %v is not found", what, id)
	}
}

// verifyStopped opens the documents' store of a server that does not run, and compares documents, entries of indexes and counts both
// ways. It is as far as the last flush; what comes behind that is in the log.
func verifyStopped(t *testing.T, s *server) {
	t.Helper()
	e, err := doc.Open(doc.Config{Store: store.Options{Dir: s.storeDir(wire.EngineDoc)}})
	if err != nil {
		t.Fatalf("open the documents of a stopped server: %v", err)
	}
	machine, ok := e.Machine().(interface{ Verify() error })
	if !ok {
		t.Fatal("the documents' machine has no Verify")
	}
	if err := errors.Join(machine.Verify(), e.Close()); err != nil {
		t.Errorf("the documents of a stopped server: %v", err)
	}
}
