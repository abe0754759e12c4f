package wire

// QueueFields says which settings a QueueCreate gives.
type QueueFields uint8

const (
	QueueHasLease QueueFields = 1 << iota
	QueueHasMaxDeliver
	QueueHasDeadLetter
	QueueHasMaxLen
	QueueHasOverflow
	QueueHasTTL
	QueueHasWindow
)

// QueueOverflow says what a push to a queue of its maximum length does.
type QueueOverflow uint8

const (
	QueueReject QueueOverflow = 0 // the push is answered Full
	QueueDrop   QueueOverflow = 1 // the oldest messages that are ready make room
)

// QueueSettings are what can be set for a queue.
type QueueSettings struct {
	Lease      uint64 // ms, 1 to MaxLease
	MaxDeliver uint64 // deliveries after which a message is dead; 0 is no bound
	DeadLetter []byte // the queue that dead messages go to; empty: they are discarded
	MaxLen     uint64 // messages in any state; 0 is no bound
	Overflow   QueueOverflow
	TTL        uint64 // ms that a message lives unless it says otherwise; 0 is for ever
	Window     uint64 // ms that a dedup id is remembered
}

// Defaults of a queue that was made by a push.
const (
	DefaultLease      = 30_000
	DefaultMaxDeliver = 10
	DefaultWindow     = 300_000
	// DeadLetterSuffix behind a queue's name is its dead-letter queue unless it names another. A queue whose name ends so
	// has none, and no bound of deliveries.
	DeadLetterSuffix = ".dead"
	// MaxDedup is how many dedup ids a queue remembers at most. Over it a push with one is answered Full.
	MaxDedup = 1_000_000
)

// QueueCreate makes a queue, or changes the settings of one that is there (OpQueueCreate). What Fields does not give stays
// as it is, or gets its default. Num is 1 if the queue was made. A chain of dead-letter queues that comes back to
// where it began is Invalid.
type QueueCreate struct {
	Queue    []byte
	Fields   QueueFields
	Settings QueueSettings
}

// Append appends the payload to b.
func (m *QueueCreate) Append(b []byte) []byte {
	b = append(AppendBytes(b, m.Queue), byte(m.Fields))
	return m.Settings.append(b)
}

// Decode reads the payload p.
func (m *QueueCreate) Decode(p []byte) error {
	r := NewReader(p)
	m.Queue, m.Fields = r.Bytes(), QueueFields(r.Byte())
	m.Settings.take(&r)
	return r.Close()
}

func (s *QueueSettings) append(b []byte) []byte {
	b = AppendUvarint(b, s.Lease)
	b = AppendUvarint(b, s.MaxDeliver)
	b = AppendBytes(b, s.DeadLetter)
	b = AppendUvarint(b, s.MaxLen)
	b = append(b, byte(s.Overflow))
	b = AppendUvarint(b, s.TTL)
	return AppendUvarint(b, s.Window)
}

func (s *QueueSettings) take(r *Reader) {
	s.Lease, s.MaxDeliver = r.Uvarint(), r.Uvarint()
	s.DeadLetter = r.Bytes()
	s.MaxLen = r.Uvarint()
	s.Overflow = QueueOverflow(r.Byte())
	s.TTL, s.Window = r.Uvarint(), r.Uvarint()
}

// QueueInfo is what is known of a queue.
type QueueInfo struct {
	Name     []byte
	Settings QueueSettings
	Paused   bool
	Created  int64
	Ready    uint64 // could be delivered now, or when their group is free
	Delayed  uint64
	Leased   uint64
	Dead     uint64 // messages in the dead-letter queue, whichever queue they came from
	Oldest   int64  // when the oldest message that is ready was pushed; 0: there is none
	Pushed   uint64 // since the queue was made, as all that follow
	Popped   uint64 // deliveries: taken and leased
	Acked    uint64 // taken and acknowledged
	Died     uint64 // moved to the dead-letter queue, or discarded in its place
	Dropped  uint64 // expired, or made room
	PushRate uint64 // messages in the last 10 seconds that this node has seen
	PopRate  uint64 // deliveries in the last 10 seconds that this node has seen
}

// Append appends the payload to b.
func (m *QueueInfo) Append(b []byte) []byte {
	b = m.Settings.append(AppendBytes(b, m.Name))
	b = append(b, boolByte(m.Paused))
	for _, v := range m.numbers() {
		b = AppendUvarint(b, *v)
	}
	return AppendUvarint(AppendUvarint(b, uint64(m.Created)), uint64(m.Oldest))
}

// Decode reads the payload p.
func (m *QueueInfo) Decode(p []byte) error {
	r := NewReader(p)
	TakeQueueInfo(&r, m)
	return r.Close()
}

// TakeQueueInfo reads the next element of a list of QueueInfo.
func TakeQueueInfo(r *Reader, m *QueueInfo) {
	m.Name = r.Bytes()
	m.Settings.take(r)
	m.Paused = r.Byte() != 0
	for _, v := range m.numbers() {
		*v = r.Uvarint()
	}
	m.Created, m.Oldest = int64(r.Uvarint()), int64(r.Uvarint())
}

// numbers lists the counts in the order in which they travel.
func (m *QueueInfo) numbers() [11]*uint64 {
	return [...]*uint64{
		&m.Ready, &m.Delayed, &m.Leased, &m.Dead, &m.Pushed, &m.Popped, &m.Acked, &m.Died, &m.Dropped, &m.PushRate, &m.PopRate,
	}
}

// QueueList lists queues in the order of their names (OpQueueList): those behind After that match the glob Match (empty:
// all). Num is 1 if there are more; Body is a list of QueueInfo.
type QueueList struct {
	After []byte
	Match []byte
	Limit uint64 // 1 to MaxPeek; 0 means 100
}

// Append appends the payload to b.
func (m *QueueList) Append(b []byte) []byte {
	return AppendUvarint(AppendBytes(AppendBytes(b, m.After), m.Match), m.Limit)
}

// Decode reads the payload p.
func (m *QueueList) Decode(p []byte) error {
	r := NewReader(p)
	m.After, m.Match, m.Limit = r.Bytes(), r.Bytes(), r.Uvarint()
	return r.Close()
}
