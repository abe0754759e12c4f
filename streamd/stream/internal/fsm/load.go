package fsm

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Reset reads from the store what is kept in memory and forgets the rest, after the installation of a snapshot, and tells of all
// topics that there were and that there are: there is no entry that would wake those who wait for what the snapshot has brought.
// Apply goroutine only.
func (m *Machine) Reset() error {
	told := m.topics
	if err := m.load(); err != nil {
		return err
	}
	if m.o.OnTopic == nil {
		return nil
	}
	for name := range told {
		if m.topics[name] == nil {
			m.o.OnTopic(name)
		}
	}
	for _, t := range m.sortedTopics {
		m.o.OnTopic(t.snap.Name)
	}
	return nil
}

// load is Reset without telling anybody.
func (m *Machine) load() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.topics, m.byTID, m.sortedTopics, m.recent = map[string]*topic{}, map[uint64]*topic{}, nil, nil
	m.groups, m.byGID, m.sortedGroups = map[string]*group{}, map[uint64]*group{}, nil
	m.partitions, m.members, m.batches, m.bytes, m.records = 0, 0, 0, 0, 0
	m.retention, m.empty, m.producers = newAgenda[*partition](), newAgenda[*group](), producerList{}
	m.trash, m.noted = nil, notes{}
	if err := m.loadAll(); err != nil {
		return fmt.Errorf("stream: reading the store: %w", err)
	}
	m.index.Store(m.st.Applied().Index)
	return nil
}

// loader is what is only of interest while the store is being read.
type loader struct {
	m         *Machine
	producers []*producer
	recent    *partition
	tid       uint64 // of recent
	no        int32  // likewise
}

// loadAll reads the kinds of keys in an order in which each finds what it needs. What belongs to a topic or a group that is not
// there has been put aside.
func (m *Machine) loadAll() error {
	l := &loader{m: m}
	v := m.st.View()
	defer v.Close()
	for _, k := range [...]struct {
		kind  byte
		heads bool
		fn    func(key []byte, v store.Value) error
	}{
		{kindTopic, true, l.topic},
		{kindTrash, false, l.trash},
		{kindBatch, true, l.batch},
		{kindPartition, true, l.partition},
		{kindProducer, true, l.producer},
		{kindGroup, true, l.group},
		{kindMember, true, l.member},
		{kindShare, false, l.share},
		{kindOffset, false, l.offset},
	} {
		var failed error
		err := v.Iterate([]byte{k.kind}, []byte{k.kind + 1}, store.IterOptions{HeadsOnly: k.heads}, func(key []byte, v store.Value) bool {
			failed = k.fn(key, v)
			return failed == nil
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return err
		}
	}
	l.settle()
	return nil
}

func (l *loader) topic(key []byte, v store.Value) error {
	t := &topic{snap: Topic{Name: string(key[1:])}}
	n, err := t.decode(v.Head)
	if err != nil {
		return err
	}
	l.m.enlist(t, n)
	return nil
}

func (l *loader) trash(key []byte, v store.Value) error {
	l.m.trash = append(l.m.trash, trash{key: bytes.Clone(key), mark: bytes.Clone(v.Body)})
	return nil
}

// find returns the partition of a key, nil if its topic is not there.
func (l *loader) find(tid uint64, no int32) (*partition, error) {
	if l.recent != nil && l.tid == tid && l.no == no {
		return l.recent, nil
	}
	t := l.m.byTID[tid]
	if t == nil {
		return nil, nil
	}
	p, err := t.partition(no)
	if err != nil {
		return nil, errDamaged
	}
	l.recent, l.tid, l.no = p, tid, no
	return p, nil
}

// batch adds a batch. The first of a partition says where that starts, unless nothing of it is left: then its own key does.
func (l *loader) batch(key []byte, v store.Value) error {
	k := readKey(key)
	tid, no, base := k.number(), k.partition(), int64(k.number())
	if err := k.close(); err != nil {
		return err
	}
	p, err := l.find(tid, no)
	if p == nil || err != nil {
		return err
	}
	records, size, time, err := decodeHead(v.Head)
	if err != nil {
		return err
	}
	if p.list.count == 0 {
		p.start, p.end = base, base
	}
	if base != p.end {
		return errDamaged
	}
	l.m.keep(p, records, size, time)
	return nil
}

func (l *loader) partition(key []byte, v store.Value) error {
	k := readKey(key)
	tid, no := k.number(), k.partition()
	if err := k.close(); err != nil {
		return err
	}
	p, err := l.find(tid, no)
	if p == nil || err != nil {
		return err
	}
	r := wire.NewReader(v.Head)
	start, end := int64(r.Uvarint()), int64(r.Uvarint())
	if r.Close() != nil || p.list.count > 0 && start != p.start {
		return errDamaged
	}
	p.start, p.end = start, max(end, p.end)
	return nil
}

func (l *loader) producer(key []byte, v store.Value) error {
	k := readKey(key)
	tid, no, pid := k.number(), k.partition(), int64(k.number())
	if err := k.close(); err != nil {
		return err
	}
	p, err := l.find(tid, no)
	if p == nil || err != nil {
		return err
	}
	pr := &producer{p: p, pid: pid}
	l.producers = append(l.producers, pr)
	return pr.decode(v.Head)
}

func (l *loader) group(key []byte, v store.Value) error {
	g := &group{name: string(key[1:])}
	if err := g.decode(v.Head); err != nil {
		return err
	}
	l.m.enlistGroup(g)
	return nil
}

func (l *loader) member(key []byte, v store.Value) error {
	k := readKey(key)
	g := l.m.byGID[k.number()]
	if k.bad || g == nil {
		return errDamaged // members leave before their group goes
	}
	x := &member{name: string(k.rest)}
	g.addMember(x)
	l.m.members++
	return x.decode(v.Head)
}

func (l *loader) share(key []byte, v store.Value) error {
	k := readKey(key)
	tid, gid := k.number(), k.number()
	if err := k.close(); err != nil {
		return err
	}
	t := l.m.byTID[tid]
	if t == nil {
		return nil
	}
	g := l.m.byGID[gid]
	if g == nil {
		return errDamaged
	}
	return g.ensureShare(t).decode(v.Body)
}

func (l *loader) offset(key []byte, v store.Value) error {
	k := readKey(key)
	tid, gid, no := k.number(), k.number(), k.partition()
	if err := k.close(); err != nil {
		return err
	}
	t, g := l.m.byTID[tid], l.m.byGID[gid]
	if t == nil || g == nil {
		return nil
	}
	r := wire.NewReader(v.Head)
	c := commit{partition: no, offset: int64(r.Uvarint()), time: int64(r.Uvarint()), meta: string(v.Body)}
	if r.Close() != nil || int(no) >= len(t.parts) {
		return errDamaged
	}
	g.ensureShare(t).set(c)
	return nil
}

// settle does what needs all of the rest.
func (l *loader) settle() {
	slices.SortFunc(l.producers, func(a, b *producer) int { return cmp.Compare(a.rev, b.rev) })
	for _, pr := range l.producers {
		l.m.producers.renew(pr)
	}
	for _, g := range l.m.sortedGroups {
		l.m.empty.set(g)
	}
}
