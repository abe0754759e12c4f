package fsm

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// install gives the store of b what that of a has, and leaves memory as it is.
func (b *bench) install(a *bench) {
	b.T.Helper()
	var snapshot bytes.Buffer
	v := a.Store.View()
	defer v.Close()
	if _, err := v.WriteTo(&snapshot); err != nil {
		b.T.Fatal(err)
	}
	if err := b.Store.Install(&snapshot); err != nil {
		b.T.Fatal(err)
	}
}

func TestASnapshotTellsOfAllTopicsThatItMayHaveChanged(t *testing.T) {
	leader, b := newBench(t, store.Options{Memory: true}), newBench(t, store.Options{Memory: true})
	defer leader.Close()
	defer b.Close()
	for _, x := range []*bench{leader, b} {
		x.create("kept", 1, 0, wire.TopicSettings{})
		x.create("gone", 1, 0, wire.TopicSettings{})
	}
	leader.Must(wire.OpStreamDelete, &wire.TopicName{Topic: []byte("gone")})
	leader.create("new", 1, 0, wire.TopicSettings{})
	leader.put("kept", 0, "a")
	b.install(leader)
	b.told = nil
	if err := b.m.Reset(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(b.told)
	if !slices.Equal(b.told, []string{"topic gone", "topic kept", "topic new"}) {
		t.Errorf("told: %q", b.told)
	}
	told := 0
	if _, err := NewMachine(b.Store, Options{OnTopic: func(string) { told++ }}); err != nil || told != 0 {
		t.Errorf("a machine that begins has told of %d topics: %v", told, err)
	}
}

func TestAReaderThatASnapshotOvertakesIsToldToTryAgain(t *testing.T) {
	leader, b := newBench(t, store.Options{Memory: true}), newBench(t, store.Options{Memory: true})
	defer leader.Close()
	defer b.Close()
	for _, x := range []*bench{leader, b} {
		x.create("t", 1, 0, wire.TopicSettings{})
		x.put("t", 0, "a", "b")
	}
	leader.put("t", 0, "c")
	leader.Must(wire.OpStreamAlter, &wire.TopicCreate{Topic: []byte("t"), Fields: wire.TopicHasMaxBytes})
	leader.Must(wire.OpStreamRetain, limit(RetainLimit))
	b.install(leader)
	if _, _, err := b.fetch("t", 0, 0, 2, 1<<20); !errors.Is(err, &wire.Error{Code: wire.Unavailable}) {
		t.Errorf("a fetch is told: %v", err)
	}
	if _, _, err := b.m.OffsetAt([]byte("t"), 0, 0); !errors.Is(err, &wire.Error{Code: wire.Unavailable}) {
		t.Errorf("a search is told: %v", err)
	}
	if err := b.m.Reset(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.fetch("t", 0, 0, 2, 1<<20); !errors.Is(err, &wire.Error{Code: wire.OutOfRange}) {
		t.Errorf("afterwards a fetch is told: %v", err)
	}
	list, _, err := b.fetch("t", 0, 2, 3, 1<<20)
	if err != nil || len(list) != 1 || string(list[0].Value) != "c" {
		t.Errorf("afterwards a fetch brought %v: %v", list, err)
	}
}
