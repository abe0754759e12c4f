package wire

// DocResult is what writes came to.
type DocResult struct {
	Inserted, Matched, Modified, Deleted uint64
	IDs                                  []DocID    // that the server has made, and those of upserts
	Errors                               []DocError // of documents that could not be written
}

// DocID is the _id of a document.
type DocID struct {
	Index uint64 // of the document or the write in the request
	Value []byte // the byte of its type, and its bytes
}

// DocError says why a document was not written.
type DocError struct {
	Index uint64 // of the document or the write in the request
	Code  Code
	Sub   uint32 // MongoDB's code
	Msg   []byte
}

// Append appends the payload to b.
func (m *DocResult) Append(b []byte) []byte {
	for _, n := range [...]uint64{m.Inserted, m.Matched, m.Modified, m.Deleted, uint64(len(m.IDs))} {
		b = AppendUvarint(b, n)
	}
	for _, id := range m.IDs {
		b = AppendBytes(AppendUvarint(b, id.Index), id.Value)
	}
	b = AppendUvarint(b, uint64(len(m.Errors)))
	for i := range m.Errors {
		b = AppendDocError(b, &m.Errors[i])
	}
	return b
}

// Decode reads the payload p. It keeps the capacity of its slices.
func (m *DocResult) Decode(p []byte) error {
	r := NewReader(p)
	m.take(&r)
	return r.Close()
}

func (m *DocResult) take(r *Reader) {
	for _, n := range [...]*uint64{&m.Inserted, &m.Matched, &m.Modified, &m.Deleted} {
		*n = r.Uvarint()
	}
	m.IDs, m.Errors = m.IDs[:0], m.Errors[:0]
	for n := r.Count(MaxBatch); n > 0; n-- {
		m.IDs = append(m.IDs, DocID{Index: r.Uvarint(), Value: r.Bytes()})
	}
	for n := r.Count(MaxBatch); n > 0; n-- {
		m.Errors = append(m.Errors, TakeDocError(r))
	}
}

// AppendDocError appends e as an element of a list.
func AppendDocError(b []byte, e *DocError) []byte {
	b = append(AppendUvarint(b, e.Index), byte(e.Code))
	return AppendBytes(AppendUvarint(b, uint64(e.Sub)), e.Msg)
}

// TakeDocError reads the next element of a list.
func TakeDocError(r *Reader) DocError {
	return DocError{Index: r.Uvarint(), Code: Code(r.Byte()), Sub: uint32(r.Uvarint()), Msg: r.Bytes()}
}

// Err returns the error.
func (e *DocError) Err() error { return &Error{Code: e.Code, Sub: e.Sub, Msg: string(e.Msg)} }

// DocModified is the answer to an OpDocModify.
type DocModified struct {
	Result DocResult
	Doc    []byte // as it was, or with DocReturnNew as it is; empty: there is none
}

// Append appends the payload to b.
func (m *DocModified) Append(b []byte) []byte { return append(m.Result.Append(b), m.Doc...) }

// Decode reads the payload p.
func (m *DocModified) Decode(p []byte) error {
	r := NewReader(p)
	m.Result.take(&r)
	m.Doc = r.Rest()
	return r.Close()
}
