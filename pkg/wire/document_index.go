package wire

// DocIndexFlags are the options of an index.
type DocIndexFlags uint8

// The options of an index.
const (
	DocIndexUnique  DocIndexFlags = 1 << iota // no two documents have a key in common; what is missing counts as null
	DocIndexSparse                            // documents that have none of the fields are left out
	DocIndexTTL                               // documents go TTL seconds after the date in the field
	DocIndexPartial                           // documents that do not match Partial are left out
)

// DocIndexField is a field of an index.
type DocIndexField struct {
	Path []byte // dotted
	Desc bool
}

// DocIndexSpec says what an index is.
type DocIndexSpec struct {
	Name    []byte // empty: made of the fields, as a_1_b_-1
	Fields  []DocIndexField
	Flags   DocIndexFlags
	TTL     uint64 // with DocIndexTTL: seconds, at most MaxDocTTL
	Partial []byte // with DocIndexPartial: a filter
}

// DocIndex makes an index (OpDocIndex), and the collection if that is not there. Num is 1 if it was made, 0 if it was there just so;
// Body is its name. It is built while writes go on: OpDocIndexes tells how far that is. The name of another index, or the fields of
// one with other options, is Exists.
type DocIndex struct {
	Name DocName
	Spec DocIndexSpec
}

// Append appends the payload to b.
func (m *DocIndex) Append(b []byte) []byte { return m.Spec.append(m.Name.Append(b)) }

// Decode reads the payload p. It keeps the capacity of m.Spec.Fields.
func (m *DocIndex) Decode(p []byte) error {
	r := NewReader(p)
	m.Name.take(&r)
	m.Spec.take(&r)
	return r.Close()
}

func (m *DocIndexSpec) append(b []byte) []byte {
	b = AppendUvarint(AppendBytes(b, m.Name), uint64(len(m.Fields)))
	for _, f := range m.Fields {
		b = append(AppendBytes(b, f.Path), boolByte(f.Desc))
	}
	b = append(b, byte(m.Flags))
	if m.Flags&DocIndexTTL != 0 {
		b = AppendUvarint(b, m.TTL)
	}
	if m.Flags&DocIndexPartial != 0 {
		b = AppendBytes(b, m.Partial)
	}
	return b
}

func (m *DocIndexSpec) take(r *Reader) {
	m.Name, m.TTL, m.Partial, m.Fields = r.Bytes(), 0, nil, m.Fields[:0]
	for n := r.Count(MaxBatch); n > 0; n-- {
		m.Fields = append(m.Fields, DocIndexField{Path: r.Bytes(), Desc: r.Byte() != 0})
	}
	m.Flags = DocIndexFlags(r.Byte())
	if m.Flags&DocIndexTTL != 0 {
		m.TTL = r.Uvarint()
	}
	if m.Flags&DocIndexPartial != 0 {
		m.Partial = r.Bytes()
	}
}

// DocDropIndex drops an index (OpDocDropIndex). Num is how many went; NotFound if there is none of the name. That of _id cannot go.
type DocDropIndex struct {
	Name  DocName
	Index []byte // * is all
}

// Append appends the payload to b.
func (m *DocDropIndex) Append(b []byte) []byte { return AppendBytes(m.Name.Append(b), m.Index) }

// Decode reads the payload p.
func (m *DocDropIndex) Decode(p []byte) error {
	r := NewReader(p)
	m.Name.take(&r)
	m.Index = r.Bytes()
	return r.Close()
}

// DocIndexState says how far an index is.
type DocIndexState uint8

const (
	DocIndexReady    DocIndexState = 0
	DocIndexBuilding DocIndexState = 1
	DocIndexFailed   DocIndexState = 2 // it is not kept up any more, and can only be dropped or made anew
)

// DocIndexInfo is what is known of an index.
type DocIndexInfo struct {
	Spec     DocIndexSpec
	ID       uint64 // nobody else has had it; 0 is that of _id
	State    DocIndexState
	Multikey bool   // a document has had several keys in it
	Entries  uint64 // keys of all documents
	Seen     uint64 // of a build: documents that have been gone through
	Reason   []byte // why it has failed
}

// AppendDocIndexInfo appends m as an element of a list.
func AppendDocIndexInfo(b []byte, m *DocIndexInfo) []byte {
	b = append(AppendUvarint(m.Spec.append(b), m.ID), byte(m.State), boolByte(m.Multikey))
	return AppendBytes(AppendUvarint(AppendUvarint(b, m.Entries), m.Seen), m.Reason)
}

// TakeDocIndexInfo reads the next element of a list. It keeps the capacity of m.Spec.Fields.
func TakeDocIndexInfo(r *Reader, m *DocIndexInfo) {
	m.Spec.take(r)
	m.ID, m.State, m.Multikey = r.Uvarint(), DocIndexState(r.Byte()), r.Byte() != 0
	m.Entries, m.Seen, m.Reason = r.Uvarint(), r.Uvarint(), r.Bytes()
}
