package flin

import (
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// AggregateOption modifies Aggregate.
type AggregateOption func(*wire.DocAggregate)

// UseIndex makes the server use the index of that name for the first stages of a pipeline.
func UseIndex(name string) AggregateOption {
	return func(m *wire.DocAggregate) { m.Hint = []byte(name) }
}

// Aggregate runs a pipeline over the documents of a collection: a slice of stages in MongoDB's language, each a document with one
// field, as []flin.Document or []flin.D. The loop ends after an error.
//
//	sections := client.DB.Aggregate("packages", []flin.Document{
//		{"$match": flin.Document{"size": flin.Document{"$gt": 1000}}},
//		{"$group": flin.Document{"_id": "$section", "packages": flin.Document{"$sum": 1}}},
//	})
//	for section, err := range sections { … }
func (db *DB) Aggregate(coll string, pipeline any, opts ...AggregateOption) iter.Seq2[Document, error] {
	return each[Document](db.aggregate(coll, pipeline, opts))
}

// aggregate returns the documents of one answer after another.
func (db *DB) aggregate(coll string, pipeline any, opts []AggregateOption) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		m, err := db.pipeline(coll, pipeline, opts)
		if err != nil {
			yield(nil, err)
			return
		}
		resp, err := db.ask(wire.OpDocAggregate, reads, m)
		db.follow(resp, err, 0, yield)
	}
}

func (db *DB) pipeline(coll string, pipeline any, opts []AggregateOption) (*wire.DocAggregate, error) {
	m := &wire.DocAggregate{Name: db.docName(coll)}
	for _, o := range opts {
		o(m)
	}
	const name = "pipeline"
	b, err := appendField(nil, name, pipeline, -1)
	if err != nil {
		return nil, err
	}
	if bson.Type(b[0]) != bson.TypeArray {
		return nil, invalid("a pipeline is a slice of stages, not a %T", pipeline)
	}
	m.Pipeline = b[1+len(name)+1:]
	return m, nil
}

// ExplainAggregate returns, in MongoDB's shape, which indexes a pipeline uses and how many keys and documents it looks at.
func (db *DB) ExplainAggregate(coll string, pipeline any, opts ...AggregateOption) (Document, error) {
	m, err := db.pipeline(coll, pipeline, opts)
	if err != nil {
		return nil, err
	}
	return db.explain(wire.OpDocAggregate, m)
}

// AggregateInto is Aggregate for documents that are read into a T: a struct with bson tags, or a RawDocument.
func AggregateInto[T any](db *DB, coll string, pipeline any, opts ...AggregateOption) iter.Seq2[T, error] {
	return each[T](db.aggregate(coll, pipeline, opts))
}
