package replica

import (
	"errors"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/hashicorp/raft-wal/fs"
	"github.com/hashicorp/raft-wal/metadb"
	"github.com/hashicorp/raft-wal/segment"
	"go.uber.org/zap"
)

// sealTail leaves the log in dir as a kill does that falls between the sealing of a full segment and the entry of the
// next one into the list.
func sealTail(t *testing.T, dir string) {
	t.Helper()
	var meta metadb.BoltMetaDB
	state, err := meta.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	w, err := segment.NewFiler(dir, fs.New()).RecoverTail(state.Segments[len(state.Segments)-1])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ForceSeal(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), meta.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestALogKilledBetweenTwoSegmentsGoesOn(t *testing.T) {
	cfg := Default()
	cfg.Name, cfg.NodeID, cfg.Dir = "g", "n1", t.TempDir()
	cfg.Log = zap.NewNop()
	cfg.OnFault = func(err error) { t.Errorf("fault: %v", err) }
	next := uint64(1)
	for round := range 3 {
		s, err := openLog(&cfg, newMetrics("g"))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		s.fault = cfg.OnFault
		for range 3 {
			if err := s.StoreLog(&raft.Log{Index: next, Term: 1, Data: []byte{byte(next)}}); err != nil {
				t.Fatalf("round %d: append %d: %v", round, next, err)
			}
			next++
		}
		for i := uint64(1); i < next; i++ {
			var l raft.Log
			if err := s.GetLog(i, &l); err != nil || len(l.Data) != 1 || l.Data[0] != byte(i) {
				t.Fatalf("round %d: entry %d is %v, %v", round, i, l.Data, err)
			}
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		sealTail(t, cfg.Dir)
	}
}
