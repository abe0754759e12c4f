package replica

import (
	"errors"
	"os"
	"testing"

	"github.com/hashicorp/raft-wal/metadb"
)

func TestABootstrapThatAKillCutOffIsFinished(t *testing.T) {
	cfg, root := testConfig(t, "a")
	// What the kill leaves: the first term is durable, the entry with the first configuration is not.
	if err := os.MkdirAll(cfg.Dir, 0o750); err != nil {
		t.Fatal(err)
	}
	log, err := openLog(&cfg, newMetrics(cfg.Name))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(log.SetUint64([]byte("CurrentTerm"), 1), log.close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(root + "/raft/" + metadb.FileName); err != nil {
		t.Fatal(err)
	}
	n := start(t, cfg, root)
	n.lead()
	n.must(opSet, pair("k", "v"))
	n = n.restart()
	n.lead()
	if n.get("k") != "v" {
		t.Fatal("the value is gone")
	}
}
