package wire

// MessageFlags say which optional fields a QueueMessage has.
type MessageFlags uint8

const (
	MessageDelayed  MessageFlags = 1 << iota // NotBefore is a duration from now
	MessageAt                                // NotBefore is a time
	MessagePriority                          // Priority follows
	MessageDedup                             // Dedup follows
	MessageGroup                             // Group follows
	MessageTTL                               // TTL follows
	MessageHeaders                           // Headers follow
)

// Header is a name and a value that travel with a message.
type Header struct{ Name, Value []byte }

// QueueMessage is a message to push.
type QueueMessage struct {
	Flags     MessageFlags
	NotBefore int64 // with MessageDelayed or MessageAt
	Priority  uint8
	Dedup     []byte   // not empty
	Group     []byte   // not empty
	TTL       int64    // ms from now, at least 1
	Headers   []Header // Decode keeps the capacity
	Body      []byte
}

// QueuePush puts messages into a queue, all or none, and makes the queue if it is not there (OpQueuePush). The answer's
// Body has for each message its MessageID as a u64, in order; of one whose dedup id is remembered that of the first. Num is
// how many are new.
type QueuePush struct {
	Queue    []byte
	Messages []QueueMessage
}

// Append appends the payload to b.
func (m *QueuePush) Append(b []byte) []byte {
	b = AppendBytes(b, m.Queue)
	b = AppendUvarint(b, uint64(len(m.Messages)))
	for i := range m.Messages {
		b = m.Messages[i].append(b)
	}
	return b
}

// Decode reads the payload p. It keeps the capacity of m.Messages.
func (m *QueuePush) Decode(p []byte) error {
	r := NewReader(p)
	m.Queue = r.Bytes()
	n := r.Count(MaxBatch)
	if cap(m.Messages) < n {
		m.Messages = make([]QueueMessage, n)
	}
	m.Messages = m.Messages[:n]
	for i := range m.Messages {
		m.Messages[i].take(&r)
	}
	return r.Close()
}

func (m *QueueMessage) append(b []byte) []byte {
	b = append(b, byte(m.Flags))
	if m.Flags&(MessageDelayed|MessageAt) != 0 {
		b = AppendVarint(b, m.NotBefore)
	}
	if m.Flags&MessagePriority != 0 {
		b = append(b, m.Priority)
	}
	if m.Flags&MessageDedup != 0 {
		b = AppendBytes(b, m.Dedup)
	}
	if m.Flags&MessageGroup != 0 {
		b = AppendBytes(b, m.Group)
	}
	if m.Flags&MessageTTL != 0 {
		b = AppendVarint(b, m.TTL)
	}
	if m.Flags&MessageHeaders != 0 {
		b = appendHeaders(b, m.Headers)
	}
	return AppendBytes(b, m.Body)
}

func (m *QueueMessage) take(r *Reader) {
	headers := m.Headers[:0]
	*m = QueueMessage{Flags: MessageFlags(r.Byte()), Headers: headers}
	if m.Flags&(MessageDelayed|MessageAt) != 0 {
		m.NotBefore = r.Varint()
	}
	if m.Flags&MessagePriority != 0 {
		m.Priority = r.Byte()
	}
	if m.Flags&MessageDedup != 0 {
		m.Dedup = r.Bytes()
	}
	if m.Flags&MessageGroup != 0 {
		m.Group = r.Bytes()
	}
	if m.Flags&MessageTTL != 0 {
		m.TTL = r.Varint()
	}
	if m.Flags&MessageHeaders != 0 {
		m.Headers = takeHeaders(r, headers)
	}
	m.Body = r.Bytes()
}

func appendHeaders(b []byte, hs []Header) []byte {
	b = AppendUvarint(b, uint64(len(hs)))
	for i := range hs {
		b = AppendBytes(b, hs[i].Name)
		b = AppendBytes(b, hs[i].Value)
	}
	return b
}

// deadHeaders is how many headers a message gets on its way to a dead-letter queue.
const deadHeaders = 4

// takeHeaders bounds their number here and not only where a payload is judged: a header costs more memory than the two
// bytes that it takes at least.
func takeHeaders(r *Reader, hs []Header) []Header {
	n := r.Count(MaxBatch)
	if n > MaxHeaders+deadHeaders {
		r.Fail(Errorf(Invalid, "a message with %d headers is over the limit of %d", n, MaxHeaders))
		return hs
	}
	for ; n > 0; n-- {
		hs = append(hs, Header{Name: r.Bytes(), Value: r.Bytes()})
	}
	return hs
}
