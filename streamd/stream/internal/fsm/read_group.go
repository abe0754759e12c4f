package fsm

import (
	"slices"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// maxGroupInfo is how many bytes the answer to an OpStreamGroup has at most.
const maxGroupInfo = 16 << 20

// listGroups serves OpStreamGroups.
func listGroups(m *Machine, p *payloads, _, buf []byte) (ans wire.Response, err error) {
	out := buf
	m.mu.RLock()
	defer m.mu.RUnlock()
	var t *topic
	if len(p.list.Topic) > 0 {
		if t = m.topics[string(p.list.Topic)]; t == nil {
			return ans, errNoTopic(p.list.Topic)
		}
	}
	more, err := page(m.sortedGroups, &p.list, func(g *group) string { return g.name }, byGroupName, func(g *group) int {
		if t != nil && g.share(t) == nil {
			return 0
		}
		before := len(out)
		out = g.summary(t, out)
		return len(out) - before
	})
	if more {
		ans.Num = 1
	}
	ans.Body = out[len(buf):]
	return ans, err
}

// sharesOf are what the group has to do with one topic, or with all if t is nil.
func (g *group) sharesOf(t *topic) []*share {
	if t == nil {
		return g.shares
	}
	if sh := g.share(t); sh != nil {
		return []*share{sh}
	}
	return nil
}

// summary appends what a list says of a group.
func (g *group) summary(t *topic, b []byte) []byte {
	s := wire.GroupSummary{Name: []byte(g.name), Generation: g.generation, Members: uint64(len(g.members))}
	for _, sh := range g.sharesOf(t) {
		s.Topics++
		for i, p := range sh.t.parts {
			if at := sh.committed(int32(i)); at >= 0 || len(sh.owners) > 0 {
				s.Lag += uint64(p.end - max(at, p.start))
			}
		}
	}
	return wire.AppendGroupSummary(b, &s)
}

// groupInfo serves OpStreamGroup.
func groupInfo(m *Machine, p *payloads, _, buf []byte) (ans wire.Response, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	g := m.groups[string(p.group.Group)]
	if g == nil {
		return ans, errNoGroup(p.group.Group)
	}
	var t *topic
	if len(p.group.Topic) > 0 {
		if t = m.topics[string(p.group.Topic)]; t == nil {
			return ans, errNoTopic(p.group.Topic)
		}
	}
	i := wire.GroupInfo{Name: []byte(g.name), Generation: g.generation, Assignor: g.assignor}
	for _, x := range g.members {
		i.Members = append(i.Members, wire.GroupMember{Name: []byte(x.name), Session: x.session, Poll: x.poll, Joined: x.joinedAt})
	}
	size := 0
	for _, sh := range g.sharesOf(t) {
		name := []byte(sh.t.snap.Name)
		for k := range sh.t.parts {
			x, ok := sh.describe(int32(k))
			if !ok {
				continue
			}
			x.Topic = name
			const numbers = 40
			if size += numbers + len(name) + len(x.Metadata); size > maxGroupInfo {
				return ans, wire.Errorf(wire.TooLarge, "group %q has more offsets than one answer holds: ask for one topic at a time", g.name)
			}
			i.Partitions = append(i.Partitions, x)
		}
	}
	ans.Body = i.Append(buf)[len(buf):]
	return ans, nil
}

// describe says what a group has to do with a partition; ok is false if it has nothing.
func (sh *share) describe(no int32) (x wire.GroupPartition, ok bool) {
	p := sh.t.parts[no]
	x = wire.GroupPartition{Partition: no, Committed: -1, Start: p.start, End: p.end}
	if c := sh.commit(no); c != nil {
		x.Committed, x.Time, x.Metadata = c.offset, c.time, []byte(c.meta)
	}
	if len(sh.owners) > 0 {
		o := &sh.owners[no]
		i, _ := slices.BinarySearchFunc(sh.g.members, o.s.x.name, byMemberName)
		x.Owner, x.Since = uint64(i)+1, o.since
	}
	return x, x.Committed >= 0 || x.Owner > 0
}
