package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestTheRowsOfDocumentsAreChosenByTheirName(t *testing.T) {
	rows := choose(plan(&lab{scale: 1}), options{}, regexp.MustCompile("^doc"))
	if len(rows) != len(docRows(&lab{scale: 1})) {
		t.Errorf("-only ^doc chooses %d rows", len(rows))
	}
	for _, r := range rows {
		if !strings.HasPrefix(r.name, "doc: ") {
			t.Errorf("-only ^doc chooses %q", r.name)
		}
	}
}

func TestOnlyRowsWithPostgresNeedIt(t *testing.T) {
	n := 0
	for _, r := range plan(&lab{scale: 1}) {
		named := strings.Contains(r.name, "PostgreSQL")
		if r.needsPostgres() != named {
			t.Errorf("row %q needs PostgreSQL: %v", r.name, r.needsPostgres())
		}
		if named {
			n++
		}
	}
	if n == 0 {
		t.Error("no row has PostgreSQL")
	}
}

func TestTheSidesOfADocumentRowDifferInWhatItIsAbout(t *testing.T) {
	names := map[string]bool{}
	for _, r := range docRows(&lab{scale: 1}) {
		if r.goal.ratioAtLeast == 0 {
			t.Errorf("row %q has no goal", r.name)
		}
		names[r.flin.probe.name], names[r.peer.probe.name] = true, true
	}
	if want := 2 * len(docRows(&lab{})); len(names) != want {
		t.Errorf("the rows have %d sides of different names, not %d: %q", len(names), want, slices.Sorted(maps.Keys(names)))
	}
}
