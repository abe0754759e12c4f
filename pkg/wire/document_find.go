package wire

// DocFindFlags modify a find or an aggregation.
type DocFindFlags uint8

// The flags of a find or an aggregation.
const (
	DocFindSingle DocFindFlags = 1 << iota // the first answer is the last: no cursor is kept
)

// DocFind reads the documents that match (OpDocFind). Num is the cursor that OpDocMore goes on with, 0 if there are no more; Body
// are the documents. In OpDocCount (Num is how many) Project, Sort and Batch are empty; in OpDocDistinct (Body is an array of the
// different values of Field) Skip and Limit as well.
type DocFind struct {
	Name    DocName
	Flags   DocFindFlags
	Filter  []byte // a document; empty matches all
	Project []byte // likewise; empty is the whole document
	Sort    []byte // likewise; empty is any order
	Hint    []byte // the name of the index to use; empty leaves that to the planner
	Field   []byte // of OpDocDistinct: a dotted path
	Skip    uint64
	Limit   uint64 // 0 is none
	Batch   uint64 // documents of the first answer, at most; 0 is DefaultDocBatch
}

// Append appends the payload to b.
func (m *DocFind) Append(b []byte) []byte {
	b = append(m.Name.Append(b), byte(m.Flags))
	for _, p := range [...][]byte{m.Filter, m.Project, m.Sort, m.Hint, m.Field} {
		b = AppendBytes(b, p)
	}
	return AppendUvarint(AppendUvarint(AppendUvarint(b, m.Skip), m.Limit), m.Batch)
}

// Decode reads the payload p.
func (m *DocFind) Decode(p []byte) error {
	r := NewReader(p)
	m.Name.take(&r)
	m.Flags = DocFindFlags(r.Byte())
	for _, p := range [...]*[]byte{&m.Filter, &m.Project, &m.Sort, &m.Hint, &m.Field} {
		*p = r.Bytes()
	}
	m.Skip, m.Limit, m.Batch = r.Uvarint(), r.Uvarint(), r.Uvarint()
	return r.Close()
}

// DocAggregate runs a pipeline over a collection (OpDocAggregate). The answer is that of a find.
type DocAggregate struct {
	Name     DocName
	Flags    DocFindFlags
	Pipeline []byte // an array of documents
	Hint     []byte
	Batch    uint64
}

// Append appends the payload to b.
func (m *DocAggregate) Append(b []byte) []byte {
	b = append(m.Name.Append(b), byte(m.Flags))
	return AppendUvarint(AppendBytes(AppendBytes(b, m.Pipeline), m.Hint), m.Batch)
}

// Decode reads the payload p.
func (m *DocAggregate) Decode(p []byte) error {
	r := NewReader(p)
	m.Name.take(&r)
	m.Flags = DocFindFlags(r.Byte())
	m.Pipeline, m.Hint, m.Batch = r.Bytes(), r.Bytes(), r.Uvarint()
	return r.Close()
}

// DocMore reads the next documents of a cursor (OpDocMore). The answer is that of a find. A cursor that is not there, or has been
// left alone for too long, is NotFound.
type DocMore struct {
	Cursor uint64
	Batch  uint64 // documents, at most; 0 is as many as there is room for
}

// Append appends the payload to b.
func (m *DocMore) Append(b []byte) []byte { return AppendUvarint(AppendUvarint(b, m.Cursor), m.Batch) }

// Decode reads the payload p.
func (m *DocMore) Decode(p []byte) error {
	r := NewReader(p)
	m.Cursor, m.Batch = r.Uvarint(), r.Uvarint()
	return r.Close()
}

// DocKill gives cursors up (OpDocKill). Num is how many of them were there.
type DocKill struct{ Cursors []uint64 }

// Append appends the payload to b.
func (m *DocKill) Append(b []byte) []byte {
	b = AppendUvarint(b, uint64(len(m.Cursors)))
	for _, c := range m.Cursors {
		b = AppendUvarint(b, c)
	}
	return b
}

// Decode reads the payload p. It keeps the capacity of m.Cursors.
func (m *DocKill) Decode(p []byte) error {
	r := NewReader(p)
	m.Cursors = m.Cursors[:0]
	for n := r.Count(MaxBatch); n > 0; n-- {
		m.Cursors = append(m.Cursors, r.Uvarint())
	}
	return r.Close()
}

// DocExplain tells how an operation would be executed (OpDocExplain). Body is a document, shaped as MongoDB's.
type DocExplain struct {
	Op      Op   // a find, count, distinct, aggregation, update, delete or modify
	Execute bool // counts what is examined, too. Nothing is written
	Body    []byte
}

// Append appends the payload to b.
func (m *DocExplain) Append(b []byte) []byte {
	return append(append(b, byte(m.Op), boolByte(m.Execute)), m.Body...)
}

// Decode reads the payload p.
func (m *DocExplain) Decode(p []byte) error {
	r := NewReader(p)
	m.Op, m.Execute = Op(EngineDoc)<<8|Op(r.Byte()), r.Byte() != 0
	m.Body = r.Rest()
	return r.Close()
}
