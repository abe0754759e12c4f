package fsm

import (
	"slices"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// unsubscribe serves OpStreamUnsubscribe. Num is 1 if the consumer had subscribed to what it leaves.
func unsubscribe(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.member
	if err := checkUnsubscribe(m, &m.p, c.Body); err != nil {
		return err
	}
	var t *topic
	if len(p.Topic) > 0 {
		var err error
		if t, err = m.named(p.Topic); err != nil {
			return err
		}
	}
	g := m.groups[string(p.Group)]
	if g == nil {
		return nil
	}
	x := g.member(string(p.Consumer))
	if x == nil {
		return nil
	}
	if t == nil {
		ans.Num = 1
		m.leave(c, g, []*member{x})
		return nil
	}
	sh := g.share(t)
	if sh == nil || !sh.leave(x.name) {
		return nil
	}
	ans.Num = 1
	if x.topics == 0 {
		m.leave(c, g, []*member{x}, sh)
		return nil
	}
	g.generation++
	b := m.st.Begin()
	m.rebalance(b, sh)
	m.writeGroup(b, g)
	b.Commit()
	m.noted.group(g)
	return nil
}

// evict serves OpStreamEvict. Num is how many members were removed.
func evict(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.evict
	if err := checkEvict(m, &m.p, c.Body); err != nil {
		return err
	}
	g := m.groups[string(p.Group)]
	if g == nil {
		return nil
	}
	var gone []*member
	for _, e := range p.Members {
		if x := g.member(string(e.Consumer)); x != nil && x.joined == e.Joined && !slices.Contains(gone, x) {
			gone = append(gone, x)
		}
	}
	if len(gone) > 0 {
		m.leave(c, g, gone)
	}
	ans.Num = int64(len(gone))
	return nil
}

// leave removes members from a group. touched are the shares that they have been taken out of already.
func (m *Machine) leave(c *replica.Command, g *group, gone []*member, touched ...*share) {
	b := m.st.Begin()
	for _, x := range gone {
		g.removeMember(x.name)
		m.members--
		m.key = appendMemberKey(m.key[:0], g.gid, x.name)
		b.Delete(m.key)
	}
	g.generation++
	for _, sh := range slices.Clone(g.shares) {
		left := slices.Contains(touched, sh)
		for _, x := range gone {
			left = sh.leave(x.name) || left
		}
		if left {
			m.rebalance(b, sh)
		}
	}
	if len(g.members) == 0 {
		g.emptied = c.Time
	}
	m.writeGroup(b, g)
	b.Commit()
	m.empty.set(g)
	m.noted.group(g)
}

// rebalance shares a topic anew among those who are left, in the group's new generation.
func (m *Machine) rebalance(b *store.Batch, sh *share) {
	sh.balance(sh.g.generation)
	m.writeShare(b, sh)
	sh.tidy()
}

// deleteGroup serves OpStreamDeleteGroup.
func deleteGroup(m *Machine, c *replica.Command, _ *wire.Response) error {
	p := &m.p.group
	if err := checkGroupName(m, &m.p, c.Body); err != nil {
		return err
	}
	g := m.groups[string(p.Group)]
	switch {
	case g == nil:
		return errNoGroup(p.Group)
	case len(g.members) > 0:
		return wire.Errorf(wire.Conflict, "group %q has %d members: it can be deleted when all have left", g.name, len(g.members))
	}
	b := m.st.Begin()
	m.forget(b, g)
	b.Commit()
	return nil
}

// forget removes a group that has no members. Its offsets are collected.
func (m *Machine) forget(b *store.Batch, g *group) {
	m.key = appendNameKey(m.key[:0], kindGroup, g.name)
	b.Delete(m.key)
	for _, sh := range g.shares {
		m.discard(b, keys.Append(nil, kindTrash, sh.t.snap.ID, g.gid))
	}
	m.delistGroup(g)
	m.noted.group(g)
}
