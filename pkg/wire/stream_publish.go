package wire

// RecordFlags say which optional fields a StreamRecord has.
type RecordFlags uint8

// The optional fields of a StreamRecord.
const (
	RecordKey     RecordFlags = 1 << iota // Key follows; without it there is none, which is not an empty one
	RecordTime                            // Time follows; without it the engine's clock
	RecordHeaders                         // Headers follow
	RecordNull                            // there is no value, which is not an empty one
)

// StreamRecord is a record to publish.
type StreamRecord struct {
	Flags   RecordFlags
	Time    int64    // with RecordTime; not below 0
	Key     []byte   // with RecordKey
	Headers []Header // with RecordHeaders; Decode keeps the capacity
	Value   []byte
}

// AnyPartition leaves it to the engine where a record goes: by the hash of its key as Kafka's clients do it (murmur2), and
// without a key to one partition for all that are published together.
const AnyPartition int32 = -1

// StreamPublish puts records into a topic (OpStreamPublish). The answer's Num is how many they are, Body has for each in order
// its partition as a u32 and its offset as a u64, 12 bytes. All records for one partition get consecutive offsets, in order, or
// none of them any; where several partitions are concerned each stands for itself, and an error says that at least one failed.
//
// A topic that is not there is made with one partition if the server is told so (-auto-create-topics), else NotFound. A partition
// that is not there is OutOfRange, a record over the topic's limit TooLarge.
type StreamPublish struct {
	Topic     []byte
	Partition int32 // or AnyPartition
	Records   []StreamRecord
}

// PlaceSize is the bytes of a record's place in the answer to a StreamPublish.
const PlaceSize = 12

// Append appends the payload to b.
func (m *StreamPublish) Append(b []byte) []byte {
	b = AppendVarint(AppendBytes(b, m.Topic), int64(m.Partition))
	b = AppendUvarint(b, uint64(len(m.Records)))
	for i := range m.Records {
		b = m.Records[i].append(b)
	}
	return b
}

// Decode reads the payload p. It keeps the capacity of m.Records.
func (m *StreamPublish) Decode(p []byte) error {
	r := NewReader(p)
	m.Topic = r.Bytes()
	m.Partition = takePartition(&r)
	n := r.Count(MaxBatch)
	if cap(m.Records) < n {
		m.Records = make([]StreamRecord, n)
	}
	m.Records = m.Records[:n]
	for i := range m.Records {
		m.Records[i].take(&r)
	}
	return r.Close()
}

func (m *StreamRecord) append(b []byte) []byte {
	b = append(b, byte(m.Flags))
	if m.Flags&RecordTime != 0 {
		b = AppendUvarint(b, uint64(m.Time))
	}
	if m.Flags&RecordKey != 0 {
		b = AppendBytes(b, m.Key)
	}
	if m.Flags&RecordHeaders != 0 {
		b = appendHeaders(b, m.Headers)
	}
	if m.Flags&RecordNull == 0 {
		b = AppendBytes(b, m.Value)
	}
	return b
}

func (m *StreamRecord) take(r *Reader) {
	headers := m.Headers[:0]
	*m = StreamRecord{Flags: RecordFlags(r.Byte()), Headers: headers}
	if m.Flags&RecordTime != 0 {
		m.Time = int64(r.Uvarint())
	}
	if m.Flags&RecordKey != 0 {
		m.Key = r.Bytes()
	}
	if m.Flags&RecordHeaders != 0 {
		m.Headers = takeHeaders(r, headers)
	}
	if m.Flags&RecordNull == 0 {
		m.Value = r.Bytes()
	}
}

// takePartition reads a partition's number. One that does not fit is as one that is not there.
func takePartition(r *Reader) int32 {
	v := r.Varint()
	if v < -1<<31 || v >= 1<<31 {
		return 1<<31 - 1
	}
	return int32(v)
}

// StreamAppend puts one record batch into a partition as it is (OpStreamAppend): it is the only command with which records enter
// the log, and what a producer that builds its own batches sends. Its base offset and leader epoch are overwritten when it is
// read. The answer's Num is the offset of the first record. A topic that is not there is made as by a StreamPublish.
//
// A batch that is damaged, of another version, with control records or of a transaction is Invalid; one over MaxRecordBatch, or with
// a record over the topic's limit, TooLarge. With a producer id: a batch that is there already is answered with its first offset; one that
// is older than the last five is Exists; one that leaves out a sequence number Conflict; one with an older epoch Fenced.
type StreamAppend struct {
	Topic     []byte
	Partition int32
	Batch     []byte
}

// Append appends the payload to b.
func (m *StreamAppend) Append(b []byte) []byte {
	return append(AppendVarint(AppendBytes(b, m.Topic), int64(m.Partition)), m.Batch...)
}

// Decode reads the payload p.
func (m *StreamAppend) Decode(p []byte) error {
	r := NewReader(p)
	m.Topic, m.Partition = r.Bytes(), takePartition(&r)
	m.Batch = r.Rest()
	return r.Close()
}

// OpStreamProducer has an empty payload. The answer's Num is a producer id that nobody has had, to be used with epoch 0.
