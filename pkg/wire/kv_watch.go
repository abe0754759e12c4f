package wire

// KVWatch streams changes (OpKVWatch) of the keys that begin with Prefix in DB, which may be AllDatabases, from
// revision From on (0: from now on). Every answer but the last has More, Rev the newest revision it covers, and as
// Body a list of KVEvent; the first comes at once, empty, when the watch stands. Compacted: From is older than what is kept.
type KVWatch struct {
	DB     byte
	From   uint64
	Prefix []byte
}

// Append appends the payload to b.
func (m *KVWatch) Append(b []byte) []byte {
	return append(AppendUvarint(append(b, m.DB), m.From), m.Prefix...)
}

// Decode reads the payload p.
func (m *KVWatch) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.From = r.Byte(), r.Uvarint()
	m.Prefix = r.Rest()
	return r.Close()
}

// EventKind says what happened to a key.
type EventKind uint8

const (
	EventSet     EventKind = 1 // written
	EventDelete  EventKind = 2 // removed
	EventExpire  EventKind = 3 // removed because its time had come
	EventFlush   EventKind = 4 // its whole database was emptied; Key is empty
	EventRefresh EventKind = 5 // its expiry was changed, its value was not
)

// KVEvent is one change.
type KVEvent struct {
	Kind    EventKind
	DB      byte
	Rev     uint64
	Expires int64
	Key     []byte
	Value   []byte // of EventSet
}

// AppendKVEvent appends e as an element of a watch answer.
func AppendKVEvent(b []byte, e *KVEvent) []byte {
	b = AppendUvarint(append(b, byte(e.Kind), e.DB), e.Rev)
	b = AppendUvarint(b, uint64(e.Expires))
	b = AppendBytes(b, e.Key)
	return AppendBytes(b, e.Value)
}

// TakeKVEvent reads the next element of a watch answer from r.
func TakeKVEvent(r *Reader) KVEvent {
	return KVEvent{
		Kind: EventKind(r.Byte()), DB: r.Byte(), Rev: r.Uvarint(), Expires: int64(r.Uvarint()),
		Key: r.Bytes(), Value: r.Bytes(),
	}
}
