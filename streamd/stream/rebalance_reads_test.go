package stream

import (
	"fmt"
	"maps"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// consuming is what a member asks for with its turn.
func (c *crowd) consuming(a *actor, count int) *wire.StreamConsume {
	return &wire.StreamConsume{
		Topic: []byte(crowdTopic), Group: []byte(crowdGroup), Consumer: []byte(a.name), Count: uint64(count), Turn: a.turn,
	}
}

// consume takes up to count records and checks that they are exactly those that the member is to get: from where it stands, or
// from what is committed if the partition has come to it since, and of no partition but its own. It returns how many.
func (c *crowd) consume(name string, count int) int {
	c.T.Helper()
	a := c.actors[name]
	a.turn++
	a.before = maps.Clone(a.positions)
	return c.take(a, count, true)
}

// lose consumes, and the answer gets lost. The member asks again.
func (c *crowd) lose(name string, count int) int {
	c.T.Helper()
	a := c.actors[name]
	a.turn++
	a.before = maps.Clone(a.positions)
	c.take(a, count, false)
	a.positions = maps.Clone(a.before)
	return c.take(a, count, true)
}

// take asks for the member's turn. Unless the answer arrives the member knows nothing of it.
func (c *crowd) take(a *actor, count int, arrives bool) int {
	c.T.Helper()
	parts := c.look()
	resp := c.Do(wire.OpStreamConsume, c.consuming(a, count), 0)
	if !a.member {
		c.fenced(&resp, "a consume of "+a.name)
		return 0
	}
	a.seen, a.polled = c.now.Load(), c.now.Load()
	generation, sections, n := c.sections(&resp)
	if generation != c.generation || n > count {
		c.T.Fatalf("%s was given %d records in generation %d; it asked for %d, in %d", a.name, n, generation, count, c.generation)
	}
	for i := range sections {
		s := &sections[i]
		p := parts[s.Partition]
		if owner := c.names()[p.Owner-1]; owner != a.name {
			c.T.Fatalf("%s was given partition %d, which is %s's", a.name, s.Partition, owner)
		}
		c.judgeSection(a, s, p.Since)
		a.positions[s.Partition] = position{since: p.Since, offset: s.To}
		if !arrives {
			continue
		}
		a.marks[s.Partition] = mark{s.To, generation}
		for o := s.From; o < s.To; o++ {
			c.delivered[s.Partition][o] = true
		}
	}
	if n < count {
		c.drained(a, parts)
	}
	return n
}

// sections decodes the answer to a consume.
func (c *crowd) sections(resp *wire.Response) (generation uint64, all []wire.StreamSection, n int) {
	c.T.Helper()
	generation, _ = consumed(c.T, resp)
	r := wire.NewReader(resp.Body)
	r.Uvarint()
	for r.Len() > 0 {
		var s wire.StreamSection
		wire.TakeStreamSection(&r, &s)
		all = append(all, s)
		n += int(s.To - s.From)
	}
	return generation, all, n
}

// judgeSection checks that a section begins where the member is to read on, and has the records that were published there.
func (c *crowd) judgeSection(a *actor, s *wire.StreamSection, since uint64) {
	c.T.Helper()
	if want := c.from(a, s.Partition, since); s.From != want {
		c.T.Fatalf("%s was given partition %d from %d on, not from %d; %d is committed", a.name, s.Partition, s.From, want, c.committed[s.Partition])
	}
	for i, x := range records(c.T, s) {
		if want := fmt.Sprint(s.Partition, "/", s.From+int64(i)); x.value != want {
			c.T.Fatalf("%s was given %q in the place of %q", a.name, x.value, want)
		}
	}
}

// from is where a member reads on in a partition that it owns since a generation.
func (c *crowd) from(a *actor, partition int32, since uint64) int64 {
	if p, ok := a.positions[partition]; ok && p.since == since {
		return p.offset
	}
	return max(c.committed[partition], 0)
}

// drained checks that nothing is left for a member that got less than it has asked for.
func (c *crowd) drained(a *actor, parts map[int32]wire.GroupPartition) {
	c.T.Helper()
	for no, p := range parts {
		if p.Owner == 0 || c.names()[p.Owner-1] != a.name {
			continue
		}
		if at, end := c.from(a, no, p.Since), int64(len(c.delivered[no])); at != end {
			c.T.Fatalf("%s got nothing more, but partition %d has records from %d to %d for it", a.name, no, at, end)
		}
	}
}

// commit commits what the consumer has got of some partitions, in one command for each; all if none are named. Those that it may not
// commit must be refused. It returns how many were not.
func (c *crowd) commit(name string, partitions ...int32) (n int) {
	c.T.Helper()
	a := c.actors[name]
	if len(partitions) == 0 {
		for p := range c.delivered {
			partitions = append(partitions, int32(p))
		}
	}
	for _, p := range partitions {
		m, ok := a.marks[p]
		if !ok {
			continue
		}
		x := c.look()[p]
		may := a.member && x.Owner > 0 && c.names()[x.Owner-1] == name && x.Since <= m.generation
		resp := c.Do(wire.OpStreamCommit, c.committing(name, m.generation, wire.StreamCommitted{Partition: p, Offset: m.offset}), 0)
		if a.member {
			a.seen = c.now.Load()
		}
		if !may {
			c.fenced(&resp, fmt.Sprintf("a commit of %s in partition %d, which it has lost,", name, p))
			delete(a.marks, p)
			continue
		}
		if err := resp.Err(); err != nil {
			c.T.Fatalf("%s commits %d in partition %d: %v", name, m.offset, p, err)
		}
		c.committed[p] = m.offset
		n++
	}
	c.look()
	return n
}

func (c *crowd) committing(name string, generation uint64, offsets ...wire.StreamCommitted) *wire.StreamCommit {
	return &wire.StreamCommit{
		Topic: []byte(crowdTopic), Group: []byte(crowdGroup), Consumer: []byte(name), Generation: generation, Offsets: offsets,
	}
}

// reset moves what is committed of a partition.
func (c *crowd) reset(partition int32, offset int64) {
	c.T.Helper()
	c.Must(wire.OpStreamReset, &wire.StreamReset{Topic: []byte(crowdTopic), Group: []byte(crowdGroup), Partition: partition, Offset: offset})
	c.committed[partition] = offset
	for _, a := range c.actors {
		delete(a.positions, partition)
		delete(a.before, partition)
	}
	for o := range offset {
		c.delivered[partition][o] = true // or left out on purpose
	}
	c.look()
}

// finish lets a member consume and commit all that is left, and checks that every record has been delivered and committed.
func (c *crowd) finish(names ...string) {
	c.T.Helper()
	for _, name := range names {
		for c.consume(name, 50) > 0 {
			c.commit(name)
		}
		c.commit(name)
	}
	for p, records := range c.delivered {
		if int(max(c.committed[p], 0)) != len(records) {
			c.T.Fatalf("%d of %d records of partition %d are committed", c.committed[p], len(records), p)
		}
		for o, done := range records {
			if !done {
				c.T.Fatalf("record %d of partition %d was never delivered", o, p)
			}
		}
	}
}
