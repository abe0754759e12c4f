package flin

import "github.com/skshohagmiah/flin/pkg/wire"

// Delete removes documents of a collection: all that match, with One only the first. Without a condition it must be told All. A
// Delete is for one goroutine; nothing is sent before Exec or FindAndDelete.
type Delete struct {
	db    *DB
	coll  string
	where []Condition
	room  [2]Condition
	view  view
	one   bool
	all   bool
	hint  string
}

// DeleteResult is what a deletion came to.
type DeleteResult struct{ Deleted int64 }

// Delete begins a deletion of documents of a collection.
func (db *DB) Delete(coll string) *Delete {
	d := &Delete{db: db, coll: coll}
	d.where = d.room[:0]
	return d
}

// Where adds the condition that a field compares so with a value. All that are added must be met.
func (d *Delete) Where(path string, op Operator, value any) *Delete {
	d.where = append(d.where, Condition{path: path, op: op, value: value})
	return d
}

// Filter adds conditions.
func (d *Delete) Filter(conditions ...Condition) *Delete {
	d.where = append(d.where, conditions...)
	return d
}

// And adds conditions that must all be met.
func (d *Delete) And(conditions ...Condition) *Delete { return d.Filter(And(conditions...)) }

// Or adds conditions of which at least one must be met.
func (d *Delete) Or(conditions ...Condition) *Delete { return d.Filter(Or(conditions...)) }

// Not adds conditions of which none may be met.
func (d *Delete) Not(conditions ...Condition) *Delete { return d.Filter(Not(conditions...)) }

// One deletes the first document that matches only.
func (d *Delete) One() *Delete {
	d.one = true
	return d
}

// All deletes every document, if there are no conditions.
func (d *Delete) All() *Delete {
	d.all = true
	return d
}

// Hint makes the server use the index of that name.
func (d *Delete) Hint(index string) *Delete {
	d.hint = index
	return d
}

// OrderBy says which of the documents that match FindAndDelete deletes: the first in this order.
func (d *Delete) OrderBy(path string, order Order) *Delete {
	d.view.orderBy(path, order)
	return d
}

// Select leaves only these fields, and _id, in the document that FindAndDelete returns.
func (d *Delete) Select(paths ...string) *Delete {
	d.view.fields(1, paths)
	return d
}

// Exec deletes the documents. An error may come with a result: so many had been deleted before.
func (d *Delete) Exec() (DeleteResult, error) {
	var m wire.DocUpdate
	if err := d.encode(&m); err != nil {
		return DeleteResult{}, err
	}
	if err := plain(&m); err != nil {
		return DeleteResult{}, err
	}
	resp, err := d.db.ask(wire.OpDocDelete, once, &m)
	if err != nil {
		return DeleteResult{}, err
	}
	r, _, err := readResult(wire.OpDocDelete, resp.Body)
	return DeleteResult{Deleted: int64(r.Deleted)}, err
}

// FindAndDelete deletes one document and returns it; ErrNotFound if none matches.
func (d *Delete) FindAndDelete() (Document, error) {
	var m wire.DocUpdate
	d.one = true
	if err := d.encode(&m); err != nil {
		return nil, err
	}
	m.Flags |= wire.DocRemove
	return d.db.modify(&m)
}

// Explain returns, in MongoDB's shape, how the documents are found. Nothing is deleted.
func (d *Delete) Explain() (Document, error) {
	var m wire.DocUpdate
	if err := d.encode(&m); err != nil {
		return nil, err
	}
	return d.db.explain(wire.OpDocDelete, &m)
}

// encode fills m.
func (d *Delete) encode(m *wire.DocUpdate) (err error) {
	m.Name, m.Hint = d.db.docName(d.coll), []byte(d.hint)
	if m.Filter, err = guarded(d.where, d.all, "Delete"); err != nil {
		return err
	}
	if !d.one {
		m.Flags |= wire.DocMulti
	}
	if m.Sort, err = d.view.appendSort(nil); err != nil {
		return err
	}
	m.Project, err = d.view.appendProject(nil)
	return err
}
