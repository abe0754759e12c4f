package fsm

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
)

func TestASnapshotAndTheLogBehindItGiveWhatTheWholeLogGives(t *testing.T) {
	for seed := range uint64(3) {
		log := randomLog(200+seed, 1200)
		whole := newBench(t, store.Options{Dir: t.TempDir()})
		for _, e := range log[:700] {
			whole.play(e)
		}
		stream := whole.Snapshot()
		// A replica that had gone another way before: nothing of that must be left.
		late := newBench(t, store.Options{Dir: t.TempDir()})
		for _, e := range randomLog(900+seed, 200) {
			late.play(e)
		}
		at, _, _ := late.ring.Seek(0)
		if err := late.Store.Install(stream); err != nil {
			t.Fatal(err)
		}
		late.Reset()
		if _, ok := late.ring.Read(at); ok {
			t.Errorf("seed %d: a watch goes on over the snapshot", seed)
		}
		late.Begin()
		for _, e := range log[700:] {
			a, b := whole.play(e), late.play(e)
			if !machinetest.Equal(&a, &b) {
				t.Fatalf("seed %d: %v was answered %+v by one and %+v by the other", seed, e.op, a, b)
			}
		}
		if whole.Hash() != late.Hash() {
			t.Errorf("seed %d: the stores differ:\n%s\nand\n%s", seed, whole.Dump(), late.Dump())
		}
		whole.Close()
		late.Close()
	}
}
