package fsm

import (
	"sync/atomic"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Collection is a collection as it is at one moment, but for the counts, which go on. It never changes: any goroutine may
// keep it. An index that is dropped, or a collection, is collected in the background; who scans takes a Reader.
type Collection struct {
	DB, Name string
	ID       uint64   // nobody else has had it: a collection that is made again has another
	Created  int64    // ms since 1970
	Indexes  []*Index // in the order in which they were made, without that of _id

	documents, bytes *atomic.Int64
}

// Documents returns how many there are now.
func (c *Collection) Documents() int64 { return c.documents.Load() }

// Bytes returns how large the documents are together, now.
func (c *Collection) Bytes() int64 { return c.bytes.Load() }

// Index returns an index by its name, or nil.
func (c *Collection) Index(name string) *Index {
	for _, ix := range c.Indexes {
		if ix.Name == name {
			return ix
		}
	}
	return nil
}

// place returns the position of an index, -1 if it is not there.
func (c *Collection) place(iid uint64) int {
	for i, ix := range c.Indexes {
		if ix.ID == iid {
			return i
		}
	}
	return -1
}

// Index is what is known of an index at one moment. It never changes, but for the number of its entries.
type Index struct {
	ID       uint64
	Name     string
	Fields   []value.KeyField
	Flags    wire.DocIndexFlags
	TTL      uint64            // with wire.DocIndexTTL: seconds
	Partial  bsoncore.Document // with wire.DocIndexPartial
	State    wire.DocIndexState
	Multikey bool      // a document has come to its keys through an array
	Seen     uint64    // of a build: the documents that it has gone through
	Reason   string    // why it has failed
	code     wire.Code // of the failure
	sub      uint32

	cursor  []byte         // of a build: it has gone through the documents up to this key of an _id
	filter  *filter.Filter // of Partial
	entries *atomic.Int64
}

// Entries returns how many there are now.
func (ix *Index) Entries() int64 { return ix.entries.Load() }

// Failure returns why the index has failed.
func (ix *Index) Failure() *wire.Error {
	return &wire.Error{Code: ix.code, Sub: ix.sub, Msg: ix.Reason}
}

// Ready reports whether the index has all documents that belong into it.
func (ix *Index) Ready() bool { return ix.State == wire.DocIndexReady }

// Unique reports whether each key has one document.
func (ix *Index) Unique() bool { return ix.Flags&wire.DocIndexUnique != 0 }

// Holds reports whether a document that matches the filter has to be in a partial index. It is meant for planners.
func (ix *Index) Holds(doc bsoncore.Document) bool { return ix.filter == nil || ix.filter.Matches(doc) }

// keeps reports whether a write of a document concerns the index. A build comes to those behind its cursor by itself.
func (ix *Index) keeps(id []byte) bool {
	if ix.State == wire.DocIndexBuilding {
		return len(ix.cursor) > 0 && string(id) <= string(ix.cursor)
	}
	return ix.Ready()
}

// clone returns a copy that may be changed until it is handed out.
func (ix *Index) clone() *Index {
	c := *ix
	return &c
}

// Collection returns a collection, or nil if it is not there. Any goroutine may call it; it allocates nothing.
func (m *Machine) Collection(db, name []byte) *Collection {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.databases[string(db)][string(name)]
}

// each calls fn for each collection, in no order. Under mu.
func (m *Machine) each(fn func(c *Collection)) {
	for _, colls := range m.databases {
		for _, c := range colls {
			fn(c)
		}
	}
}
