package wire

// DocWriteFlags modify a write.
type DocWriteFlags uint8

// The flags of a write.
const (
	DocUnordered DocWriteFlags = 1 << iota // of an insert: one that fails does not keep the others back
	DocMulti                               // of an update or a delete: all documents that match, not only the first
	DocUpsert                              // of an update: a document is made where none matches
	DocRemove                              // of a modify: the document is deleted
	DocReturnNew                           // of a modify: the answer has the document as it is afterwards
)

// DocInsert puts documents into a collection, which is made if it is not there (OpDocInsert). A document without _id gets an
// ObjectID. Body is a DocResult with the ids that were made; what could not be inserted is among its errors.
type DocInsert struct {
	Name  DocName
	Flags DocWriteFlags
	Docs  [][]byte
}

// Append appends the payload to b.
func (m *DocInsert) Append(b []byte) []byte {
	b = append(m.Name.Append(b), byte(m.Flags))
	b = AppendUvarint(b, uint64(len(m.Docs)))
	for _, d := range m.Docs {
		b = AppendBytes(b, d)
	}
	return b
}

// Decode reads the payload p. It keeps the capacity of m.Docs.
func (m *DocInsert) Decode(p []byte) error {
	r := NewReader(p)
	m.Name.take(&r)
	m.Flags, m.Docs = DocWriteFlags(r.Byte()), m.Docs[:0]
	for n := r.Count(MaxBatch); n > 0; n-- {
		m.Docs = append(m.Docs, r.Bytes())
	}
	return r.Close()
}

// DocUpdate changes the documents that match (OpDocUpdate): Body is a DocResult. In OpDocDelete Update and ArrayFilters are empty. In
// OpDocModify it is the first by Sort that is changed or deleted: Body is a DocModified.
type DocUpdate struct {
	Name         DocName
	Flags        DocWriteFlags
	Filter       []byte // a document; empty matches all
	Update       []byte // operators, or the document that replaces what matches
	ArrayFilters []byte // an array of filters, or empty
	Hint         []byte // the name of the index to use
	Sort         []byte // of OpDocModify
	Project      []byte // of OpDocModify
}

// Append appends the payload to b.
func (m *DocUpdate) Append(b []byte) []byte {
	b = append(m.Name.Append(b), byte(m.Flags))
	for _, p := range [...][]byte{m.Filter, m.Update, m.ArrayFilters, m.Hint, m.Sort, m.Project} {
		b = AppendBytes(b, p)
	}
	return b
}

// Decode reads the payload p.
func (m *DocUpdate) Decode(p []byte) error {
	r := NewReader(p)
	m.take(&r)
	return r.Close()
}

func (m *DocUpdate) take(r *Reader) {
	m.Name.take(r)
	m.Flags = DocWriteFlags(r.Byte())
	for _, p := range [...]*[]byte{&m.Filter, &m.Update, &m.ArrayFilters, &m.Hint, &m.Sort, &m.Project} {
		*p = r.Bytes()
	}
}

// DocWrite executes writes in order, all of them or none (OpDocWrite). Body is a DocResult of all together; the index of an id is
// that of its write.
type DocWrite struct{ Writes []DocWriteOp }

// DocWriteOp is one write of a DocWrite: OpDocInsert (Update is the document), OpDocUpdate or OpDocDelete.
type DocWriteOp struct {
	Op Op
	DocUpdate
}

// Append appends the payload to b.
func (m *DocWrite) Append(b []byte) []byte {
	b = AppendUvarint(b, uint64(len(m.Writes)))
	for i := range m.Writes {
		b = m.Writes[i].DocUpdate.Append(append(b, byte(m.Writes[i].Op)))
	}
	return b
}

// Decode reads the payload p. It keeps the capacity of m.Writes.
func (m *DocWrite) Decode(p []byte) error {
	r := NewReader(p)
	m.Writes = m.Writes[:0]
	for n := r.Count(MaxBatch); n > 0; n-- {
		w := DocWriteOp{Op: Op(EngineDoc)<<8 | Op(r.Byte())}
		w.take(&r)
		m.Writes = append(m.Writes, w)
	}
	return r.Close()
}
