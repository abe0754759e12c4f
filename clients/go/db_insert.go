package flin

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// InsertOption modifies InsertMany.
type InsertOption func(*wire.DocInsert)

// Unordered makes one document that cannot be inserted not keep back those behind it.
func Unordered() InsertOption { return func(m *wire.DocInsert) { m.Flags |= wire.DocUnordered } }

// DocumentError says why a document was not inserted.
type DocumentError struct {
	Index int // of the document among those that were given
	Err   *Error
}

// BulkError says which documents InsertMany has not inserted. errors.Is finds the error of any of them.
type BulkError struct {
	Inserted int             // documents that are in the collection now
	Errors   []DocumentError // in the order of the documents, never none
}

// Error names the first of the documents.
func (e *BulkError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "flin: %d documents were inserted; number %d was not: %v", e.Inserted, e.Errors[0].Index, e.Errors[0].Err)
	if n := len(e.Errors) - 1; n > 0 {
		fmt.Fprintf(&b, " (and %d more)", n)
	}
	return b.String()
}

// Unwrap returns the errors of the documents.
func (e *BulkError) Unwrap() []error {
	list := make([]error, len(e.Errors))
	for i := range e.Errors {
		list[i] = e.Errors[i].Err
	}
	return list
}

// Bounds of what InsertMany sends as one request.
const (
	insertPiece = 1000
	insertBytes = 4 << 20
)

// InsertMany puts the elements of a slice, of anything that Insert takes, into a collection, and returns the _id of each; nil for one
// that was not inserted. It ends with the first document that cannot be inserted, unless it is told Unordered. Its error is then a
// *BulkError.
//
// The documents travel in pieces of up to a thousand. Each is on disk when its successor is sent.
func (db *DB) InsertMany(coll string, docs any, opts ...InsertOption) ([]any, error) {
	list := reflect.ValueOf(docs)
	if kind := list.Kind(); kind != reflect.Slice && kind != reflect.Array {
		return nil, invalid("InsertMany takes a slice of documents, not a %T", docs)
	}
	in := inserter{db: db, m: wire.DocInsert{Name: db.docName(coll)}, ids: make([]any, list.Len())}
	for _, o := range opts {
		o(&in.m)
	}
	for i := range list.Len() {
		at := len(in.buf)
		b, id, err := appendInsert(in.buf, list.Index(i).Interface())
		if err != nil {
			return in.end(fmt.Errorf("flin: document %d: %w", i, err))
		}
		if n := len(in.ends); n > 0 && (n == insertPiece || len(b) > insertBytes) {
			in.buf = b[:at]
			next := append([]byte(nil), b[at:]...)
			if more, err := in.send(); !more {
				return in.end(err)
			}
			b = append(in.buf, next...)
		}
		in.buf, in.ids[i] = b, id
		in.ends = append(in.ends, len(b))
	}
	if len(in.ends) == 0 {
		return in.end(nil)
	}
	_, err := in.send()
	return in.end(err)
}

// inserter sends documents in pieces.
type inserter struct {
	db   *DB
	m    wire.DocInsert
	buf  []byte // the documents of a piece
	ends []int  // where they end
	from int    // the first document of the piece
	ids  []any
	bulk BulkError
}

// send inserts a piece. False: it is the last one.
func (in *inserter) send() (more bool, err error) {
	in.m.Docs = in.m.Docs[:0]
	start := 0
	for _, end := range in.ends {
		in.m.Docs = append(in.m.Docs, in.buf[start:end])
		start = end
	}
	resp, err := in.db.ask(wire.OpDocInsert, once, &in.m)
	if err != nil {
		return false, err
	}
	var r wire.DocResult
	if err := r.Decode(resp.Body); err != nil {
		return false, badAnswer(wire.OpDocInsert, err)
	}
	n := len(in.ends)
	for _, e := range r.Errors {
		if e.Index >= uint64(n) {
			return false, badAnswer(wire.OpDocInsert, wire.ErrTruncated)
		}
		at := in.from + int(e.Index)
		in.ids[at] = nil
		in.bulk.Errors = append(in.bulk.Errors, DocumentError{Index: at, Err: &Error{Code: e.Code, Sub: e.Sub, Msg: string(e.Msg)}})
	}
	in.bulk.Inserted += int(r.Inserted)
	if len(r.Errors) > 0 && in.m.Flags&wire.DocUnordered == 0 {
		in.from += int(r.Inserted)
		return false, nil
	}
	in.from += n
	in.buf, in.ends = in.buf[:0], in.ends[:0]
	return true, nil
}

// end returns what came of all pieces; err keeps back what has not been sent.
func (in *inserter) end(err error) ([]any, error) {
	clear(in.ids[min(in.from, len(in.ids)):])
	if len(in.bulk.Errors) > 0 {
		if err == nil {
			return in.ids, &in.bulk
		}
		return in.ids, errors.Join(&in.bulk, err)
	}
	if err != nil && in.from > 0 {
		err = fmt.Errorf("flin: after %d documents: %w", in.from, err)
	}
	return in.ids, err
}
