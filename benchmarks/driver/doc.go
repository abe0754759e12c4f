package driver

// Docs is a client of one collection of documents, with a method for each operation that is measured. All methods but Close may be
// called by many goroutines at once. Finds return documents as they travelled; only Decode reads them.
type Docs interface {
	// Index makes an index of a field, by which Find and Range then find.
	Index(field string) error
	// Insert puts a document in. It returns when that is on disk.
	Insert(d *Document) error
	// InsertMany puts documents in as fast as the client can.
	InsertMany(list []Document) error
	// FindID returns the document with an _id, and fails where it is missing.
	FindID(id string) ([]byte, error)
	// FindUID returns a document with a uid, and fails where there is none.
	FindUID(uid int64) ([]byte, error)
	// Range returns the first n documents, in the order of their ranks, whose rank is at least from and less than to.
	Range(from, to int64, n int) ([][]byte, error)
	// UpdateUID gives the one document with a uid another number of visits, and fails where there is none.
	UpdateUID(uid, visits int64) error
	// DeleteID removes the document with an _id, and fails where it is missing.
	DeleteID(id string) error
	// Count returns how many documents there are.
	Count() (uint64, error)
	// Decode reads what a find has returned.
	Decode(raw []byte) (Document, error)
	Close() error
}

// Analyzer is a Docs whose server finds faster when it has been told to look at what was put in.
type Analyzer interface {
	// Analyze lets the server look at all documents, and write down what it has not yet.
	Analyze() error
}

// OpenDocs connects a client to the server at addr, and makes the collection that it works on if that has to be made.
type OpenDocs func(addr string) (Docs, error)

// docsName is what the collection of a benchmark is called, on every server.
const docsName = "docs"

// The fields of a Document that indexes are made of.
const (
	FieldUID   = "uid"
	FieldRank  = "rank"
	FieldEmail = "email"
)
