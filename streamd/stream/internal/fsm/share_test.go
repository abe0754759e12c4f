package fsm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestACommitTakesMemoryForItsPartitionAndNotForThoseBeforeIt(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.create("t", wire.MaxPartitions, 0, wire.TopicSettings{})
	last := int32(wire.MaxPartitions - 1)
	b.Must(wire.OpStreamCommit, &wire.StreamCommit{Topic: []byte("t"), Group: []byte("g"), Offsets: []wire.StreamCommitted{{Partition: last}}})
	sh := b.m.groups["g"].share(b.m.topics["t"])
	if len(sh.commits) != 1 || sh.committed(last) != 0 || sh.committed(last-1) != -1 {
		t.Errorf("%d commits are kept; %d of the partition, %d of the one before", len(sh.commits), sh.committed(last), sh.committed(last-1))
	}
	b.Check()
}

func TestCommitsAreFoundInWhateverOrderTheyCome(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	const partitions = 50
	b.create("t", partitions, 0, wire.TopicSettings{})
	for p := range int32(partitions) {
		b.put("t", p, "a", "b", "c", "d", "e")
	}
	r := rand.New(rand.NewPCG(1, 2))
	want := map[int32]wire.StreamCommitted{}
	for i := range 300 {
		m := wire.StreamCommit{Topic: []byte("t"), Group: []byte("g")}
		for range 1 + r.IntN(3) {
			o := wire.StreamCommitted{Partition: int32(r.IntN(partitions)), Offset: int64(r.IntN(6)), Metadata: fmt.Append(nil, i)}
			m.Offsets = append(m.Offsets, o)
			want[o.Partition] = o
		}
		b.Must(wire.OpStreamCommit, &m)
		if i == 150 {
			if err := b.m.Reset(); err != nil {
				t.Fatal(err)
			}
		}
		b.Check()
	}
	var info wire.GroupInfo
	if err := info.Decode(b.Must(wire.OpStreamGroup, &wire.StreamGroupName{Group: []byte("g")}).Body); err != nil {
		t.Fatal(err)
	}
	for _, p := range info.Partitions {
		o := want[p.Partition]
		if p.Committed != o.Offset || string(p.Metadata) != string(o.Metadata) {
			t.Errorf("partition %d is committed to %d %q, not %d %q", p.Partition, p.Committed, p.Metadata, o.Offset, o.Metadata)
		}
		delete(want, p.Partition)
	}
	if len(want) != 0 {
		t.Errorf("there is nothing of %v", want)
	}
}

func TestAGroupThatIsMadeAgainRefusesCommitsOfGenerationsBefore(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.create("t", 1, 0, wire.TopicSettings{})
	join := &wire.StreamSubscribe{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("c")}
	last := uint64(0)
	for range 5 {
		var a wire.StreamAssignment
		if err := a.Decode(b.Must(wire.OpStreamSubscribe, join).Body); err != nil || a.Generation <= last {
			t.Fatalf("generation %d follows %d: %v", a.Generation, last, err)
		}
		commit := &wire.StreamCommit{Topic: []byte("t"), Group: []byte("g"), Offsets: make([]wire.StreamCommitted, 1)}
		for commit.Generation = max(last, 1); commit.Generation < a.Generation; commit.Generation++ {
			b.refused(wire.OpStreamCommit, commit, wire.Fenced, "since generation")
		}
		b.Must(wire.OpStreamCommit, commit)
		b.Must(wire.OpStreamUnsubscribe, &wire.StreamMember{Group: []byte("g"), Consumer: []byte("c")})
		last = a.Generation + 1
		b.Must(wire.OpStreamDeleteGroup, &wire.StreamGroupName{Group: []byte("g")})
	}
}
