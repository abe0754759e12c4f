package fsm

import (
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// commitOffsets serves OpStreamCommit: all offsets or none. Num is how many.
func commitOffsets(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.commit
	if err := checkCommit(m, &m.p, c.Body); err != nil {
		return err
	}
	t, err := m.named(p.Topic)
	if err != nil {
		return err
	}
	for i := range p.Offsets {
		o := &p.Offsets[i]
		part, err := t.partition(o.Partition)
		if err != nil {
			return err
		}
		if o.Offset < 0 || o.Offset > part.end {
			return wire.Errorf(wire.OutOfRange, "offset %d is out of range: in partition %d of topic %q 0 to %d can be committed",
				o.Offset, part.no, t.snap.Name, part.end)
		}
	}
	g, made, err := m.ensureGroup(p.Group, c.Revision, c.Time)
	if err != nil {
		return err
	}
	if err := g.fence(t, p); err != nil {
		return err
	}
	b := m.st.Begin()
	if made {
		m.enlistGroup(g)
		m.writeGroup(b, g)
	}
	sh := g.ensureShare(t)
	for i := range p.Offsets {
		o := &p.Offsets[i]
		m.commit(b, sh, commit{partition: o.Partition, offset: o.Offset, time: c.Time, meta: string(o.Metadata)}, o.Metadata)
	}
	b.Commit()
	m.empty.set(g)
	ans.Num = int64(len(p.Offsets))
	return nil
}

// fence refuses a commit of somebody who has lost a partition that it names.
func (g *group) fence(t *topic, p *wire.StreamCommit) error {
	if p.Generation == 0 && len(p.Consumer) == 0 {
		return nil
	}
	if p.Generation > g.generation {
		return wire.Errorf(wire.Fenced, "group %q has come to generation %d, the commit says %d: subscribe again", g.name, g.generation, p.Generation)
	}
	sh := g.share(t)
	for i := range p.Offsets {
		no := p.Offsets[i].Partition
		// What nobody owns may have been somebody's until now.
		since, name := g.generation, ""
		if sh != nil && len(sh.owners) > 0 {
			o := &sh.owners[no]
			since, name = o.since, o.s.x.name
		}
		switch {
		case len(p.Consumer) > 0 && name != string(p.Consumer):
			return wire.Errorf(wire.Fenced, "consumer %q does not own partition %d of topic %q in group %q: subscribe again, and consume from what is committed",
				p.Consumer, no, t.snap.Name, g.name)
		case p.Generation > 0 && p.Generation < since:
			return wire.Errorf(wire.Fenced, "partition %d of topic %q has been given away or reset in group %q since generation %d: it is at %d now",
				no, t.snap.Name, g.name, p.Generation, g.generation)
		}
	}
	return nil
}

// commit notes and writes what is committed of a partition. meta is that of c, which the store keeps.
func (m *Machine) commit(b *store.Batch, sh *share, c commit, meta []byte) {
	sh.set(c)
	m.key = appendOffsetKey(m.key[:0], sh.t.snap.ID, sh.g.gid, c.partition)
	m.value = wire.AppendUvarint(wire.AppendUvarint(m.value[:0], uint64(c.offset)), uint64(c.time))
	b.Set(m.key, m.value, meta)
}

// resetOffsets serves OpStreamReset, with the offsets that the engine has found out. Num is how many.
func resetOffsets(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.reset
	if err := checkResolved(&m.p, c.Body); err != nil {
		return err
	}
	t, err := m.named(p.Topic)
	if err != nil {
		return err
	}
	for _, o := range p.Resolved {
		part, err := t.partition(o.Partition)
		if err != nil {
			return err
		}
		if o.Offset < 0 || o.Offset > part.end {
			return errOffset(part, o.Offset)
		}
	}
	g, made, err := m.ensureGroup(p.Group, c.Revision, c.Time)
	if err != nil {
		return err
	}
	if made {
		m.enlistGroup(g)
	}
	g.generation++
	b := m.st.Begin()
	sh := g.ensureShare(t)
	m.out = m.out[:0]
	for _, o := range p.Resolved {
		m.out = wire.AppendStreamOffset(m.out, o)
		m.commit(b, sh, commit{partition: o.Partition, offset: o.Offset, time: c.Time}, nil)
		if len(sh.owners) > 0 {
			sh.owners[o.Partition].since = g.generation
		}
	}
	if len(sh.owners) > 0 {
		m.writeShare(b, sh)
	}
	m.writeGroup(b, g)
	b.Commit()
	m.empty.set(g)
	m.noted.group(g)
	ans.Num, ans.Body = int64(len(p.Resolved)), m.out
	return nil
}
