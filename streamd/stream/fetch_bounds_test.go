package stream

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestAFetchMayAskForAnyNumberOfRecords(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	w.publish("t", 0, "a", "b", "c")
	for count, want := range map[uint64]int{0: 3, 1: 1, 2: 2, 3: 3, 4: 3, math.MaxInt64: 3, 1 << 63: 3, math.MaxUint64: 3} {
		resp := w.Must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), Count: count})
		if _, all := section(t, &resp); !slices.Equal(valuesOf(all), []string{"a", "b", "c"}[:want]) {
			t.Errorf("a fetch of %d records brought %v", count, all)
		}
	}
	resp := w.Must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), Offset: 3, Count: math.MaxUint64})
	if _, all := section(t, &resp); len(all) != 0 {
		t.Errorf("a fetch at the end brought %v", all)
	}
}

func TestAFetchThatDoesNotSayAtWhichRecordLooksAgainWhenRetentionHasTakenIt(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	taken := wire.Errorf(wire.OutOfRange, "retention was here")
	for _, c := range []struct {
		m    wire.StreamFetch
		err  error
		want bool
	}{
		{wire.StreamFetch{Offset: wire.OffsetEarliest}, taken, true},
		{wire.StreamFetch{ByTime: true, Offset: 7}, taken, true},
		{wire.StreamFetch{Offset: 7}, taken, false},
		{wire.StreamFetch{Offset: wire.OffsetLatest}, taken, false},
		{wire.StreamFetch{ByTime: true, Offset: 7}, errors.New("a fault"), false},
		{wire.StreamFetch{ByTime: true, Offset: 7, Partition: 1}, taken, false},
		{wire.StreamFetch{Offset: wire.OffsetEarliest, Partition: 1}, taken, false},
	} {
		c.m.Topic = []byte("t")
		if got := w.overtaken(&c.m, c.err); got != c.want {
			t.Errorf("%+v after %v: looks again: %v", c.m, c.err, got)
		}
	}
}

func TestAFetchOfAPartitionThatIsNotThereSaysSoWhereverItBegins(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 2)
	for _, m := range []*wire.StreamFetch{
		{Offset: 0}, {Offset: wire.OffsetLatest}, {Offset: wire.OffsetEarliest}, {ByTime: true, Offset: 7},
	} {
		m.Topic, m.Partition = []byte("t"), 2
		if resp := w.Do(wire.OpStreamFetch, m, 0); resp.Code != wire.OutOfRange || !strings.Contains(string(resp.Body), "2 partitions") {
			t.Errorf("at %d it was answered %v %s", m.Offset, resp.Code, resp.Body)
		}
	}
}
