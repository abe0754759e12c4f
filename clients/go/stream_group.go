package flin

import (
	"iter"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// GroupSummary is an element of a list of consumer groups.
type GroupSummary struct {
	Name       string
	Generation uint64
	Members    int
	Topics     int   // that it has offsets or members in
	Lag        int64 // records behind what is committed, over all partitions that it has an offset or an owner in
}

// GroupInfo is what is known of a consumer group.
type GroupInfo struct {
	Name       string
	Generation uint64
	Range      bool             // it has the RangeAssignor
	Members    []GroupMember    // by name
	Partitions []GroupPartition // by topic and partition: those with an owner or an offset
}

// GroupMember is a member of a consumer group.
type GroupMember struct {
	Name    string
	Session time.Duration
	Poll    time.Duration
	Joined  time.Time // when it subscribed last
}

// GroupPartition is what a group has to do with a partition.
type GroupPartition struct {
	Topic      string
	Partition  int
	Owner      string    // empty: nobody
	Since      uint64    // generation since which the owner has it
	Committed  int64     // -1: nothing
	At         time.Time // when that was committed
	Metadata   string
	Start, End int64 // of the partition
	Lag        int64 // records that are kept behind what is committed
}

// Lag returns how many records a group has before it in a topic, over all partitions that it has an offset or an owner in. Group says it
// for each. ErrNotFound if there is no such group.
func (s *Stream) Lag(topic, group string) (int64, error) {
	info, err := s.groupInfo(group, topic)
	if err != nil {
		return 0, err
	}
	var lag int64
	for _, p := range info.Partitions {
		lag += p.Lag
	}
	return lag, nil
}

// Group returns what is known of a group, or ErrNotFound.
func (s *Stream) Group(group string) (GroupInfo, error) { return s.groupInfo(group, "") }

func (s *Stream) groupInfo(group, topic string) (GroupInfo, error) {
	resp, err := s.ask(wire.OpStreamGroup, reads, &wire.StreamGroupName{Group: []byte(group), Topic: []byte(topic)})
	if err != nil {
		return GroupInfo{}, err
	}
	var m wire.GroupInfo
	if err := m.Decode(resp.Body); err != nil {
		return GroupInfo{}, badAnswer(wire.OpStreamGroup, err)
	}
	return newGroupInfo(&m), nil
}

func newGroupInfo(m *wire.GroupInfo) GroupInfo {
	info := GroupInfo{
		Name: string(m.Name), Generation: m.Generation, Range: m.Assignor == wire.AssignRange,
		Members: make([]GroupMember, len(m.Members)), Partitions: make([]GroupPartition, len(m.Partitions)),
	}
	for i, x := range m.Members {
		info.Members[i] = GroupMember{Name: string(x.Name), Session: millisecondsOf(x.Session), Poll: millisecondsOf(x.Poll), Joined: expires(x.Joined)}
	}
	for i := range m.Partitions {
		p := &m.Partitions[i]
		to := &info.Partitions[i]
		*to = GroupPartition{
			Topic: string(p.Topic), Partition: int(p.Partition), Since: p.Since, Committed: p.Committed, Metadata: string(p.Metadata),
			Start: p.Start, End: p.End, Lag: p.Lag(),
		}
		if p.Committed >= 0 {
			to.At = time.UnixMilli(p.Time)
		}
		if p.Owner > 0 && p.Owner <= uint64(len(info.Members)) {
			to.Owner = info.Members[p.Owner-1].Name
		}
	}
	return info
}

// Groups returns the groups that have to do with a topic, or with an empty one all, whose names match a glob, as in Redis's SCAN, in the
// order of their names; an empty glob is all. Each page of a hundred is read at one moment, the next one at a later. The loop ends
// after an error.
func (s *Stream) Groups(topic, match string) iter.Seq2[GroupSummary, error] {
	return func(yield func(GroupSummary, error) bool) {
		page := wire.StreamList{Match: []byte(match), Topic: []byte(topic)}
		for more := true; more; {
			resp, err := s.ask(wire.OpStreamGroups, reads, &page)
			if err != nil {
				yield(GroupSummary{}, err)
				return
			}
			r := wire.NewReader(resp.Body)
			var g wire.GroupSummary
			for r.Len() > 0 {
				if wire.TakeGroupSummary(&r, &g); r.Err() != nil {
					yield(GroupSummary{}, badAnswer(wire.OpStreamGroups, r.Err()))
					return
				}
				one := GroupSummary{Name: string(g.Name), Generation: g.Generation, Members: int(g.Members), Topics: int(g.Topics), Lag: int64(g.Lag)}
				if !yield(one, nil) {
					return
				}
			}
			more = resp.Num != 0 && len(resp.Body) > 0
			page.After = g.Name
		}
	}
}

// Reset moves what a group has committed in a partition of a topic, or with AnyPartition in each, to an offset, Earliest, Latest or
// FromTime, and returns where that is. Members go on from there; what they commit of what they have consumed before is ErrFenced.
func (s *Stream) Reset(topic, group string, partition int, offset int64, opts ...OffsetOption) ([]PartitionOffset, error) {
	p := place{offset: offset}
	for _, o := range opts {
		o.place(&p)
	}
	resp, err := s.ask(wire.OpStreamReset, repeats, &wire.StreamReset{
		Topic: []byte(topic), Group: []byte(group), Partition: number(partition), Offset: p.offset, ByTime: p.byTime,
	})
	if err != nil {
		return nil, err
	}
	return partitionOffsets(wire.OpStreamReset, resp.Body)
}

// DeleteGroup forgets a group and what it has committed: ErrNotFound if there is none, ErrConflict while it has members.
func (s *Stream) DeleteGroup(group string) error {
	_, err := s.ask(wire.OpStreamDeleteGroup, once, &wire.StreamGroupName{Group: []byte(group)})
	return err
}
