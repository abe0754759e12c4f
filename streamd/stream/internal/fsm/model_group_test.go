package fsm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// holding is who owned a partition in a generation, "" for nobody.
type holding struct {
	owner string
	moved bool // a reset has moved it in that generation
}

// history is who owned the partitions of one topic in each generation of a group.
type history struct {
	b           *bench
	r           *rand.Rand
	first       int                 // generation with which the group was made
	generations []map[int32]holding // of the group from then on
	committed   map[int32]int64
}

const historyMembers = 4

func (h *history) name(i int) string { return fmt.Sprint("m", i) }

// look notes who owns what now. moved is what a reset has concerned.
func (h *history) look(moved ...int32) {
	h.b.T.Helper()
	now := map[int32]holding{}
	for i := range historyMembers {
		ms, owned, err := h.b.m.Member([]byte("t"), []byte("g"), []byte(h.name(i)), nil)
		if err != nil {
			continue
		}
		for _, o := range owned {
			if was, ok := now[o.Partition]; ok {
				h.b.T.Fatalf("in generation %d partition %d belongs to %s and to %s", ms.Generation, o.Partition, was.owner, h.name(i))
			}
			if o.Committed != h.at(o.Partition) {
				h.b.T.Fatalf("partition %d is committed to %d, not %d", o.Partition, o.Committed, h.at(o.Partition))
			}
			now[o.Partition] = holding{owner: h.name(i)}
		}
	}
	for _, p := range moved {
		now[p] = holding{owner: now[p].owner, moved: true}
	}
	ans := h.b.One(wire.OpStreamGroup, &wire.StreamGroupName{Group: []byte("g")})
	var info wire.GroupInfo
	if err := info.Decode(ans.Body); err != nil {
		h.b.T.Fatal(err)
	}
	generation := int(info.Generation) - h.first
	switch generation {
	case len(h.generations):
		h.generations = append(h.generations, now)
	case len(h.generations) - 1:
		for p, x := range h.generations[generation] {
			if now[p].owner != x.owner {
				h.b.T.Fatalf("partition %d has gone from %q to %q within generation %d", p, x.owner, now[p].owner, generation)
			}
		}
	default:
		h.b.T.Fatalf("generation %d follows %d", generation, len(h.generations)-1)
	}
}

func (h *history) at(p int32) int64 {
	if c, ok := h.committed[p]; ok {
		return c
	}
	return -1
}

// allowed says whether a commit of a generation may move a partition.
func (h *history) allowed(p int32, generation int, consumer string) bool {
	current := len(h.generations) - 1
	owner := h.generations[current][p].owner
	if consumer != "" && consumer != owner {
		return false
	}
	if generation == 0 {
		return true
	}
	if generation -= h.first; generation < 0 || generation > current {
		return false
	}
	if owner == "" {
		return generation == current
	}
	for g := generation; g <= current; g++ {
		x := h.generations[g][p]
		if x.owner != owner || x.moved && g > generation {
			return false
		}
	}
	return true
}

// commit tries a commit at random.
func (h *history) commit(partitions int) {
	m := wire.StreamCommit{Topic: []byte("t"), Group: []byte("g")}
	if h.r.IntN(3) > 0 {
		m.Generation = uint64(h.first + len(h.generations) - 1 - h.r.IntN(4) + h.r.IntN(2))
	}
	if h.r.IntN(2) == 0 {
		m.Consumer = []byte(h.name(h.r.IntN(historyMembers)))
	}
	want := true
	for range 1 + h.r.IntN(2) {
		p := int32(h.r.IntN(partitions))
		m.Offsets = append(m.Offsets, wire.StreamCommitted{Partition: p, Offset: int64(h.r.IntN(5))})
		want = want && h.allowed(p, int(m.Generation), string(m.Consumer))
	}
	ans := h.b.One(wire.OpStreamCommit, &m)
	if ok := ans.Code == wire.OK; ok != want || !ok && ans.Code != wire.Fenced {
		h.b.T.Fatalf("in generation %d a commit of generation %d by %q of %v was answered %v %s: may it count? %v\n%v",
			h.first+len(h.generations)-1, m.Generation, m.Consumer, m.Offsets, ans.Code, ans.Body, want, h.generations)
	}
	if want {
		for _, o := range m.Offsets {
			h.committed[o.Partition] = o.Offset
		}
	}
}

func TestACommitCountsExactlyIfThePartitionHasHadOneOwnerSinceItsGeneration(t *testing.T) {
	for seed := range uint64(8) {
		b := newBench(t, store.Options{Memory: true})
		h := &history{b: b, r: rand.New(rand.NewPCG(seed, 3)), generations: make([]map[int32]holding, 1), committed: map[int32]int64{}}
		b.Now = 1000
		partitions := 1 + h.r.IntN(7)
		b.create("t", partitions, 0, wire.TopicSettings{})
		for i := range partitions {
			b.put("t", int32(i), "a", "b", "c", "d", "e")
		}
		b.Must(wire.OpStreamCommit, &wire.StreamCommit{Topic: []byte("t"), Group: []byte("g"), Offsets: []wire.StreamCommitted{{Offset: 1}}})
		h.committed[0], h.first = 1, int(b.Rev)
		for range 400 {
			x := wire.StreamMember{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte(h.name(h.r.IntN(historyMembers)))}
			var moved []int32
			switch h.r.IntN(12) {
			case 0, 1:
				b.Must(wire.OpStreamSubscribe, &wire.StreamSubscribe{Topic: x.Topic, Group: x.Group, Consumer: x.Consumer, Latest: true})
			case 2:
				b.Must(wire.OpStreamUnsubscribe, &x)
			case 3:
				p := int32(h.r.IntN(partitions))
				b.Must(wire.OpStreamReset, &wire.StreamReset{Topic: x.Topic, Group: x.Group, Resolved: []wire.StreamOffset{{Partition: p, Offset: 2}}})
				h.committed[p] = 2
				moved = []int32{p}
			case 4:
				if err := b.m.Reset(); err != nil {
					t.Fatal(err)
				}
			default:
				h.commit(partitions)
			}
			h.look(moved...)
		}
		b.Close()
	}
}
