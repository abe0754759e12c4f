package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/benchmarks/driver"
)

func TestTheRowsOfStreamsAreChosenByTheirName(t *testing.T) {
	rows := choose(plan(&lab{scale: 1}), options{}, regexp.MustCompile("^stream"))
	if len(rows) != len(streamRows(&lab{scale: 1})) {
		t.Errorf("-only ^stream chooses %d rows", len(rows))
	}
	for _, r := range rows {
		if !strings.HasPrefix(r.name, "stream: ") {
			t.Errorf("-only ^stream chooses %q", r.name)
		}
	}
}

func TestAColdReadHasTheSameWholeBatchesInEachPartition(t *testing.T) {
	for _, scale := range []float64{1, .01, .000123} {
		if n := (&lab{scale: scale}).coldRecords(); n == 0 || n%(fewPartitions*queueBatch) != 0 {
			t.Errorf("-scale %v reads %d records", scale, n)
		}
	}
}

func TestMembersThatAcknowledgeOneAnothersRecordsAreRefused(t *testing.T) {
	for _, r := range streamRows(&lab{scale: 1}) {
		if strings.Contains(r.peer.probe.name, driver.AckLast.String()) && !strings.Contains(r.peer.probe.name, "8 streams") {
			t.Errorf("row %q acknowledges by batch, and its members share a stream: %s", r.name, r.peer.probe.name)
		}
	}
}

func TestAPlainReadWritesFilesOfTheWholeSize(t *testing.T) {
	dir := t.TempDir()
	const total = plainBuffer*2 + 12345
	files, err := writePlain(t.Context(), dir, total)
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	info, err := os.Stat(files[0])
	if err != nil || info.Size() != total || filepath.Dir(files[0]) != dir {
		t.Errorf("%s has %d bytes: %v", files[0], info.Size(), err)
	}
	if err := readFile(t.Context(), files[0], make([]byte, plainBuffer)); err != nil {
		t.Error(err)
	}
}
