package flin

import (
	"iter"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Order is a direction in which documents are sorted.
type Order int8

// The orders.
const (
	Asc  Order = 1
	Desc Order = -1
)

// Query reads documents of a collection:
//
//	adults, err := client.DB.Query("users").Where("age", flin.Gte, 18).OrderBy("name", flin.Asc).Take(10).Exec()
//
// A collection that is not there is an empty one. A Query is for one goroutine; it may be executed more than once.
type Query struct {
	db    *DB
	coll  string
	where []Condition
	room  [2]Condition // what where lies in first
	view  view
	skip  int
	take  int
	batch int
	hint  string
}

// Query begins a query that matches all documents of a collection.
func (db *DB) Query(coll string) *Query {
	q := &Query{db: db, coll: coll}
	q.where = q.room[:0]
	return q
}

// Where adds the condition that a field compares so with a value. All that are added must be met.
func (q *Query) Where(path string, op Operator, value any) *Query {
	q.where = append(q.where, Condition{path: path, op: op, value: value})
	return q
}

// Filter adds conditions.
func (q *Query) Filter(conditions ...Condition) *Query {
	q.where = append(q.where, conditions...)
	return q
}

// And adds conditions that must all be met.
func (q *Query) And(conditions ...Condition) *Query { return q.Filter(And(conditions...)) }

// Or adds conditions of which at least one must be met.
func (q *Query) Or(conditions ...Condition) *Query { return q.Filter(Or(conditions...)) }

// Not adds conditions of which none may be met.
func (q *Query) Not(conditions ...Condition) *Query { return q.Filter(Not(conditions...)) }

// OrderBy sorts by a field; called again it says how documents are sorted that are equal so far. What is missing sorts as null, before
// all other values.
func (q *Query) OrderBy(path string, order Order) *Query {
	q.view.orderBy(path, order)
	return q
}

// Skip leaves out the first n documents.
func (q *Query) Skip(n int) *Query {
	q.skip = n
	return q
}

// Take ends after n documents; 0 is no bound.
func (q *Query) Take(n int) *Query {
	q.take = n
	return q
}

// Select leaves only these fields, and _id, in the documents.
func (q *Query) Select(paths ...string) *Query {
	q.view.fields(1, paths)
	return q
}

// Omit leaves these fields out of the documents.
func (q *Query) Omit(paths ...string) *Query {
	q.view.fields(0, paths)
	return q
}

// Project gives the documents the fields that a projection in MongoDB's language says.
func (q *Query) Project(doc any) *Query {
	q.view.project = doc
	return q
}

// Hint makes the server use the index of that name.
func (q *Query) Hint(index string) *Query {
	q.hint = index
	return q
}

// Batch asks for n documents at a time; without it for 101, then 1,000. Whoever shares the connection waits for one answer at a time.
func (q *Query) Batch(n int) *Query {
	q.batch = n
	return q
}

const (
	firstBatch = 1000 // documents that Exec asks for first, unless it is told how many it takes
	laterBatch = 1000 // documents that any query asks for next
)

// encode appends the parts of the payload to b and fills m.
func (q *Query) encode(b []byte, m *wire.DocFind) (_ []byte, err error) {
	if q.skip < 0 || q.take < 0 {
		return b, invalid("Skip(%d) and Take(%d) cannot be less than 0", q.skip, q.take)
	}
	var ends [5]int
	b = append(append(b[:0], q.db.name...), q.coll...)
	ends[0] = len(b)
	if b, err = appendFilter(b, q.where); err != nil {
		return b, err
	}
	ends[1] = len(b)
	if b, err = q.view.appendProject(b); err != nil {
		return b, err
	}
	ends[2] = len(b)
	if b, err = q.view.appendSort(b); err != nil {
		return b, err
	}
	ends[3] = len(b)
	b = append(b, q.hint...)
	ends[4] = len(b)
	*m = wire.DocFind{
		Name:   wire.DocName{DB: b[:len(q.db.name)], Coll: b[len(q.db.name):ends[0]]},
		Filter: b[ends[0]:ends[1]], Project: b[ends[1]:ends[2]], Sort: b[ends[2]:ends[3]], Hint: b[ends[3]:ends[4]],
		Skip: uint64(q.skip), Limit: uint64(q.take), Batch: uint64(max(q.batch, 0)),
	}
	return b, nil
}

// ask asks for op. edit may change what is asked for.
func (q *Query) ask(op wire.Op, edit func(m *wire.DocFind)) (wire.Response, error) {
	k := newCall(op, true)
	defer k.release()
	b, err := q.encode(k.buf, &k.find)
	if err != nil {
		return wire.Response{}, err
	}
	k.buf, k.payload = b, &k.find
	edit(&k.find)
	err = q.db.do(k)
	return k.resp, err
}

// answers returns the documents of one answer after another. first is how many the first one has if Batch does not say so.
func (q *Query) answers(first int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		resp, err := q.ask(wire.OpDocFind, func(m *wire.DocFind) {
			if m.Batch == 0 {
				m.Batch = uint64(first)
			}
		})
		q.db.follow(resp, err, q.batch, yield)
	}
}

// Exec returns the documents; nil if there are none.
func (q *Query) Exec() ([]Document, error) { return gather[Document](q.answers(q.all())) }

// all is how many documents the first answer should have when all of them are wanted.
func (q *Query) all() int {
	if q.take > 0 {
		return min(q.take, wire.MaxBatch)
	}
	return firstBatch
}

// Iter returns the documents as they come, so that they may be more than there is memory for. The loop ends after an error.
func (q *Query) Iter() iter.Seq2[Document, error] { return each[Document](q.answers(0)) }

// Raw is Iter for documents as they travel. They lie in the answer as it came: copy what is kept for long.
func (q *Query) Raw() iter.Seq2[RawDocument, error] { return each[RawDocument](q.answers(0)) }

// First returns the first document, or ErrNotFound.
func (q *Query) First() (Document, error) { return firstOf[Document](q) }

// firstOf returns the first document of a query as a T, or ErrNotFound.
func firstOf[T any](q *Query) (v T, err error) {
	resp, err := q.ask(wire.OpDocFind, func(m *wire.DocFind) { m.Limit, m.Flags = 1, wire.DocFindSingle })
	if err != nil {
		return v, err
	}
	if len(resp.Body) == 0 {
		return v, wire.Errorf(wire.NotFound, "flin: no document of %s matches", q.coll)
	}
	doc, _, err := takeDocument(resp.Body)
	if err != nil {
		return v, badAnswer(wire.OpDocFind, err)
	}
	var d decoder
	if v, err = decodeInto[T](&d, doc); err != nil {
		return v, badDocument(err)
	}
	return v, nil
}

// Count returns how many documents there are, no more than Take says and without those that Skip leaves out.
func (q *Query) Count() (int64, error) {
	resp, err := q.ask(wire.OpDocCount, func(m *wire.DocFind) { m.Project, m.Sort, m.Batch = nil, nil, 0 })
	return resp.Num, err
}

// Distinct returns the different values that a field has in the documents; of arrays the elements.
func (q *Query) Distinct(path string) ([]any, error) {
	if q.skip != 0 || q.take != 0 {
		return nil, invalid("Distinct looks at all documents that match: it goes with neither Skip nor Take")
	}
	resp, err := q.ask(wire.OpDocDistinct, func(m *wire.DocFind) {
		m.Project, m.Sort, m.Batch, m.Field = nil, nil, 0, []byte(path)
	})
	if err != nil {
		return nil, err
	}
	var d decoder
	list, err := d.list(resp.Body, 0)
	if err != nil {
		return nil, badAnswer(wire.OpDocDistinct, err)
	}
	return list, nil
}

// Explain executes the query and returns, in MongoDB's shape, which indexes it uses and how many keys and documents it looks at.
func (q *Query) Explain() (Document, error) {
	var m wire.DocFind
	if _, err := q.encode(nil, &m); err != nil {
		return nil, err
	}
	return q.db.explain(wire.OpDocFind, &m)
}

// view is how documents are sorted, and what of them is shown.
type view struct {
	sort    []byte // a document that has not been ended
	shown   []byte // likewise
	project any
	err     error
}

func (v *view) orderBy(path string, order Order) {
	if order != Asc && order != Desc {
		v.err = invalid("OrderBy(%q, %d): the order is Asc or Desc", path, order)
	}
	v.add(&v.sort, path, int(order))
}

func (v *view) fields(show int, paths []string) {
	for _, path := range paths {
		v.add(&v.shown, path, show)
	}
}

func (v *view) add(doc *[]byte, path string, n int) {
	if len(*doc) == 0 {
		*doc = beginDoc(nil)
	}
	b, err := appendField(*doc, path, n, 0)
	if *doc = b; err != nil {
		v.err = err
	}
}

func (v *view) appendSort(b []byte) ([]byte, error) {
	if len(v.sort) == 0 || v.err != nil {
		return b, v.err
	}
	return endDoc(append(b, v.sort...), len(b)), nil
}

func (v *view) appendProject(b []byte) ([]byte, error) {
	switch {
	case v.err != nil:
		return b, v.err
	case v.project != nil && len(v.shown) > 0:
		return b, invalid("Project goes with neither Select nor Omit")
	case v.project != nil:
		return appendDoc(b, v.project, 0)
	case len(v.shown) > 0:
		return endDoc(append(b, v.shown...), len(b)), nil
	}
	return b, nil
}

// badDocument says that a document that the server sent does not fit what it was to be read into.
func badDocument(err error) error {
	return &Error{Code: wire.Invalid, Msg: "flin: a document cannot be read: " + err.Error()}
}
