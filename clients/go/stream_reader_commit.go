package flin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// closeTime is how long Close tries to commit and to leave.
const closeTime = 5 * time.Second

// claim is that a reading has been dealt with up to an offset.
type claim struct {
	of         *reading
	generation uint64
	wire.StreamCommitted
}

func (p *reading) claim(partition int, end int64) claim {
	return claim{p, p.generation(end), wire.StreamCommitted{Partition: number(partition), Offset: end}}
}

// Commit commits records, and with each all before it in its partition. ErrFenced says that a partition is another member's by now, or
// that its group was moved: what was not committed comes again. The others are committed. Records that were committed before are
// passed over.
func (r *Reader) Commit(records ...Record) error {
	ends := map[int]int64{}
	for i := range records {
		ends[records[i].Partition] = max(ends[records[i].Partition], records[i].Offset+1)
	}
	var list []claim
	var lost []error
	r.mu.Lock()
	for partition, end := range ends {
		p := r.parts[partition]
		switch {
		case p == nil || !p.begun || end > p.out: // it was handed out by an earlier membership, or before a reset
			lost = append(lost, wire.Errorf(wire.Fenced, "flin: partition %d of topic %q was taken from %q, or its group was moved, since offset %d was read: what was not committed comes again", partition, r.topic, r.key.consumer, end-1))
		case end > p.committed:
			list = append(list, p.claim(partition, end))
		}
	}
	r.mu.Unlock()
	return errors.Join(append(lost, r.commit(r.stream, list))...)
}

// commitDone commits what has been dealt with.
func (r *Reader) commitDone(s *Stream) error {
	var list []claim
	r.mu.Lock()
	for partition, p := range r.parts {
		if p.begun && p.done > p.committed {
			list = append(list, p.claim(partition, p.done))
		}
	}
	r.mu.Unlock()
	return r.commit(s, list)
}

// commit commits claims, those of each generation together.
func (r *Reader) commit(s *Stream, list []claim) error {
	slices.SortFunc(list, func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.generation, b.generation), cmp.Compare(a.Partition, b.Partition))
	})
	var errs []error
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].generation == list[0].generation {
			n++
		}
		if err := r.commitSet(s, list[:n]); err != nil {
			errs = append(errs, err)
		}
		list = list[n:]
	}
	return errors.Join(errs...)
}

// commitSet commits claims of one generation. Where one of several is refused because its partition was lost, each is committed by
// itself.
func (r *Reader) commitSet(s *Stream, list []claim) error {
	set := make([]wire.StreamCommitted, len(list))
	for i := range list {
		set[i] = list[i].StreamCommitted
	}
	err := s.commit(r.topic, r.key.group, stand{r.key.consumer, list[0].generation}, set)
	if errors.Is(err, ErrFenced) && len(list) > 1 {
		var errs []error
		for i := range list {
			errs = append(errs, r.commitSet(s, list[i:i+1]))
		}
		return errors.Join(errs...)
	}
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range list {
		list[i].of.commit(list[i].Offset)
	}
	return nil
}

// Close commits what has been dealt with, unless the program does, and leaves the group, whose other members get the partitions at
// once. What was handed out last counts as dealt with only if the program had come back for more.
func (r *Reader) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		<-r.ended
		return nil
	}
	r.closed = true
	r.notify()
	r.mu.Unlock()
	r.stop()
	<-r.ended
	root := r.stream.client.members.client
	ctx, cancel := context.WithTimeout(root.pool.ctx, closeTime)
	defer cancel()
	s := root.With(ctx).Stream
	var err error
	if r.every > 0 {
		err = r.commitDone(s)
	}
	return errors.Join(err, s.Unsubscribe(r.topic, r.key.group, r.key.consumer))
}
