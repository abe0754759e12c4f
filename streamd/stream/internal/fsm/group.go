package fsm

import (
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// group is what memory has of a consumer group. The apply goroutine changes it, under Machine.mu.
type group struct {
	name       string
	gid        uint64
	generation uint64
	assignor   wire.Assignor
	emptied    int64     // when it was made, or its last member has left
	committed  int64     // when the newest of its offsets was committed; 0 if it has none
	members    []*member // by name
	shares     []*share  // by the topic's name
	agendaAt   int32     // in Machine.empty
	noted      bool      // is in notes.groups
}

// member is a consumer that belongs to a group.
type member struct {
	name     string
	joined   uint64 // revision of its last subscription
	joinedAt int64
	session  uint64 // ms
	poll     uint64 // ms
	owned    int    // partitions, of all topics
	topics   int    // that it has subscribed to
}

// due is when a group without members is forgotten.
func (g *group) due() int64 {
	if len(g.members) > 0 {
		return never
	}
	return max(g.emptied, g.committed) + expiry
}

func (g *group) before(other *group) bool { return g.gid < other.gid }

func (g *group) place() *int32 { return &g.agendaAt }

func byMemberName(x *member, name string) int { return strings.Compare(x.name, name) }

// member returns a member, or nil.
func (g *group) member(name string) *member {
	if i, ok := slices.BinarySearchFunc(g.members, name, byMemberName); ok {
		return g.members[i]
	}
	return nil
}

func (g *group) addMember(x *member) {
	i, _ := slices.BinarySearchFunc(g.members, x.name, byMemberName)
	g.members = slices.Insert(g.members, i, x)
}

func (g *group) removeMember(name string) {
	if i, ok := slices.BinarySearchFunc(g.members, name, byMemberName); ok {
		g.members = slices.Delete(g.members, i, i+1)
	}
}

// share returns what the group has to do with a topic, or nil.
func (g *group) share(t *topic) *share {
	// A topic has few groups more often than a group has few topics.
	if i, ok := slices.BinarySearchFunc(t.shares, g.gid, byGroup); ok {
		return t.shares[i]
	}
	return nil
}

// settle finds out again when the newest of the offsets was committed.
func (g *group) settle() {
	g.committed = 0
	for _, sh := range g.shares {
		for i := range sh.commits {
			g.committed = max(g.committed, sh.commits[i].time)
		}
	}
}

func (g *group) append(b []byte) []byte {
	b = wire.AppendUvarint(wire.AppendUvarint(b, g.gid), g.generation)
	return wire.AppendUvarint(append(b, byte(g.assignor)), uint64(g.emptied))
}

func (g *group) decode(p []byte) error {
	r := wire.NewReader(p)
	g.gid, g.generation = r.Uvarint(), r.Uvarint()
	g.assignor, g.emptied = wire.Assignor(r.Byte()), int64(r.Uvarint())
	if r.Close() != nil {
		return errDamaged
	}
	return nil
}

func (x *member) append(b []byte) []byte {
	b = wire.AppendUvarint(wire.AppendUvarint(b, x.joined), uint64(x.joinedAt))
	return wire.AppendUvarint(wire.AppendUvarint(b, x.session), x.poll)
}

func (x *member) decode(p []byte) error {
	r := wire.NewReader(p)
	x.joined, x.joinedAt = r.Uvarint(), int64(r.Uvarint())
	x.session, x.poll = r.Uvarint(), r.Uvarint()
	if r.Close() != nil {
		return errDamaged
	}
	return nil
}

func byGroupName(g *group, name string) int { return strings.Compare(g.name, name) }

// enlistGroup makes a group known.
func (m *Machine) enlistGroup(g *group) {
	m.groups[g.name], m.byGID[g.gid] = g, g
	i, _ := slices.BinarySearchFunc(m.sortedGroups, g.name, byGroupName)
	m.sortedGroups = slices.Insert(m.sortedGroups, i, g)
}

// delistGroup forgets a group that has no members.
func (m *Machine) delistGroup(g *group) {
	delete(m.groups, g.name)
	delete(m.byGID, g.gid)
	if i, ok := slices.BinarySearchFunc(m.sortedGroups, g.name, byGroupName); ok {
		m.sortedGroups = slices.Delete(m.sortedGroups, i, i+1)
	}
	m.empty.remove(g)
	for _, sh := range g.shares {
		sh.t.removeShare(sh)
	}
}

// ensureGroup returns a group. One that is not there is made with the revision and time of the command, to be written by the
// caller; made says so. Its generations begin at that revision: no command raises them by more than one, so a group that is made
// again has none that one of its name has had, and what was committed with those stays refused.
func (m *Machine) ensureGroup(name []byte, rev uint64, now int64) (g *group, made bool, err error) {
	if g := m.groups[string(name)]; g != nil {
		return g, false, nil
	}
	if len(m.groups) >= wire.MaxGroups {
		return nil, false, errTooMany("consumer groups", wire.MaxGroups)
	}
	return &group{name: string(name), gid: rev, generation: rev, emptied: now}, true, nil
}
