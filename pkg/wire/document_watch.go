package wire

// DocWatch streams changes (OpDocWatch) of a collection or, with an empty Coll, of a database: those behind event Event of revision
// Rev, or with Rev 0 those from now on. Every answer but the last has More, Rev the newest revision it covers, and as Body a
// list of DocEvent; the first comes at once, empty, when the watch stands. An answer may end between two events of one revision; who has
// seen all of revision n goes on behind event 0 of n+1. Changes are recorded from the first watch on (see DocFeed). Compacted: what came
// behind that event is not kept, or was not recorded.
type DocWatch struct {
	Name  DocName
	Rev   uint64
	Event uint64
}

// Append appends the payload to b.
func (m *DocWatch) Append(b []byte) []byte {
	return AppendUvarint(AppendUvarint(m.Name.Append(b), m.Rev), m.Event)
}

// Decode reads the payload p.
func (m *DocWatch) Decode(p []byte) error {
	r := NewReader(p)
	m.Name.take(&r)
	m.Rev, m.Event = r.Uvarint(), r.Uvarint()
	return r.Close()
}

// DocEventKind says what happened to a document.
type DocEventKind uint8

const (
	DocEventInsert DocEventKind = 1
	DocEventUpdate DocEventKind = 2 // or replaced
	DocEventDelete DocEventKind = 3 // or removed because its time had come
	DocEventDrop   DocEventKind = 4 // its whole collection was dropped; ID and Doc are empty
)

// DocEvent is one change. Rev and Event name it: a watch goes on behind it.
type DocEvent struct {
	Kind  DocEventKind
	Rev   uint64
	Event uint64 // its number among those of one revision, from 1 on
	Time  int64  // ms since 1970
	Name  DocName
	ID    []byte // the byte of its type, and its bytes
	Doc   []byte // as it was right after the change; empty if it is gone
}

// AppendDocEvent appends e as an element of a watch answer.
func AppendDocEvent(b []byte, e *DocEvent) []byte {
	b = AppendUvarint(AppendUvarint(append(b, byte(e.Kind)), e.Rev), e.Event)
	b = e.Name.Append(AppendUvarint(b, uint64(e.Time)))
	return AppendBytes(AppendBytes(b, e.ID), e.Doc)
}

// TakeDocEvent reads the next element of a watch answer from r.
func TakeDocEvent(r *Reader, e *DocEvent) {
	e.Kind, e.Rev, e.Event, e.Time = DocEventKind(r.Byte()), r.Uvarint(), r.Uvarint(), int64(r.Uvarint())
	e.Name.take(r)
	e.ID, e.Doc = r.Bytes(), r.Bytes()
}

// DocFeed says whether the changes of a collection or, with an empty Coll, of a database are recorded for watches (OpDocFeed). The
// first watch has them recorded; then they are, also while nobody watches, until that is turned off: watches that need it end with
// Compacted. Num is 1 if that has changed something. Full: so many names are recorded as may be.
type DocFeed struct {
	Name DocName
	Off  bool
}

// Append appends the payload to b.
func (m *DocFeed) Append(b []byte) []byte { return append(m.Name.Append(b), boolByte(m.Off)) }

// Decode reads the payload p.
func (m *DocFeed) Decode(p []byte) error {
	r := NewReader(p)
	m.Name.take(&r)
	m.Off = r.Byte() != 0
	return r.Close()
}

// DocTrim removes recorded changes (OpDocTrim), the oldest first: those from before Before (ms since 1970), and as many that at most
// Bytes are left; at most Limit chunks at once, of which a command makes one, or several if its changes are large. Num is how many have
// gone.
type DocTrim struct {
	Before int64
	Bytes  uint64
	Limit  uint64
}

// Append appends the payload to b.
func (m *DocTrim) Append(b []byte) []byte {
	return AppendUvarint(AppendUvarint(AppendUvarint(b, uint64(m.Before)), m.Bytes), m.Limit)
}

// Decode reads the payload p.
func (m *DocTrim) Decode(p []byte) error {
	r := NewReader(p)
	m.Before, m.Bytes, m.Limit = int64(r.Uvarint()), r.Uvarint(), r.Uvarint()
	return r.Close()
}
