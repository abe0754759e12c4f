package fsm

import (
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Topic is a topic as it is at one moment.
type Topic struct {
	Name       string
	ID         uint64 // nobody else has had it: a topic that is made again has another
	Partitions int
	Settings   wire.TopicSettings
}

// topic is what memory has of a topic. The apply goroutine changes it, under Machine.mu.
type topic struct {
	snap    Topic
	created int64
	parts   []*partition
	shares  []*share // of the groups that have to do with it, by gid
	deleted bool
}

// Topic returns a topic; ok is false if it is not there. Any goroutine may call it; it allocates nothing.
func (m *Machine) Topic(name []byte) (t Topic, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if x := m.topics[string(name)]; x != nil {
		return x.snap, true
	}
	return Topic{}, false
}

// find returns a topic, or nil. Apply goroutine only.
func (m *Machine) find(name []byte) *topic {
	if t := m.recent; t != nil && t.snap.Name == string(name) {
		return t
	}
	t := m.topics[string(name)]
	if t != nil {
		m.recent = t
	}
	return t
}

// named is find with an error for a topic that is not there.
func (m *Machine) named(name []byte) (*topic, error) {
	if t := m.find(name); t != nil {
		return t, nil
	}
	return nil, errNoTopic(name)
}

// partition returns a partition by its number.
func (t *topic) partition(no int32) (*partition, error) {
	if no < 0 || int(no) >= len(t.parts) {
		return nil, errNoPartition(t, no)
	}
	return t.parts[no], nil
}

// locate returns a partition of a topic. Under mu.
func (m *Machine) locate(name []byte, no int) (*partition, error) {
	t := m.topics[string(name)]
	if t == nil {
		return nil, errNoTopic(name)
	}
	if no < 0 || no >= len(t.parts) {
		return nil, errNoPartition(t, int32(no))
	}
	return t.parts[no], nil
}

func byTopicName(t *topic, name string) int { return strings.Compare(t.snap.Name, name) }

// enlist makes a topic known, with n empty partitions.
func (m *Machine) enlist(t *topic, n int) {
	m.topics[t.snap.Name], m.byTID[t.snap.ID] = t, t
	i, _ := slices.BinarySearchFunc(m.sortedTopics, t.snap.Name, byTopicName)
	m.sortedTopics = slices.Insert(m.sortedTopics, i, t)
	m.grow(t, n)
}

// grow gives a topic n partitions.
func (m *Machine) grow(t *topic, n int) {
	have := len(t.parts)
	slab := make([]partition, n-have)
	t.parts = slices.Grow(t.parts, len(slab))
	for i := range slab {
		slab[i] = partition{t: t, no: int32(have + i), retainAt: never}
		t.parts = append(t.parts, &slab[i])
	}
	t.snap.Partitions = n
	m.partitions += len(slab)
}

// delist forgets a topic and all that memory has of its partitions.
func (m *Machine) delist(t *topic) {
	delete(m.topics, t.snap.Name)
	delete(m.byTID, t.snap.ID)
	if i, ok := slices.BinarySearchFunc(m.sortedTopics, t.snap.Name, byTopicName); ok {
		m.sortedTopics = slices.Delete(m.sortedTopics, i, i+1)
	}
	m.recent = nil
	m.partitions -= len(t.parts)
	for _, p := range t.parts {
		m.retention.remove(p)
		m.batches -= int64(p.list.count)
		m.bytes -= p.list.bytes()
		m.records -= p.end - p.start
		for _, pr := range p.producers {
			m.producers.remove(pr)
		}
	}
	t.deleted = true
}

// append writes what is known of a topic besides its name.
func (t *topic) append(b []byte) []byte {
	b = wire.AppendUvarint(wire.AppendUvarint(b, t.snap.ID), uint64(t.created))
	c := wire.TopicCreate{Partitions: uint64(len(t.parts)), Settings: t.snap.Settings}
	return c.Append(b)
}

// decode reads what append wrote. It returns the number of partitions.
func (t *topic) decode(p []byte) (int, error) {
	r := wire.NewReader(p)
	t.snap.ID, t.created = r.Uvarint(), int64(r.Uvarint())
	var c wire.TopicCreate
	if r.Err() != nil || c.Decode(r.Rest()) != nil || c.Partitions > wire.MaxPartitions {
		return 0, errDamaged
	}
	t.snap.Settings = c.Settings
	return int(c.Partitions), nil
}
