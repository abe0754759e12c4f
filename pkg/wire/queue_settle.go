package wire

// QueueAck says that leased messages have been dealt with: they are removed (OpQueueAck). A single receipt that is stale is
// Fenced. Of several each is judged by itself: Num is how many were acknowledged, Body has a Code for each in order, a byte.
type QueueAck struct {
	Queue    []byte
	Receipts []Receipt
}

// Append appends the payload to b.
func (m *QueueAck) Append(b []byte) []byte {
	b = AppendUvarint(AppendBytes(b, m.Queue), uint64(len(m.Receipts)))
	for _, t := range m.Receipts {
		b = t.Append(b)
	}
	return b
}

// Decode reads the payload p. It keeps the capacity of m.Receipts.
func (m *QueueAck) Decode(p []byte) error {
	r := NewReader(p)
	m.Queue = r.Bytes()
	m.Receipts = m.Receipts[:0]
	for n := r.Count(MaxBatch); n > 0; n-- {
		var t Receipt
		t.take(&r)
		m.Receipts = append(m.Receipts, t)
	}
	return r.Close()
}

// QueueNack gives a leased message back (OpQueueNack: now, or after Delay) or says that nobody can deal with it
// (OpQueueReject). Num is 1 if the message went to the dead-letter queue, 2 if it was discarded because the queue has none,
// else 0. A stale receipt is Fenced.
type QueueNack struct {
	Queue   []byte
	Receipt Receipt
	Delay   uint64 // ms, at most MaxDelay; not for reject
	Error   []byte // what went wrong, for people; over MaxErrorText it is cut
}

// Append appends the payload to b.
func (m *QueueNack) Append(b []byte) []byte {
	b = m.Receipt.Append(AppendBytes(b, m.Queue))
	return append(AppendUvarint(b, m.Delay), m.Error...)
}

// Decode reads the payload p.
func (m *QueueNack) Decode(p []byte) error {
	r := NewReader(p)
	m.Queue = r.Bytes()
	m.Receipt.take(&r)
	m.Delay, m.Error = r.Uvarint(), r.Rest()
	return r.Close()
}

// QueueExtend makes a lease end Lease ms from now (OpQueueExtend). Num is when it ends. A stale receipt is Fenced.
type QueueExtend struct {
	Queue   []byte
	Receipt Receipt
	Lease   uint64 // ms, 1 to MaxLease
}

// Append appends the payload to b.
func (m *QueueExtend) Append(b []byte) []byte {
	return AppendUvarint(m.Receipt.Append(AppendBytes(b, m.Queue)), m.Lease)
}

// Decode reads the payload p.
func (m *QueueExtend) Decode(p []byte) error {
	r := NewReader(p)
	m.Queue = r.Bytes()
	m.Receipt.take(&r)
	m.Lease = r.Uvarint()
	return r.Close()
}

// QueueRedrive moves messages from a dead-letter queue back to where they came from (OpQueueRedrive). Queue is a queue that
// has a dead-letter queue, whose messages from Queue come back; or else a dead-letter queue, all of which goes back. Num is
// how many moved.
type QueueRedrive struct {
	Queue []byte
	Count uint64 // at most so many; 0 is all
}

// Append appends the payload to b.
func (m *QueueRedrive) Append(b []byte) []byte {
	return AppendUvarint(AppendBytes(b, m.Queue), m.Count)
}

// Decode reads the payload p.
func (m *QueueRedrive) Decode(p []byte) error {
	r := NewReader(p)
	m.Queue, m.Count = r.Bytes(), r.Uvarint()
	return r.Close()
}
