package flin

import (
	"context"
	"errors"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// closeTime is how long Close tries to commit and to leave.
const closeTime = 5 * time.Second

// Commit commits records, and with each all before it in its partition. ErrFenced says that a partition is another member's by now, to
// which what was not committed comes again; the others are committed. Records that were committed before are passed over.
func (r *Reader) Commit(records ...Record) error {
	ends := map[int]int64{}
	for i := range records {
		ends[records[i].Partition] = max(ends[records[i].Partition], records[i].Offset+1)
	}
	var list []Position
	var lost []error
	r.mu.Lock()
	for partition, end := range ends {
		p := r.parts[partition]
		switch {
		case p == nil || end > p.next: // it was consumed by an earlier membership
			lost = append(lost, wire.Errorf(wire.Fenced, "flin: partition %d of topic %q is not %q's any more: what was not committed comes again to its owner", partition, r.topic, r.key.consumer))
		case end > p.committed:
			list = append(list, Position{partition, end})
		}
	}
	r.mu.Unlock()
	return errors.Join(append(lost, r.commit(r.stream, list))...)
}

// commitDone commits what has been dealt with.
func (r *Reader) commitDone(s *Stream) error {
	var list []Position
	r.mu.Lock()
	for partition, p := range r.parts {
		if p.done > p.committed {
			list = append(list, Position{partition, p.done})
		}
	}
	r.mu.Unlock()
	return r.commit(s, list)
}

// commit commits offsets. Where one of several is refused because its partition was lost, each is committed by itself.
func (r *Reader) commit(s *Stream, list []Position) error {
	if len(list) == 0 {
		return nil
	}
	err := s.CommitBatch(r.topic, r.key.group, list)
	if errors.Is(err, ErrFenced) && len(list) > 1 {
		var errs []error
		for _, at := range list {
			errs = append(errs, r.commit(s, []Position{at}))
		}
		return errors.Join(errs...)
	}
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, at := range list {
		if p := r.parts[at.Partition]; p != nil {
			p.committed = max(p.committed, at.Offset)
		}
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
