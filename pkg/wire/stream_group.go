package wire

// Assignor is how the partitions of a topic are shared among the members of a group that have subscribed to it.
type Assignor uint8

// The assignors. A group has that of its first member.
const (
	AssignSticky Assignor = 0 // evenly; a member keeps what it has where it can
	AssignRange  Assignor = 1 // evenly; in order of partitions and of members' names
)

// StreamSubscribe makes a consumer a member of a group, and makes it own partitions of a topic (OpStreamSubscribe). A
// member may subscribe to several topics. One that is a member already begins anew: what it has consumed and not committed
// comes again. The answer's Body is a StreamAssignment.
type StreamSubscribe struct {
	Topic    []byte
	Group    []byte
	Consumer []byte
	Latest   bool     // a group without offsets in the topic begins behind the last record, not at the first
	Assignor Assignor // Conflict if the group has members and another
	Session  uint64   // ms of silence after which the member is removed; 0 is DefaultSession
	Poll     uint64   // ms without a consume after which it is removed; 0 is DefaultPoll
}

// Append appends the payload to b.
func (m *StreamSubscribe) Append(b []byte) []byte {
	b = AppendBytes(AppendBytes(AppendBytes(b, m.Topic), m.Group), m.Consumer)
	b = append(b, boolByte(m.Latest), byte(m.Assignor))
	return AppendUvarint(AppendUvarint(b, m.Session), m.Poll)
}

// Decode reads the payload p.
func (m *StreamSubscribe) Decode(p []byte) error {
	r := NewReader(p)
	m.Topic, m.Group, m.Consumer = r.Bytes(), r.Bytes(), r.Bytes()
	m.Latest, m.Assignor = r.Byte() != 0, Assignor(r.Byte())
	m.Session, m.Poll = r.Uvarint(), r.Uvarint()
	return r.Close()
}

// StreamAssignment is what a member owns of a topic.
type StreamAssignment struct {
	Generation uint64 // of the group; grows with every change of its members or of what they own
	Partitions []int32
}

// Append appends the payload to b.
func (m *StreamAssignment) Append(b []byte) []byte {
	b = AppendUvarint(AppendUvarint(b, m.Generation), uint64(len(m.Partitions)))
	for _, p := range m.Partitions {
		b = AppendUvarint(b, uint64(p))
	}
	return b
}

// Decode reads the payload p. It keeps the capacity of m.Partitions.
func (m *StreamAssignment) Decode(p []byte) error {
	r := NewReader(p)
	m.Generation = r.Uvarint()
	m.Partitions = m.Partitions[:0]
	for n := r.Count(MaxPartitions); n > 0; n-- {
		m.Partitions = append(m.Partitions, int32(r.Uvarint()))
	}
	return r.Close()
}

// StreamMember names a member of a group: to leave a topic (OpStreamUnsubscribe: Num is 1 if it had subscribed, else 0; an empty
// Topic is all topics) or to say that it is alive (OpStreamHeartbeat: Body is its StreamAssignment of the topic; Fenced if it is no
// member).
type StreamMember struct {
	Topic    []byte
	Group    []byte
	Consumer []byte
}

// Append appends the payload to b.
func (m *StreamMember) Append(b []byte) []byte {
	return AppendBytes(AppendBytes(AppendBytes(b, m.Topic), m.Group), m.Consumer)
}

// Decode reads the payload p.
func (m *StreamMember) Decode(p []byte) error {
	r := NewReader(p)
	m.Topic, m.Group, m.Consumer = r.Bytes(), r.Bytes(), r.Bytes()
	return r.Close()
}

// StreamConsume hands out records of the partitions that a member owns, and moves its positions there (OpStreamConsume). The
// answer's Body is a StreamConsumed, Num how many records it hands out; 0 if there are none within Wait. Fenced: it is not, or
// is no longer, a member that has subscribed to the topic.
type StreamConsume struct {
	Topic    []byte
	Group    []byte
	Consumer []byte
	Count    uint64 // records, at most, 1 to MaxBatch
	MaxBytes uint64 // of whole batches, but at least one; 0 is 4 MiB, at most MaxFetchBytes
	Wait     uint64 // ms, at most MaxFetchWait
	// Turn numbers a member's consumes from 1. One that is asked for again, because its answer was lost, hands out just what
	// that had, as far as the member owns it, and does not wait; one before the newest is Fenced, since who counts asks for none:
	// another client consumes in the member's name. 0: the member does not count.
	Turn uint64
	// Plain is that of a StreamFetch.
	Plain uint64
}

// Append appends the payload to b.
func (m *StreamConsume) Append(b []byte) []byte {
	b = AppendBytes(AppendBytes(AppendBytes(b, m.Topic), m.Group), m.Consumer)
	b = AppendUvarint(AppendUvarint(b, m.Count), m.MaxBytes)
	return AppendUvarint(AppendUvarint(AppendUvarint(b, m.Wait), m.Turn), m.Plain)
}

// Decode reads the payload p.
func (m *StreamConsume) Decode(p []byte) error {
	r := NewReader(p)
	m.Topic, m.Group, m.Consumer = r.Bytes(), r.Bytes(), r.Bytes()
	m.Count, m.MaxBytes, m.Wait, m.Turn, m.Plain = r.Uvarint(), r.Uvarint(), r.Uvarint(), r.Uvarint(), r.Uvarint()
	return r.Close()
}

// The answer to a StreamConsume is the group's generation as a uvarint, to be given with commits, then a list of StreamSection.

// StreamCommit says how far a group is done with partitions (OpStreamCommit), all or none. Num is how many offsets it has.
//
// With a Generation it counts only if nobody else has owned any of the partitions since, and with a Consumer only if that owns them:
// else Fenced. With neither it always counts. An offset below 0 or behind the partition's end is OutOfRange.
type StreamCommit struct {
	Topic      []byte
	Group      []byte
	Consumer   []byte
	Generation uint64
	Offsets    []StreamCommitted
}

// StreamCommitted is how far a group is done with a partition.
type StreamCommitted struct {
	Partition int32
	Offset    int64 // of the next record to read
	Metadata  []byte
}

// Append appends the payload to b.
func (m *StreamCommit) Append(b []byte) []byte {
	b = AppendBytes(AppendBytes(AppendBytes(b, m.Topic), m.Group), m.Consumer)
	b = AppendUvarint(AppendUvarint(b, m.Generation), uint64(len(m.Offsets)))
	for i := range m.Offsets {
		o := &m.Offsets[i]
		b = AppendBytes(AppendVarint(AppendVarint(b, int64(o.Partition)), o.Offset), o.Metadata)
	}
	return b
}

// Decode reads the payload p. It keeps the capacity of m.Offsets.
func (m *StreamCommit) Decode(p []byte) error {
	r := NewReader(p)
	m.Topic, m.Group, m.Consumer = r.Bytes(), r.Bytes(), r.Bytes()
	m.Generation = r.Uvarint()
	m.Offsets = m.Offsets[:0]
	for n := r.Count(MaxPartitions); n > 0; n-- {
		m.Offsets = append(m.Offsets, StreamCommitted{Partition: takePartition(&r), Offset: r.Varint(), Metadata: r.Bytes()})
	}
	return r.Close()
}

// StreamSeek moves a member's position in a partition that it owns (OpStreamSeek): the next consume begins there. It does not
// change what is committed. Fenced: the member does not own the partition; OutOfRange as for a fetch. Num is the offset.
type StreamSeek struct {
	Topic     []byte
	Group     []byte
	Consumer  []byte
	Partition int32
	Offset    int64 // or OffsetLatest, OffsetEarliest
}

// Append appends the payload to b.
func (m *StreamSeek) Append(b []byte) []byte {
	b = AppendBytes(AppendBytes(AppendBytes(b, m.Topic), m.Group), m.Consumer)
	return AppendVarint(AppendVarint(b, int64(m.Partition)), m.Offset)
}

// Decode reads the payload p.
func (m *StreamSeek) Decode(p []byte) error {
	r := NewReader(p)
	m.Topic, m.Group, m.Consumer = r.Bytes(), r.Bytes(), r.Bytes()
	m.Partition, m.Offset = takePartition(&r), r.Varint()
	return r.Close()
}

// StreamReset moves a group's committed offsets in a topic (OpStreamReset), and its members to them: commits of what they hold
// are Fenced from then on. Num is how many partitions it concerned. Body is a list of StreamOffset.
type StreamReset struct {
	Topic     []byte
	Group     []byte
	Partition int32 // or AnyPartition for all
	Offset    int64 // or OffsetLatest, OffsetEarliest; with ByTime a time: the first record that is not older
	ByTime    bool
	// Resolved is what the engine puts in before it proposes the command: clients leave it empty.
	Resolved []StreamOffset
}

// Append appends the payload to b.
func (m *StreamReset) Append(b []byte) []byte {
	b = AppendVarint(AppendBytes(AppendBytes(b, m.Topic), m.Group), int64(m.Partition))
	b = append(AppendVarint(b, m.Offset), boolByte(m.ByTime))
	b = AppendUvarint(b, uint64(len(m.Resolved)))
	for _, o := range m.Resolved {
		b = AppendStreamOffset(b, o)
	}
	return b
}

// Decode reads the payload p. It keeps the capacity of m.Resolved.
func (m *StreamReset) Decode(p []byte) error {
	r := NewReader(p)
	m.Topic, m.Group, m.Partition = r.Bytes(), r.Bytes(), takePartition(&r)
	m.Offset, m.ByTime = r.Varint(), r.Byte() != 0
	m.Resolved = m.Resolved[:0]
	for n := r.Count(MaxPartitions); n > 0; n-- {
		m.Resolved = append(m.Resolved, TakeStreamOffset(&r))
	}
	return r.Close()
}

// StreamGroupName names a group, and a topic where that matters: to look at it (OpStreamGroup: Body is a GroupInfo; NotFound) or to
// forget it (OpStreamDeleteGroup: NotFound, or Conflict while it has members).
type StreamGroupName struct {
	Group []byte
	Topic []byte // OpStreamGroup: of this topic alone; empty: all
}

// Append appends the payload to b.
func (m *StreamGroupName) Append(b []byte) []byte {
	return AppendBytes(AppendBytes(b, m.Group), m.Topic)
}

// Decode reads the payload p.
func (m *StreamGroupName) Decode(p []byte) error {
	r := NewReader(p)
	m.Group, m.Topic = r.Bytes(), r.Bytes()
	return r.Close()
}
