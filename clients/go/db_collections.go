package flin

import (
	"iter"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// CollectionInfo is what is known of a collection.
type CollectionInfo struct {
	Database  string
	Name      string
	Created   time.Time
	Documents int64
	Bytes     int64 // of the documents
	Indexes   int   // besides that of _id
}

func newCollectionInfo(m *wire.DocCollectionInfo) CollectionInfo {
	return CollectionInfo{
		Database: string(m.Name.DB), Name: string(m.Name.Coll), Created: expires(m.Created),
		Documents: int64(m.Documents), Bytes: int64(m.Bytes), Indexes: int(m.Indexes),
	}
}

// Collections returns the collections of the database in the order of their names. Each page of a hundred is read at one moment, the
// next one at a later. The loop ends after an error.
func (db *DB) Collections() iter.Seq2[CollectionInfo, error] {
	return func(yield func(CollectionInfo, error) bool) {
		page := wire.DocList{DB: []byte(db.name)}
		for more := true; more; {
			resp, err := db.ask(wire.OpDocCollections, reads, &page)
			if err != nil {
				yield(CollectionInfo{}, err)
				return
			}
			r := wire.NewReader(resp.Body)
			var m wire.DocCollectionInfo
			for r.Len() > 0 {
				if wire.TakeDocCollectionInfo(&r, &m); r.Err() != nil {
					yield(CollectionInfo{}, badAnswer(wire.OpDocCollections, r.Err()))
					return
				}
				if !yield(newCollectionInfo(&m), nil) {
					return
				}
			}
			more = resp.Num != 0 && len(resp.Body) > 0
			page.After = m.Name
		}
	}
}

// Stats returns what is known of a collection, or ErrNotFound.
func (db *DB) Stats(coll string) (CollectionInfo, error) {
	name := db.docName(coll)
	resp, err := db.ask(wire.OpDocStats, reads, &name)
	if err != nil {
		return CollectionInfo{}, err
	}
	r := wire.NewReader(resp.Body)
	var m wire.DocCollectionInfo
	if wire.TakeDocCollectionInfo(&r, &m); r.Err() != nil {
		return CollectionInfo{}, badAnswer(wire.OpDocStats, r.Err())
	}
	return newCollectionInfo(&m), nil
}

// CreateCollection makes a collection; the first write to it does, too. One that is there is no error.
func (db *DB) CreateCollection(coll string) error {
	name := db.docName(coll)
	_, err := db.ask(wire.OpDocCreate, repeats, &name)
	return err
}

// DropCollection removes a collection with its documents and indexes. One that is not there is no error.
func (db *DB) DropCollection(coll string) error {
	if coll == "" {
		return invalid("the name of a collection is empty")
	}
	name := db.docName(coll)
	_, err := db.ask(wire.OpDocDrop, repeats, &name)
	return err
}

// Drop removes every collection of the database.
func (db *DB) Drop() error {
	name := db.docName("")
	_, err := db.ask(wire.OpDocDrop, repeats, &name)
	return err
}

// explain asks how an operation is executed.
func (db *DB) explain(op wire.Op, m payload) (Document, error) {
	resp, err := db.ask(wire.OpDocExplain, reads, &wire.DocExplain{Op: op, Execute: true, Body: m.Append(nil)})
	if err != nil {
		return nil, err
	}
	var d decoder
	doc, err := d.document(resp.Body, 0)
	if err != nil {
		return nil, badAnswer(wire.OpDocExplain, err)
	}
	return doc, nil
}
