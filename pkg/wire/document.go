package wire

import "bytes"

// The payloads of the document engine. Documents, filters, updates and values travel as BSON, lists of documents one behind the
// other: each says how long it is. A value is the byte of its type and its bytes. An error has MongoDB's code in Sub. Slices that
// a decoder returns share memory with the payload.

// Bounds of the document engine.
const (
	MaxDocument       = 16 << 20  // bytes of a document
	MaxDocDepth       = 100       // levels of a document
	MaxDocDatabase    = 63        // bytes of a database's name
	MaxDocCollection  = 200       // bytes of a collection's name
	MaxDocCollections = 10_000    // collections of all databases together
	MaxDocIndexes     = 64        // indexes of a collection, besides that of _id
	MaxDocIndexFields = 32        // fields of an index
	MaxDocIndexName   = 127       // bytes of an index's name
	MaxDocID          = 16_000    // bytes of the key that an _id becomes
	MaxDocIndexKey    = 48_000    // bytes of the key that a document has in an index, without that of its _id
	MaxDocTargets     = 1_000     // collections that one command writes to
	MaxDocTTL         = 1<<31 - 1 // seconds that a document may live for by a TTL index
	MaxDocList        = 1_000     // collections in one list
	DefaultDocBatch   = 101       // documents of the first answer of a find, and of an aggregation
)

// DocDatabase is the database that a client uses unless it names another.
const DocDatabase = "default"

// MongoDB's codes of errors that have to do with names, collections and indexes, and of writes that somebody else was before.
const (
	DocNamespaceNotFound = 26
	DocIndexNotFound     = 27
	DocCursorNotFound    = 43
	DocCannotCreateIndex = 67
	DocInvalidNamespace  = 73
	DocIndexOptions      = 85 // the index is there under another name, or with another time to live
	DocIndexKeySpecs     = 86 // the name is that of an index that differs in fields or options
	DocWriteConflict     = 112
	DocKeyTooLong        = 17280
)

// DocName names a collection. Where an operation says so, an empty Coll is all collections of the database, and an empty DB all
// databases.
type DocName struct{ DB, Coll []byte }

// Append appends the payload to b.
func (m *DocName) Append(b []byte) []byte { return AppendBytes(AppendBytes(b, m.DB), m.Coll) }

// Decode reads the payload p: that of OpDocCreate (Num is 1 if the collection was made, 0 if it was there), OpDocDrop (with an
// empty Coll all of the database; Num is how many collections went), OpDocIndexes (Body is a list of DocIndexInfo, that of _id
// first) and OpDocStats (Body is a DocCollectionInfo and the list of its indexes). A collection that is not there is NotFound,
// but for a drop.
func (m *DocName) Decode(p []byte) error {
	r := NewReader(p)
	m.take(&r)
	return r.Close()
}

func (m *DocName) take(r *Reader) { m.DB, m.Coll = r.Bytes(), r.Bytes() }

// Check reports what is wrong with the name of a collection: MongoDB's rules.
func (m *DocName) Check() error {
	if err := CheckDocDatabase(m.DB); err != nil {
		return err
	}
	switch {
	case len(m.Coll) == 0:
		return docName("the name of a collection is empty")
	case len(m.Coll) > MaxDocCollection:
		return docName("a collection name of %d bytes is over the limit of %d", len(m.Coll), MaxDocCollection)
	case bytes.ContainsAny(m.Coll, "$\x00"):
		return docName("%q is no name for a collection: it has a $ or a NUL", m.Coll)
	case m.Coll[0] == '.', m.Coll[len(m.Coll)-1] == '.':
		return docName("%q is no name for a collection: it begins or ends with a dot", m.Coll)
	case bytes.HasPrefix(m.Coll, []byte("system.")):
		return docName("%q is no name for a collection: those that begin with system. are the server's own", m.Coll)
	}
	return nil
}

// CheckDocDatabase reports what is wrong with the name of a database.
func CheckDocDatabase(db []byte) error {
	switch {
	case len(db) == 0:
		return docName("the name of a database is empty")
	case len(db) > MaxDocDatabase:
		return docName("a database name of %d bytes is over the limit of %d", len(db), MaxDocDatabase)
	case bytes.ContainsAny(db, "/\\. \"$*<>:|?\x00"):
		return docName(`%q is no name for a database: it has one of / \ . " $ * < > : | ?, a space or a NUL`, db)
	}
	return nil
}

func docName(format string, args ...any) *Error {
	err := Errorf(Invalid, format, args...)
	err.Sub = DocInvalidNamespace
	return err
}

// DocList lists collections (OpDocCollections) in the order of database and name: of one database or, with an empty DB, of all;
// those behind After. Num is 1 if there are more; Body is a list of DocCollectionInfo.
type DocList struct {
	DB    []byte
	After DocName // a zero one: from the first
	Limit uint64  // 1 to MaxDocList; 0 means 100
}

// Append appends the payload to b.
func (m *DocList) Append(b []byte) []byte {
	return AppendUvarint(m.After.Append(AppendBytes(b, m.DB)), m.Limit)
}

// Decode reads the payload p.
func (m *DocList) Decode(p []byte) error {
	r := NewReader(p)
	m.DB = r.Bytes()
	m.After.take(&r)
	m.Limit = r.Uvarint()
	return r.Close()
}

// DocCollectionInfo is what is known of a collection.
type DocCollectionInfo struct {
	Name      DocName
	ID        uint64 // nobody else has had it: a collection that is made again has another
	Created   int64  // ms since 1970
	Documents uint64
	Bytes     uint64 // of the documents
	Indexes   uint64 // besides that of _id
}

// AppendDocCollectionInfo appends m as an element of a list.
func AppendDocCollectionInfo(b []byte, m *DocCollectionInfo) []byte {
	b = AppendUvarint(m.Name.Append(b), m.ID)
	b = AppendUvarint(AppendUvarint(b, uint64(m.Created)), m.Documents)
	return AppendUvarint(AppendUvarint(b, m.Bytes), m.Indexes)
}

// TakeDocCollectionInfo reads the next element of a list.
func TakeDocCollectionInfo(r *Reader, m *DocCollectionInfo) {
	m.Name.take(r)
	m.ID, m.Created, m.Documents, m.Bytes, m.Indexes = r.Uvarint(), int64(r.Uvarint()), r.Uvarint(), r.Uvarint(), r.Uvarint()
}
