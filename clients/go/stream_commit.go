package flin

import (
	"errors"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// CommitOption modifies Commit and CommitBatch.
type CommitOption interface{ commit(c *commit) }

// commit is what a commit says beside its offsets.
type commit struct {
	metadata []byte
	as       stand
	given    bool // as is what the caller says
}

type commitFunc func(c *commit)

func (f commitFunc) commit(c *commit) { f(c) }

// Metadata keeps a text, at most 4 KiB, with the offsets that are committed. Group shows it.
func Metadata(text string) CommitOption {
	return commitFunc(func(c *commit) { c.metadata = []byte(text) })
}

// As commits for a consumer as of a generation of its group, and not as of what this client has consumed: it is ErrFenced unless the
// consumer owns the partition and nobody else has since. With an empty consumer and generation 0 it always counts.
func As(consumer string, generation uint64) CommitOption {
	return commitFunc(func(c *commit) { c.as, c.given = stand{consumer, generation}, true })
}

// Commit says how far a group is done with a partition: offset is that of the next record to read. If this client has consumed the
// partition for the group the commit is that of the member which did so last: ErrFenced if that has lost the partition since. Else it
// always counts. An offset below 0 or behind the partition's end is ErrOutOfRange. Where a client has several members of a group,
// As says whose commit it is; or give each a client of its own.
func (s *Stream) Commit(topic, group string, partition int, offset int64, opts ...CommitOption) error {
	return s.CommitBatch(topic, group, []Position{{Partition: partition, Offset: offset}}, opts...)
}

// CommitBatch is Commit for several partitions of a topic. Those that one member has consumed in one generation are committed all or
// none; of several such sets each stands for itself, and the failures are joined.
func (s *Stream) CommitBatch(topic, group string, offsets []Position, opts ...CommitOption) error {
	var c commit
	for _, o := range opts {
		o.commit(&c)
	}
	sets := map[stand][]wire.StreamCommitted{}
	for _, at := range offsets {
		p, as := number(at.Partition), c.as
		if !c.given {
			as = s.client.members.stand(topic, group, p)
		}
		sets[as] = append(sets[as], wire.StreamCommitted{Partition: p, Offset: at.Offset, Metadata: c.metadata})
	}
	var errs []error
	for as, set := range sets {
		if err := s.commit(topic, group, as, set); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

func (s *Stream) commit(topic, group string, as stand, set []wire.StreamCommitted) error {
	_, err := s.ask(wire.OpStreamCommit, repeats, &wire.StreamCommit{
		Topic: []byte(topic), Group: []byte(group), Consumer: []byte(as.consumer), Generation: as.generation, Offsets: set,
	})
	return err
}
