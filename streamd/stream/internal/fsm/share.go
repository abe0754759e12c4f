package fsm

import (
	"cmp"
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// share is what a group has to do with a topic.
type share struct {
	g    *group
	t    *topic
	subs []*subscriber // by name
	// owners has who owns each partition; nil while nobody has subscribed.
	owners  []owner
	commits []commit // in the order of partitions
}

// subscriber is a member in one topic.
type subscriber struct {
	x     *member
	begun uint64  // revision of its last subscription to the topic
	parts []int32 // that it owns, in order
}

// owner says who has a partition, and since when.
type owner struct {
	s     *subscriber // never nil
	since uint64      // generation in which it got it, or a reset moved it
}

// commit is how far a group is done with a partition.
type commit struct {
	partition int32
	offset    int64
	time      int64
	meta      string
}

func byGroup(sh *share, gid uint64) int { return cmp.Compare(sh.g.gid, gid) }

func byTopic(sh *share, name string) int { return strings.Compare(sh.t.snap.Name, name) }

func byPartition(c commit, no int32) int { return cmp.Compare(c.partition, no) }

func bySubscriber(s *subscriber, name string) int { return strings.Compare(s.x.name, name) }

// ensureShare returns what the group has to do with a topic, from now on.
func (g *group) ensureShare(t *topic) *share {
	if sh := g.share(t); sh != nil {
		return sh
	}
	sh := &share{g: g, t: t}
	i, _ := slices.BinarySearchFunc(g.shares, t.snap.Name, byTopic)
	g.shares = slices.Insert(g.shares, i, sh)
	i, _ = slices.BinarySearchFunc(t.shares, g.gid, byGroup)
	t.shares = slices.Insert(t.shares, i, sh)
	return sh
}

func (t *topic) removeShare(sh *share) {
	if i, ok := slices.BinarySearchFunc(t.shares, sh.g.gid, byGroup); ok {
		t.shares = slices.Delete(t.shares, i, i+1)
	}
}

func (g *group) removeShare(sh *share) {
	if i, ok := slices.BinarySearchFunc(g.shares, sh.t.snap.Name, byTopic); ok {
		g.shares = slices.Delete(g.shares, i, i+1)
	}
}

// tidy drops a share in which nothing is left.
func (sh *share) tidy() {
	if len(sh.subs) == 0 && len(sh.commits) == 0 {
		sh.t.removeShare(sh)
		sh.g.removeShare(sh)
	}
}

// subscriber returns a member that has subscribed to the topic, or nil.
func (sh *share) subscriber(name string) *subscriber {
	if i, ok := slices.BinarySearchFunc(sh.subs, name, bySubscriber); ok {
		return sh.subs[i]
	}
	return nil
}

func (sh *share) subscribe(x *member, rev uint64) {
	i, _ := slices.BinarySearchFunc(sh.subs, x.name, bySubscriber)
	sh.subs = slices.Insert(sh.subs, i, &subscriber{x: x, begun: rev})
	x.topics++
}

// leave takes a member out of a topic. What it owned is nobody's until the next balance.
func (sh *share) leave(name string) bool {
	i, ok := slices.BinarySearchFunc(sh.subs, name, bySubscriber)
	if !ok {
		return false
	}
	s := sh.subs[i]
	sh.subs = slices.Delete(sh.subs, i, i+1)
	s.x.topics--
	s.x.owned -= len(s.parts)
	s.parts = nil
	s.x = nil
	return true
}

// commit returns what is committed of a partition, or nil.
func (sh *share) commit(partition int32) *commit {
	if i, ok := slices.BinarySearchFunc(sh.commits, partition, byPartition); ok {
		return &sh.commits[i]
	}
	return nil
}

// committed returns the offset that is committed of a partition; -1 is none.
func (sh *share) committed(partition int32) int64 {
	if c := sh.commit(partition); c != nil {
		return c.offset
	}
	return -1
}

// set notes what is committed of a partition.
func (sh *share) set(c commit) {
	i, ok := slices.BinarySearchFunc(sh.commits, c.partition, byPartition)
	if ok {
		sh.commits[i] = c
	} else {
		sh.commits = slices.Insert(sh.commits, i, c)
	}
	sh.g.committed = max(sh.g.committed, c.time)
}

// append writes who has subscribed and who owns what.
func (sh *share) append(b []byte) []byte {
	b = wire.AppendUvarint(b, uint64(len(sh.subs)))
	index := make(map[*subscriber]uint64, len(sh.subs))
	for i, s := range sh.subs {
		b = wire.AppendUvarint(wire.AppendString(b, s.x.name), s.begun)
		index[s] = uint64(i)
	}
	b = wire.AppendUvarint(b, uint64(len(sh.owners)))
	for _, o := range sh.owners {
		b = wire.AppendUvarint(wire.AppendUvarint(b, index[o.s]), o.since)
	}
	return b
}

// decode reads what append wrote.
func (sh *share) decode(p []byte) error {
	r := wire.NewReader(p)
	for n := r.Count(wire.MaxMembers); n > 0; n-- {
		name := r.Bytes()
		x := sh.g.member(string(name))
		if x == nil {
			return errDamaged
		}
		sh.subscribe(x, r.Uvarint())
	}
	n := r.Count(wire.MaxPartitions)
	if r.Err() != nil || n != len(sh.t.parts) || len(sh.subs) == 0 {
		return errDamaged
	}
	sh.owners = make([]owner, n)
	for i := range sh.owners {
		k, since := r.Uvarint(), r.Uvarint()
		if k >= uint64(len(sh.subs)) {
			return errDamaged
		}
		s := sh.subs[k]
		sh.owners[i] = owner{s: s, since: since}
		s.parts = append(s.parts, int32(i))
		s.x.owned++
	}
	if r.Close() != nil {
		return errDamaged
	}
	return nil
}
