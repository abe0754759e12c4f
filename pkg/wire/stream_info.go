package wire

// GroupSummary is an element of a list of consumer groups.
type GroupSummary struct {
	Name       []byte
	Generation uint64
	Members    uint64
	Topics     uint64 // that it has offsets or members in
	Lag        uint64 // records behind what is committed, over all partitions that it has an offset or an owner in
}

// AppendGroupSummary appends g as an element of a list.
func AppendGroupSummary(b []byte, g *GroupSummary) []byte {
	b = AppendBytes(b, g.Name)
	for _, v := range [...]uint64{g.Generation, g.Members, g.Topics, g.Lag} {
		b = AppendUvarint(b, v)
	}
	return b
}

// TakeGroupSummary reads the next element of a list.
func TakeGroupSummary(r *Reader, g *GroupSummary) {
	g.Name = r.Bytes()
	for _, v := range [...]*uint64{&g.Generation, &g.Members, &g.Topics, &g.Lag} {
		*v = r.Uvarint()
	}
}

// GroupMember is a member of a group.
type GroupMember struct {
	Name    []byte
	Session uint64 // ms
	Poll    uint64 // ms
	Joined  int64  // when it subscribed last
}

// GroupPartition is what a group has to do with a partition.
type GroupPartition struct {
	Topic      []byte
	Partition  int32
	Owner      uint64 // index in Members plus 1; 0: nobody
	Since      uint64 // generation since which the owner has it
	Committed  int64  // -1: nothing
	Time       int64  // when that was committed
	Metadata   []byte
	Start, End int64 // of the partition
}

// Lag is how many records are kept behind what is committed.
func (p *GroupPartition) Lag() int64 { return p.End - max(p.Committed, p.Start) }

// GroupInfo is what is known of a consumer group.
type GroupInfo struct {
	Name       []byte
	Generation uint64
	Assignor   Assignor
	Members    []GroupMember    // by name
	Partitions []GroupPartition // by topic and partition: those with an owner or an offset
}

// Append appends the payload to b.
func (m *GroupInfo) Append(b []byte) []byte {
	b = append(AppendUvarint(AppendBytes(b, m.Name), m.Generation), byte(m.Assignor))
	b = AppendUvarint(b, uint64(len(m.Members)))
	for i := range m.Members {
		x := &m.Members[i]
		b = AppendUvarint(AppendUvarint(AppendBytes(b, x.Name), x.Session), x.Poll)
		b = AppendUvarint(b, uint64(x.Joined))
	}
	b = AppendUvarint(b, uint64(len(m.Partitions)))
	for i := range m.Partitions {
		p := &m.Partitions[i]
		b = AppendVarint(AppendBytes(b, p.Topic), int64(p.Partition))
		b = AppendUvarint(AppendUvarint(b, p.Owner), p.Since)
		b = AppendBytes(AppendVarint(AppendVarint(b, p.Committed), p.Time), p.Metadata)
		b = AppendUvarint(AppendUvarint(b, uint64(p.Start)), uint64(p.End))
	}
	return b
}

// Decode reads the payload p.
func (m *GroupInfo) Decode(p []byte) error {
	r := NewReader(p)
	m.Name, m.Generation, m.Assignor = r.Bytes(), r.Uvarint(), Assignor(r.Byte())
	m.Members = make([]GroupMember, r.Count(MaxMembers))
	for i := range m.Members {
		m.Members[i] = GroupMember{Name: r.Bytes(), Session: r.Uvarint(), Poll: r.Uvarint(), Joined: int64(r.Uvarint())}
	}
	n := r.Count(MaxAllPartitions)
	m.Partitions = m.Partitions[:0]
	for ; n > 0 && r.Err() == nil; n-- {
		x := GroupPartition{Topic: r.Bytes(), Partition: takePartition(&r), Owner: r.Uvarint(), Since: r.Uvarint()}
		x.Committed, x.Time, x.Metadata = r.Varint(), r.Varint(), r.Bytes()
		x.Start, x.End = int64(r.Uvarint()), int64(r.Uvarint())
		m.Partitions = append(m.Partitions, x)
	}
	return r.Close()
}

// StreamEvict removes members that have stopped (OpStreamEvict, proposed by the engine itself). One that has subscribed again
// since is left alone. Num is how many were removed.
type StreamEvict struct {
	Group   []byte
	Members []StreamEvicted
}

// StreamEvicted names a member, and which of its subscriptions has run out.
type StreamEvicted struct {
	Consumer []byte
	Joined   uint64 // revision of the subscription
}

// Append appends the payload to b.
func (m *StreamEvict) Append(b []byte) []byte {
	b = AppendUvarint(AppendBytes(b, m.Group), uint64(len(m.Members)))
	for _, x := range m.Members {
		b = AppendUvarint(AppendBytes(b, x.Consumer), x.Joined)
	}
	return b
}

// Decode reads the payload p.
func (m *StreamEvict) Decode(p []byte) error {
	r := NewReader(p)
	m.Group = r.Bytes()
	m.Members = m.Members[:0]
	for n := r.Count(MaxMembers); n > 0; n-- {
		m.Members = append(m.Members, StreamEvicted{Consumer: r.Bytes(), Joined: r.Uvarint()})
	}
	return r.Close()
}

// OpStreamRetain, OpStreamExpire and OpStreamCollect have as payload how much they may do, as a uvarint. Num is how much they did,
// Rev 0 that there was nothing to do.
