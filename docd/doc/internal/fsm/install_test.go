package fsm

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestAWatchMissesNothingWhileASnapshotIsInstalled(t *testing.T) {
	from, to := newBench(t, store.Options{Dir: t.TempDir()}), newBench(t, store.Options{Dir: t.TempDir()})
	defer from.Close()
	defer to.Close()
	from.feed("c", false)
	to.feed("c", false)
	at := After(to.m.Newest())
	for i := range 50 {
		from.insert("c", doc(t, fmt.Sprintf(`{"_id": %d}`, i)))
	}
	<-from.Store.Rotate()
	var snapshot bytes.Buffer
	v := from.Store.PinFlushed()
	if _, err := v.WriteTo(&snapshot); err != nil {
		t.Fatal(err)
	}
	v.Close()
	if err := to.Store.Install(&snapshot); err != nil {
		t.Fatal(err)
	}
	// Memory has not been renewed yet: nothing can be told.
	if chunks, rev, more, err := to.m.Changes(nil, at, 1<<20); len(chunks) != 0 || rev != at.Rev-1 || more || err != nil {
		t.Errorf("before the reset: %d chunks up to revision %d, more %v, %v", len(chunks), rev, more, err)
	}
	if err := to.m.Reset(); err != nil {
		t.Fatal(err)
	}
	if events := to.changes(at, 1<<20); len(events) != 50 {
		t.Errorf("after the reset: %d events", len(events))
	}
}

func TestACommandMakesOnlySoManyBytes(t *testing.T) {
	b := newBench(t, store.Options{Dir: t.TempDir()})
	defer b.Close()
	var docs [][]byte
	a := wire.DocApply{
		Mode: wire.DocInOrder, Targets: []wire.DocName{name("c")},
		Programs: []wire.DocProgram{{Update: doc(t, `{"$set": {"a": "`+strings.Repeat("x", 1<<20)+`"}}`)}},
	}
	for i := range 100 {
		docs = append(docs, doc(t, fmt.Sprintf(`{"_id": {"$numberInt": "%d"}}`, i)))
		a.Changes = append(a.Changes, wire.DocChange{Kind: wire.DocChangeUpdate, ID: []byte{0x10, byte(i), 0, 0, 0}})
	}
	b.insert("c", docs...)
	if resp := b.One(wire.OpDocApply, &a); resp.Code != wire.TooLarge {
		t.Errorf("100 documents of 1 MiB: %v %s", resp.Code, resp.Body)
	}
	a.Changes = a.Changes[:20]
	if resp := b.One(wire.OpDocApply, &a); resp.Code != wire.OK || resp.Num != 20 {
		t.Errorf("20 documents of 1 MiB: %v %s", resp.Code, resp.Body)
	}
	b.Check()
}
