package wire

// QueuePop takes messages out of a queue: for good (OpQueuePop), or for a time (OpQueueLease). Neither makes a queue. The
// answer's Body is a list of QueueDelivery of at most Count messages and about MaxDeliveryBody bytes, Num how many they are;
// if there is none within Wait, Empty.
type QueuePop struct {
	Queue []byte
	Count uint64 // 1 to MaxBatch
	Wait  uint64 // ms, at most MaxWait
	Lease uint64 // OpQueueLease: ms, at most MaxLease; 0 is the queue's own
	// Nonce becomes part of the receipts. The engine that proposes the command puts it in: clients leave it 0.
	Nonce uint64
}

// Append appends the payload to b.
func (m *QueuePop) Append(b []byte) []byte {
	b = AppendBytes(b, m.Queue)
	b = AppendUvarint(b, m.Count)
	b = AppendUvarint(b, m.Wait)
	b = AppendUvarint(b, m.Lease)
	return AppendUvarint(b, m.Nonce)
}

// Decode reads the payload p.
func (m *QueuePop) Decode(p []byte) error {
	r := NewReader(p)
	m.Queue = r.Bytes()
	m.Count, m.Wait, m.Lease, m.Nonce = r.Uvarint(), r.Uvarint(), r.Uvarint(), r.Uvarint()
	return r.Close()
}

// DeliveryState is where a message is.
type DeliveryState uint8

// The states of a message. One that is gone has none.
const (
	DeliveryReady   DeliveryState = 0
	DeliveryDelayed DeliveryState = 1 // Until says to when
	DeliveryLeased  DeliveryState = 2 // Until says to when
)

// QueueDelivery is a message as a pop, a lease, a peek or a get hands it out.
type QueueDelivery struct {
	Receipt  Receipt // without a lease Nonce is 0; Attempt is then how often it was delivered before
	State    DeliveryState
	PushedAt int64
	Until    int64 // the end of the lease or of the delay; else 0
	Expires  int64 // 0 is never
	Group    []byte
	Headers  []Header
	Body     []byte
}

// AppendDelivery appends d as an element of a list of deliveries.
func AppendDelivery(b []byte, d *QueueDelivery) []byte {
	b = d.Receipt.Append(b)
	b = append(b, byte(d.State))
	b = AppendUvarint(b, uint64(d.PushedAt))
	b = AppendUvarint(b, uint64(d.Until))
	b = AppendUvarint(b, uint64(d.Expires))
	b = AppendBytes(b, d.Group)
	b = appendHeaders(b, d.Headers)
	return AppendBytes(b, d.Body)
}

// TakeDelivery reads the next element of a list of deliveries from r into d, whose Headers' capacity it keeps.
func TakeDelivery(r *Reader, d *QueueDelivery) {
	headers := d.Headers[:0]
	d.Receipt.take(r)
	d.State = DeliveryState(r.Byte())
	d.PushedAt, d.Until, d.Expires = int64(r.Uvarint()), int64(r.Uvarint()), int64(r.Uvarint())
	d.Group = r.Bytes()
	d.Headers = takeHeaders(r, headers)
	d.Body = r.Bytes()
}

// QueuePeek looks at the messages of a queue that would be delivered next, without taking them (OpQueuePeek). The answer's
// Body is a list of QueueDelivery, Num how many they are; a queue that is empty or not there has none.
type QueuePeek struct {
	Queue []byte
	Count uint64 // 1 to 1,000
}

// Append appends the payload to b.
func (m *QueuePeek) Append(b []byte) []byte {
	return AppendUvarint(AppendBytes(b, m.Queue), m.Count)
}

// Decode reads the payload p.
func (m *QueuePeek) Decode(p []byte) error {
	r := NewReader(p)
	m.Queue, m.Count = r.Bytes(), r.Uvarint()
	return r.Close()
}

// MaxPeek is the most that Count of a QueuePeek may be.
const MaxPeek = 1000

// QueueMessageID names one message, whatever its state (OpQueueGet, OpQueueRemove). Get's Body is a QueueDelivery; remove
// makes a receipt of it stale. A message that is not there is NotFound.
type QueueMessageID struct {
	Queue []byte
	ID    MessageID
}

// Append appends the payload to b.
func (m *QueueMessageID) Append(b []byte) []byte {
	return AppendUvarint(AppendBytes(b, m.Queue), uint64(m.ID))
}

// Decode reads the payload p.
func (m *QueueMessageID) Decode(p []byte) error {
	r := NewReader(p)
	m.Queue, m.ID = r.Bytes(), MessageID(r.Uvarint())
	return r.Close()
}

// QueueReturn puts back what could not be handed over (OpQueueReturn, proposed by the engine itself).
type QueueReturn struct {
	Queue      []byte
	Leased     bool // the messages were leased: their receipts say which; else they were taken and are put back whole
	Deliveries []QueueDelivery
}

// Append appends the payload to b.
func (m *QueueReturn) Append(b []byte) []byte {
	b = append(AppendBytes(b, m.Queue), boolByte(m.Leased))
	b = AppendUvarint(b, uint64(len(m.Deliveries)))
	for i := range m.Deliveries {
		b = AppendDelivery(b, &m.Deliveries[i])
	}
	return b
}

// Decode reads the payload p.
func (m *QueueReturn) Decode(p []byte) error {
	r := NewReader(p)
	m.Queue, m.Leased = r.Bytes(), r.Byte() != 0
	m.Deliveries = make([]QueueDelivery, r.Count(MaxBatch))
	for i := range m.Deliveries {
		TakeDelivery(&r, &m.Deliveries[i])
	}
	return r.Close()
}
