package flin

import (
	"context"
	"iter"
)

// Collection is a collection whose documents are read into a T: a struct with bson tags, say.
//
//	type User struct {
//		ID    flin.ObjectID `bson:"_id,omitempty"`
//		Email string        `bson:"email"`
//		Age   int           `bson:"age"`
//	}
//
//	users := flin.CollectionOf[User](client.DB, "users")
//	id, err := users.Insert(User{Email: "john@example.com", Age: 30})
//	adults, err := users.Query().Where("age", flin.Gte, 18).Exec()
//
// A field without a tag is stored under its name in lower case.
type Collection[T any] struct {
	db   *DB
	name string
}

// CollectionOf returns a collection whose documents are read into a T.
func CollectionOf[T any](db *DB, name string) *Collection[T] { return &Collection[T]{db, name} }

// Name returns the name of the collection.
func (c *Collection[T]) Name() string { return c.name }

// Insert is DB.Insert.
func (c *Collection[T]) Insert(doc T) (any, error) { return c.db.Insert(c.name, doc) }

// InsertMany is DB.InsertMany.
func (c *Collection[T]) InsertMany(docs []T, opts ...InsertOption) ([]any, error) {
	return c.db.InsertMany(c.name, docs, opts...)
}

// Get returns the document with an _id, or ErrNotFound.
func (c *Collection[T]) Get(id any) (T, error) { return c.Query().Where("_id", Eq, id).First() }

// Replace puts a document in the place of that with an _id; ErrNotFound if there is none.
func (c *Collection[T]) Replace(id any, doc T) error {
	result, err := c.db.Update(c.name).Where("_id", Eq, id).Replace(doc).Exec()
	if err == nil && result.Matched == 0 {
		err = ErrNotFound
	}
	return err
}

// Update is DB.Update.
func (c *Collection[T]) Update() *Update { return c.db.Update(c.name) }

// Delete is DB.Delete.
func (c *Collection[T]) Delete() *Delete { return c.db.Delete(c.name) }

// Watch is DB.Watch. Change.Decode reads a document into a T.
func (c *Collection[T]) Watch(ctx context.Context, opts ...ChangeOption) (*ChangeWatcher, error) {
	return c.db.Watch(ctx, c.name, opts...)
}

// Query begins a query that matches all documents of the collection.
func (c *Collection[T]) Query() *TypedQuery[T] { return &TypedQuery[T]{c.db.Query(c.name)} }

// TypedQuery is a Query whose documents are read into a T.
type TypedQuery[T any] struct{ q *Query }

// Where is Query.Where.
func (t *TypedQuery[T]) Where(path string, op Operator, value any) *TypedQuery[T] {
	t.q.Where(path, op, value)
	return t
}

// Filter is Query.Filter.
func (t *TypedQuery[T]) Filter(conditions ...Condition) *TypedQuery[T] {
	t.q.Filter(conditions...)
	return t
}

// And is Query.And.
func (t *TypedQuery[T]) And(conditions ...Condition) *TypedQuery[T] {
	t.q.And(conditions...)
	return t
}

// Or is Query.Or.
func (t *TypedQuery[T]) Or(conditions ...Condition) *TypedQuery[T] {
	t.q.Or(conditions...)
	return t
}

// Not is Query.Not.
func (t *TypedQuery[T]) Not(conditions ...Condition) *TypedQuery[T] {
	t.q.Not(conditions...)
	return t
}

// OrderBy is Query.OrderBy.
func (t *TypedQuery[T]) OrderBy(path string, order Order) *TypedQuery[T] {
	t.q.OrderBy(path, order)
	return t
}

// Skip is Query.Skip.
func (t *TypedQuery[T]) Skip(n int) *TypedQuery[T] {
	t.q.Skip(n)
	return t
}

// Take is Query.Take.
func (t *TypedQuery[T]) Take(n int) *TypedQuery[T] {
	t.q.Take(n)
	return t
}

// Select is Query.Select.
func (t *TypedQuery[T]) Select(paths ...string) *TypedQuery[T] {
	t.q.Select(paths...)
	return t
}

// Hint is Query.Hint.
func (t *TypedQuery[T]) Hint(index string) *TypedQuery[T] {
	t.q.Hint(index)
	return t
}

// Exec returns the documents; nil if there are none.
func (t *TypedQuery[T]) Exec() ([]T, error) { return gather[T](t.q.answers(t.q.all())) }

// Iter returns the documents as they come. The loop ends after an error.
func (t *TypedQuery[T]) Iter() iter.Seq2[T, error] { return each[T](t.q.answers(0)) }

// First returns the first document, or ErrNotFound.
func (t *TypedQuery[T]) First() (T, error) { return firstOf[T](t.q) }

// Count is Query.Count.
func (t *TypedQuery[T]) Count() (int64, error) { return t.q.Count() }

// Explain is Query.Explain.
func (t *TypedQuery[T]) Explain() (Document, error) { return t.q.Explain() }
