package flin

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// DB is a database of collections of documents. Client.DB is the one named default, Client.Database returns others; a collection
// is made by the first write to it.
//
// A document is given as a Document, a struct with bson tags, a D or a RawDocument. A Go int becomes an int32 where it fits, else an
// int64; a []byte a binary; a time.Time a date, to the millisecond. The fields of a map are stored in the order of their names, _id
// first, those of a struct or a D as they stand there.
//
// Filters, updates, projections and pipelines are MongoDB's; the builders (Query, Update, Delete) make them, and take those that
// are written by hand as well. The errors of a builder come with its last call, which alone asks the server. An error of the
// server has MongoDB's code in Error.Sub.
type DB struct {
	client *Client
	name   string
	txn    *transaction // nil: it is outside of transactions
}

// Document is a document as the client returns it: its values are nil, string, bool, int32, int64, float64, time.Time, ObjectID,
// Decimal128, []byte, map[string]any and []any, and for what has no type in Go those of mongo-driver's bson.
type Document = map[string]any

// ObjectID is the _id that a document gets which has none: 12 bytes that begin with the time.
type ObjectID = bson.ObjectID

// Decimal128 is a decimal number of 34 digits.
type Decimal128 = bson.Decimal128

// RawDocument is a document as it travels.
type RawDocument = bson.Raw

// D is a document whose fields are in the order in which they stand.
type D = bson.D

// E is a field of a D.
type E = bson.E

// NewObjectID returns an ObjectID that nobody has had. Those that are made later sort behind it, to the second.
func NewObjectID() ObjectID { return bson.NewObjectID() }

// ParseObjectID reads an ObjectID of 24 hexadecimal digits.
func ParseObjectID(hex string) (ObjectID, error) {
	id, err := bson.ObjectIDFromHex(hex)
	if err != nil {
		return ObjectID{}, wire.Errorf(wire.Invalid, "flin: %q is no ObjectID: it takes 24 hexadecimal digits", hex)
	}
	return id, nil
}

// ParseDecimal128 reads a decimal number of up to 34 digits.
func ParseDecimal128(text string) (Decimal128, error) {
	d, err := bson.ParseDecimal128(text)
	if err != nil {
		return Decimal128{}, wire.Errorf(wire.Invalid, "flin: %q is no decimal number: %v", text, err)
	}
	return d, nil
}

// Database returns the database of that name, with the same connections and context.
func (c *Client) Database(name string) *DB { return &DB{client: c, name: name} }

// Database returns another database: in a transaction, in the same.
func (db *DB) Database(name string) *DB { return &DB{client: db.client, name: name, txn: db.txn} }

// Name returns the name of the database.
func (db *DB) Name() string { return db.name }

// Insert puts a document into a collection and returns its _id: that of the document or, if it has none, a new ObjectID. One that is
// there already, or whose key in a unique index is, is ErrExists.
func (db *DB) Insert(coll string, doc any) (any, error) {
	k := newCall(wire.OpDocInsert, false)
	defer k.release()
	b := append(append(k.buf[:0], db.name...), coll...)
	at := len(b)
	b, id, err := appendInsert(b, doc)
	if err != nil {
		return nil, err
	}
	k.buf, k.docs[0] = b, b[at:]
	k.insert = wire.DocInsert{Name: wire.DocName{DB: b[:len(db.name):len(db.name)], Coll: b[len(db.name):at:at]}, Docs: k.docs[:]}
	k.payload = &k.insert
	if err := db.do(k); err != nil {
		return nil, err
	}
	var m wire.DocResult
	if err := m.Decode(k.resp.Body); err != nil {
		return nil, badAnswer(wire.OpDocInsert, err)
	}
	if len(m.Errors) > 0 {
		return nil, m.Errors[0].Err()
	}
	return id, nil
}

// Get returns the document with an _id, or ErrNotFound.
func (db *DB) Get(coll string, id any) (Document, error) {
	return db.Query(coll).Where("_id", Eq, id).First()
}

// docName is the name of a collection on the wire.
func (db *DB) docName(coll string) wire.DocName {
	return wire.DocName{DB: []byte(db.name), Coll: []byte(coll)}
}

// ask makes a call with a payload that does not lie in the call.
func (db *DB) ask(op wire.Op, n nature, m payload) (wire.Response, error) {
	k := newCall(op, n == reads)
	k.payload, k.repeat = m, n == repeats
	err := db.do(k)
	resp := k.resp
	k.release()
	return resp, err
}

func invalid(format string, args ...any) error {
	return wire.Errorf(wire.Invalid, "flin: "+format, args...)
}
