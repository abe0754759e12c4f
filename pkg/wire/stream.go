package wire

// The payloads of the stream engine. Times are milliseconds since 1970, durations milliseconds. Records travel as Kafka record
// batches of version 2 (package record), except in StreamPublish. Slices that a decoder returns share memory with the payload.

// Bounds of the stream engine.
const (
	MaxPartitions    = 10_000                    // partitions of a topic
	MaxAllPartitions = 200_000                   // partitions of all topics together
	MaxTopics        = 10_000                    // topics
	MaxRecord        = 8 << 20                   // bytes of a record's key, value and headers
	MaxRecordBatch   = 12 << 20                  // bytes of a record batch as it travels
	MaxRetention     = 100 * 365 * 24 * 3600_000 // ms that a topic may keep records for, if it does not keep them for ever
	MaxGroups        = 10_000                    // consumer groups
	MaxMembers       = 1_000                     // members of a consumer group
	MaxSession       = 30 * 60_000               // ms that a member may be silent for
	MaxPoll          = 24 * 3600_000             // ms between two consumes of a member
	MaxFetchWait     = 5 * 60_000                // ms that a fetch or a consume may wait
	MaxFetchBytes    = 8 << 20                   // bytes of batches in one answer, but at least one batch
	MaxMetadata      = 4 << 10                   // bytes of the metadata of a committed offset
	// MaxProducers is how many pairs of a producer and a partition are remembered. Over it a batch of a new pair is Full.
	MaxProducers = 1_000_000
)

// Defaults of a topic and of a member.
const (
	DefaultRetention   = 7 * 24 * 3600_000 // ms; of a topic that was made by a publish
	DefaultRecordBytes = 1 << 20           // largest record of a topic
	DefaultSession     = 10_000            // ms
	DefaultPoll        = 5 * 60_000        // ms
)

// Places in a partition, where an offset is asked for.
const (
	OffsetLatest   int64 = -1 // behind the last record
	OffsetEarliest int64 = -2 // of the first record that is kept
)

// Compression is how a record batch is compressed. The numbers are Kafka's.
type Compression uint8

// The codecs of record batches.
const (
	CompressionNone   Compression = 0
	CompressionGzip   Compression = 1
	CompressionSnappy Compression = 2
	CompressionLZ4    Compression = 3
	CompressionZstd   Compression = 4
)

// TopicName is the payload of operations that need the topic alone (OpStreamInfo, OpStreamDelete). Info's Body is a
// TopicInfo. A topic that is not there is NotFound.
type TopicName struct{ Topic []byte }

// Append appends the payload to b.
func (m *TopicName) Append(b []byte) []byte { return append(b, m.Topic...) }

// Decode reads the payload p.
func (m *TopicName) Decode(p []byte) error {
	m.Topic = p
	return nil
}

// TopicFields says which settings a TopicCreate gives.
type TopicFields uint8

// The settings that can be given.
const (
	TopicHasRetention TopicFields = 1 << iota
	TopicHasMaxBytes
	TopicHasMaxMessage
	TopicHasCompression
	TopicHasCompaction // Unsupported
)

// TopicSettings are what can be set for a topic.
type TopicSettings struct {
	Retention   int64       // ms that records are kept for at least, by their timestamps; -1 is for ever
	MaxBytes    int64       // bytes that each partition keeps at most, whole batches, the newest in any case; -1 is no bound
	MaxMessage  uint64      // bytes of the largest record, 1 to MaxRecord
	Compression Compression // of batches that are put together by the engine
}

// TopicCreate makes a topic (OpStreamCreate: Exists if it is there with other partitions or settings that were given; Num is 1
// if it was made, 0 if it was there just so) or changes one (OpStreamAlter). What Fields does not give gets its default, or stays
// as it is. Partitions: create: 1 to MaxPartitions, 0 is 1; alter: more than there are, or 0 for no change.
type TopicCreate struct {
	Topic      []byte
	Partitions uint64
	Fields     TopicFields
	Settings   TopicSettings
}

// Append appends the payload to b.
func (m *TopicCreate) Append(b []byte) []byte {
	b = AppendUvarint(AppendBytes(b, m.Topic), m.Partitions)
	return m.Settings.append(append(b, byte(m.Fields)))
}

// Decode reads the payload p.
func (m *TopicCreate) Decode(p []byte) error {
	r := NewReader(p)
	m.Topic, m.Partitions, m.Fields = r.Bytes(), r.Uvarint(), TopicFields(r.Byte())
	m.Settings.take(&r)
	return r.Close()
}

func (s *TopicSettings) append(b []byte) []byte {
	b = AppendVarint(b, s.Retention)
	b = AppendVarint(b, s.MaxBytes)
	b = AppendUvarint(b, s.MaxMessage)
	return append(b, byte(s.Compression))
}

func (s *TopicSettings) take(r *Reader) {
	s.Retention, s.MaxBytes, s.MaxMessage = r.Varint(), r.Varint(), r.Uvarint()
	s.Compression = Compression(r.Byte())
}

// PartitionInfo is what is known of a partition.
type PartitionInfo struct {
	Start, End int64  // offsets of the first record that is kept and of the next
	Bytes      uint64 // of the batches that are kept
	Batches    uint64
	Newest     int64 // largest timestamp of the newest batch; 0: it has never had one, or none is kept
}

// TopicInfo is what is known of a topic.
type TopicInfo struct {
	Name       []byte
	Settings   TopicSettings
	Created    int64
	Partitions []PartitionInfo // in a list of topics as well
}

// Append appends the payload to b.
func (m *TopicInfo) Append(b []byte) []byte {
	b = m.Settings.append(AppendBytes(b, m.Name))
	b = AppendUvarint(b, uint64(m.Created))
	b = AppendUvarint(b, uint64(len(m.Partitions)))
	for i := range m.Partitions {
		p := &m.Partitions[i]
		b = AppendUvarint(b, uint64(p.Start))
		b = AppendUvarint(b, uint64(p.End))
		b = AppendUvarint(b, p.Bytes)
		b = AppendUvarint(b, p.Batches)
		b = AppendVarint(b, p.Newest)
	}
	return b
}

// Decode reads the payload p.
func (m *TopicInfo) Decode(p []byte) error {
	r := NewReader(p)
	TakeTopicInfo(&r, m)
	return r.Close()
}

// TakeTopicInfo reads the next element of a list of TopicInfo. It keeps the capacity of m.Partitions.
func TakeTopicInfo(r *Reader, m *TopicInfo) {
	m.Name = r.Bytes()
	m.Settings.take(r)
	m.Created = int64(r.Uvarint())
	m.Partitions = m.Partitions[:0]
	for n := r.Count(MaxPartitions); n > 0; n-- {
		p := PartitionInfo{Start: int64(r.Uvarint()), End: int64(r.Uvarint())}
		p.Bytes, p.Batches, p.Newest = r.Uvarint(), r.Uvarint(), r.Varint()
		m.Partitions = append(m.Partitions, p)
	}
}

// StreamList lists topics (OpStreamList) or consumer groups (OpStreamGroups) in the order of their names: those behind After
// that match the glob Match (empty: all). Groups: of Topic alone unless it is empty. Num is 1 if there are more; Body is a list
// of TopicInfo or of GroupSummary.
type StreamList struct {
	After []byte
	Match []byte
	Limit uint64 // 1 to 1,000; 0 means 100
	Topic []byte // OpStreamGroups
}

// Append appends the payload to b.
func (m *StreamList) Append(b []byte) []byte {
	b = AppendUvarint(AppendBytes(AppendBytes(b, m.After), m.Match), m.Limit)
	return AppendBytes(b, m.Topic)
}

// Decode reads the payload p.
func (m *StreamList) Decode(p []byte) error {
	r := NewReader(p)
	m.After, m.Match, m.Limit, m.Topic = r.Bytes(), r.Bytes(), r.Uvarint(), r.Bytes()
	return r.Close()
}
