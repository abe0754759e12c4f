package wire

// StreamFetch reads from a partition (OpStreamFetch). The answer's Body is one StreamSection, Num how many records it hands out:
// 0 if there is nothing from Offset on within Wait. An offset below the first that is kept or behind the next is OutOfRange, and
// the error names both.
type StreamFetch struct {
	Topic     []byte
	Partition int32
	Offset    int64 // or OffsetLatest, OffsetEarliest; with ByTime a time: the first record that is not older
	ByTime    bool
	Count     uint64 // records, at most; 0 is as many as there is room for
	MinBytes  uint64 // waits until so much is there; 0 is 1
	MaxBytes  uint64 // of whole batches, but at least one; 0 is 1 MiB, at most MaxFetchBytes
	Wait      uint64 // ms, at most MaxFetchWait
	// Plain bounds the bytes of the records' keys, values and headers as they are when nothing is compressed, but not below one
	// record. 0 is no bound. It is for those who hand records on like that.
	Plain uint64
}

// Append appends the payload to b.
func (m *StreamFetch) Append(b []byte) []byte {
	b = AppendVarint(AppendBytes(b, m.Topic), int64(m.Partition))
	b = append(AppendVarint(b, m.Offset), boolByte(m.ByTime))
	b = AppendUvarint(AppendUvarint(b, m.Count), m.MinBytes)
	return AppendUvarint(AppendUvarint(AppendUvarint(b, m.MaxBytes), m.Wait), m.Plain)
}

// Decode reads the payload p.
func (m *StreamFetch) Decode(p []byte) error {
	r := NewReader(p)
	m.Topic, m.Partition = r.Bytes(), takePartition(&r)
	m.Offset, m.ByTime = r.Varint(), r.Byte() != 0
	m.Count, m.MinBytes, m.MaxBytes, m.Wait, m.Plain = r.Uvarint(), r.Uvarint(), r.Uvarint(), r.Uvarint(), r.Uvarint()
	return r.Close()
}

// StreamSection is a run of records of one partition. The batches are whole: those of their records that are not in [From, To)
// are not handed out.
type StreamSection struct {
	Partition  int32
	From, To   int64  // offsets
	Start, End int64  // of the partition: the first record that is kept, and the next
	Batches    []byte // Kafka record batches of version 2, one after the other, with their offsets
}

// Append appends the section to b, as the payload of a fetch or as an element of a list.
func (m *StreamSection) Append(b []byte) []byte {
	b = m.AppendHead(b, len(m.Batches))
	return append(b, m.Batches...)
}

// AppendHead appends all of the section but the batches, of which n bytes must follow.
func (m *StreamSection) AppendHead(b []byte, n int) []byte {
	b = AppendVarint(b, int64(m.Partition))
	for _, v := range [...]int64{m.From, m.To, m.Start, m.End, int64(n)} {
		b = AppendUvarint(b, uint64(v))
	}
	return b
}

// TakeStreamSection reads the next section from r.
func TakeStreamSection(r *Reader, m *StreamSection) {
	m.Partition = takePartition(r)
	for _, v := range [...]*int64{&m.From, &m.To, &m.Start, &m.End} {
		*v = int64(r.Uvarint())
	}
	m.Batches = r.Bytes()
}

// StreamOffsets looks up offsets (OpStreamOffsets): of one partition, or with AnyPartition of all. The answer's Body is a
// list of StreamOffset, in order of partitions.
type StreamOffsets struct {
	Topic     []byte
	Partition int32
	Time      int64 // OffsetLatest, OffsetEarliest, or a time: the first record that is not older
}

// Append appends the payload to b.
func (m *StreamOffsets) Append(b []byte) []byte {
	return AppendVarint(AppendVarint(AppendBytes(b, m.Topic), int64(m.Partition)), m.Time)
}

// Decode reads the payload p.
func (m *StreamOffsets) Decode(p []byte) error {
	r := NewReader(p)
	m.Topic, m.Partition, m.Time = r.Bytes(), takePartition(&r), r.Varint()
	return r.Close()
}

// StreamOffset is a place in a partition. Where no record is as young as was asked for, it is the end.
type StreamOffset struct {
	Partition int32
	Offset    int64
	Time      int64 // of the record there; -1: there is none
}

// AppendStreamOffset appends o as an element of a list.
func AppendStreamOffset(b []byte, o StreamOffset) []byte {
	return AppendVarint(AppendVarint(AppendVarint(b, int64(o.Partition)), o.Offset), o.Time)
}

// TakeStreamOffset reads the next element of a list.
func TakeStreamOffset(r *Reader) StreamOffset {
	return StreamOffset{Partition: takePartition(r), Offset: r.Varint(), Time: r.Varint()}
}
