package fsm

import (
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// subscribe serves OpStreamSubscribe. The answer's Body is what the consumer owns of the topic.
func subscribe(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.subscribe
	if err := checkSubscribe(m, &m.p, c.Body); err != nil {
		return err
	}
	t, err := m.named(p.Topic)
	if err != nil {
		return err
	}
	g, made, err := m.ensureGroup(p.Group, c.Revision, c.Time)
	if err != nil {
		return err
	}
	x := g.member(string(p.Consumer))
	switch {
	case len(g.members) > 0 && p.Assignor != g.assignor:
		return wire.Errorf(wire.Conflict, "the members of group %q share their partitions by assignor %d, not %d: subscribe with that one", g.name, g.assignor, p.Assignor)
	case x == nil && len(g.members) >= wire.MaxMembers:
		return errTooMany("members of the group", wire.MaxMembers)
	}
	if made {
		m.enlistGroup(g)
	}
	g.assignor = p.Assignor
	if x == nil {
		x = &member{name: string(p.Consumer)}
		g.addMember(x)
		m.members++
		m.empty.remove(g)
	}
	x.joined, x.joinedAt, x.session, x.poll = c.Revision, c.Time, p.Session, p.Poll
	if x.session == 0 {
		x.session = wire.DefaultSession
	}
	if x.poll == 0 {
		x.poll = wire.DefaultPoll
	}
	b := m.st.Begin()
	m.writeMember(b, g, x)
	sh := g.ensureShare(t)
	others := len(sh.subs)
	s := sh.subscriber(x.name)
	if s != nil {
		s.begun = c.Revision
		others--
	} else {
		g.generation++
		sh.subscribe(x, c.Revision)
		sh.balance(g.generation)
		s = sh.subscriber(x.name)
	}
	if p.Latest && others == 0 && len(sh.commits) == 0 {
		// Nobody consumes the topic in this group, and nobody has: it begins here.
		for _, part := range t.parts {
			m.commit(b, sh, commit{partition: part.no, offset: part.end, time: c.Time}, nil)
		}
	}
	m.writeShare(b, sh)
	m.writeGroup(b, g)
	b.Commit()
	m.noted.group(g)
	a := wire.StreamAssignment{Generation: g.generation, Partitions: s.parts}
	m.out = a.Append(m.out[:0])
	ans.Body = m.out
	return nil
}

func (m *Machine) writeGroup(b *store.Batch, g *group) {
	m.key = appendNameKey(m.key[:0], kindGroup, g.name)
	m.value = g.append(m.value[:0])
	b.Set(m.key, m.value, nil)
}

func (m *Machine) writeMember(b *store.Batch, g *group, x *member) {
	m.key = appendMemberKey(m.key[:0], g.gid, x.name)
	m.value = x.append(m.value[:0])
	b.Set(m.key, m.value, nil)
}

// writeShare writes who has subscribed and who owns what, as far as that is anybody.
func (m *Machine) writeShare(b *store.Batch, sh *share) {
	m.key = keys.Append(m.key[:0], kindShare, sh.t.snap.ID, sh.g.gid)
	if len(sh.subs) == 0 {
		b.Delete(m.key)
		return
	}
	b.Set(m.key, nil, sh.append(nil)) // the store keeps it
}
