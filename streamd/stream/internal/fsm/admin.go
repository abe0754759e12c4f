package fsm

import (
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// createTopic serves OpStreamCreate. Num is 1 if it was made.
func createTopic(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.create
	if err := checkCreate(m, &m.p, c.Body); err != nil {
		return err
	}
	if t := m.find(p.Topic); t != nil {
		return t.compare(p)
	}
	n := max(int(p.Partitions), 1)
	switch {
	case len(m.topics) >= wire.MaxTopics:
		return errTooMany("topics", wire.MaxTopics)
	case m.partitions+n > wire.MaxAllPartitions:
		return errPartitions(m.partitions, n)
	}
	t := &topic{created: c.Time, snap: Topic{Name: string(p.Topic), ID: c.Revision, Settings: defaults()}}
	apply(&t.snap.Settings, p)
	m.enlist(t, n)
	b := m.st.Begin()
	m.writeTopic(b, t)
	b.Commit()
	m.noted.topic(t.snap.Name)
	ans.Num = 1
	return nil
}

func errPartitions(have, more int) *wire.Error {
	return wire.Errorf(wire.Full, "there are %d partitions, and %d more would be over the limit of %d: delete topics, or take fewer",
		have, more, wire.MaxAllPartitions)
}

// defaults are the settings of a topic that gives none.
func defaults() wire.TopicSettings {
	return wire.TopicSettings{Retention: wire.DefaultRetention, MaxBytes: -1, MaxMessage: wire.DefaultRecordBytes}
}

// apply changes the settings that are given.
func apply(s *wire.TopicSettings, p *wire.TopicCreate) {
	if p.Fields&wire.TopicHasRetention != 0 {
		s.Retention = p.Settings.Retention
	}
	if p.Fields&wire.TopicHasMaxBytes != 0 {
		s.MaxBytes = p.Settings.MaxBytes
	}
	if p.Fields&wire.TopicHasMaxMessage != 0 {
		s.MaxMessage = p.Settings.MaxMessage
	}
	if p.Fields&wire.TopicHasCompression != 0 {
		s.Compression = p.Settings.Compression
	}
}

// compare is what a create comes to where the topic is there.
func (t *topic) compare(p *wire.TopicCreate) error {
	s := t.snap.Settings
	apply(&s, p)
	switch {
	case p.Partitions != 0 && int(p.Partitions) != len(t.parts):
		return wire.Errorf(wire.Exists, "topic %q is there, with %d partitions and not %d: alter it, or take another name",
			t.snap.Name, len(t.parts), p.Partitions)
	case s != t.snap.Settings:
		return wire.Errorf(wire.Exists, "topic %q is there, with other settings: alter it, or take another name", t.snap.Name)
	}
	return nil
}

func (m *Machine) writeTopic(b *store.Batch, t *topic) {
	m.key = appendNameKey(m.key[:0], kindTopic, t.snap.Name)
	m.value = t.append(m.value[:0])
	b.Set(m.key, m.value, nil)
}

// alterTopic serves OpStreamAlter.
func alterTopic(m *Machine, c *replica.Command, _ *wire.Response) error {
	p := &m.p.create
	if err := checkAlter(m, &m.p, c.Body); err != nil {
		return err
	}
	t, err := m.named(p.Topic)
	if err != nil {
		return err
	}
	n, have := int(p.Partitions), len(t.parts)
	if n == 0 {
		n = have
	}
	switch {
	case n < have:
		return wire.Errorf(wire.Invalid, "topic %q has %d partitions: it can get more, not go down to %d", t.snap.Name, have, n)
	case m.partitions+n-have > wire.MaxAllPartitions:
		return errPartitions(m.partitions, n-have)
	}
	apply(&t.snap.Settings, p)
	b := m.st.Begin()
	if n > have {
		m.grow(t, n)
		for _, sh := range t.shares {
			if len(sh.subs) > 0 {
				sh.g.generation++
				sh.balance(sh.g.generation)
				m.writeShare(b, sh)
				m.writeGroup(b, sh.g)
				m.noted.group(sh.g)
			}
		}
	}
	m.writeTopic(b, t)
	b.Commit()
	for _, x := range t.parts {
		m.schedule(x)
	}
	m.noted.topic(t.snap.Name)
	return nil
}

// deleteTopic serves OpStreamDelete. Num is how many records the topic kept. What it had in the store is collected.
func deleteTopic(m *Machine, c *replica.Command, ans *wire.Response) error {
	if err := checkTopic(m, &m.p, c.Body); err != nil {
		return err
	}
	t, err := m.named(c.Body)
	if err != nil {
		return err
	}
	for _, p := range t.parts {
		ans.Num += p.end - p.start
	}
	b := m.st.Begin()
	for _, sh := range t.shares {
		g := sh.g
		g.removeShare(sh)
		if len(sh.subs) > 0 {
			for _, s := range sh.subs {
				s.x.topics--
				s.x.owned -= len(s.parts)
			}
			g.generation++
			m.writeGroup(b, g)
			m.noted.group(g)
		}
		g.settle()
		m.empty.set(g)
	}
	m.delist(t)
	m.key = appendNameKey(m.key[:0], kindTopic, t.snap.Name)
	b.Delete(m.key)
	m.discard(b, keys.Append(nil, kindTrash, t.snap.ID))
	b.Commit()
	m.noted.topic(t.snap.Name)
	return nil
}
