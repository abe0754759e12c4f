package flin

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Update changes documents of a collection:
//
//	result, err := client.DB.Update("users").Where("email", flin.Eq, "john@example.com").Set("age", 31).Inc("logins", 1).Exec()
//
// It changes all that match, with One only the first. Each document changes at one moment, and only if it matches still. Without a
// condition it must be told All, so that one that was forgotten does no harm. An Update is for one goroutine; nothing is sent before
// Exec or FindAndModify.
type Update struct {
	db      *DB
	coll    string
	where   []Condition
	room    [2]Condition
	view    view
	flags   wire.DocWriteFlags
	one     bool
	all     bool
	changes []change
	replace any // the whole document, or one of operators
	filters []any
	hint    string
}

// change is one operator on one field.
type change struct {
	operator string
	path     string
	value    any
}

// UpdateResult is what an update came to.
type UpdateResult struct {
	Matched    int64 // documents that matched
	Modified   int64 // of them those that are not as they were
	UpsertedID any   // the _id of the document that Upsert has made; nil: none was
}

// Update begins a change of documents of a collection.
func (db *DB) Update(coll string) *Update {
	u := &Update{db: db, coll: coll}
	u.where = u.room[:0]
	return u
}

// Where adds the condition that a field compares so with a value. All that are added must be met.
func (u *Update) Where(path string, op Operator, value any) *Update {
	u.where = append(u.where, Condition{path: path, op: op, value: value})
	return u
}

// Filter adds conditions.
func (u *Update) Filter(conditions ...Condition) *Update {
	u.where = append(u.where, conditions...)
	return u
}

// And adds conditions that must all be met.
func (u *Update) And(conditions ...Condition) *Update { return u.Filter(And(conditions...)) }

// Or adds conditions of which at least one must be met.
func (u *Update) Or(conditions ...Condition) *Update { return u.Filter(Or(conditions...)) }

// Not adds conditions of which none may be met.
func (u *Update) Not(conditions ...Condition) *Update { return u.Filter(Not(conditions...)) }

// One changes the first document that matches only.
func (u *Update) One() *Update {
	u.one = true
	return u
}

// All changes every document, if there are no conditions.
func (u *Update) All() *Update {
	u.all = true
	return u
}

// Upsert makes a document where none matches: of the fields that the conditions say are equal to something, changed so.
func (u *Update) Upsert() *Update {
	u.flags |= wire.DocUpsert
	return u
}

// Hint makes the server use the index of that name.
func (u *Update) Hint(index string) *Update {
	u.hint = index
	return u
}

func (u *Update) change(operator, path string, value any) *Update {
	u.changes = append(u.changes, change{operator, path, value})
	return u
}

// Set gives a field a value.
func (u *Update) Set(path string, value any) *Update { return u.change("$set", path, value) }

// SetOnInsert gives a field a value in a document that Upsert makes.
func (u *Update) SetOnInsert(path string, value any) *Update {
	return u.change("$setOnInsert", path, value)
}

// Unset removes fields.
func (u *Update) Unset(paths ...string) *Update {
	for _, path := range paths {
		u.change("$unset", path, "")
	}
	return u
}

// Rename gives a field another name.
func (u *Update) Rename(path, to string) *Update { return u.change("$rename", path, to) }

// Inc adds a number to a field, which is 0 where it is missing.
func (u *Update) Inc(path string, by any) *Update { return u.change("$inc", path, by) }

// Mul multiplies a field, which is 0 where it is missing.
func (u *Update) Mul(path string, by any) *Update { return u.change("$mul", path, by) }

// Min makes a field no greater than a value.
func (u *Update) Min(path string, value any) *Update { return u.change("$min", path, value) }

// Max makes a field no less than a value.
func (u *Update) Max(path string, value any) *Update { return u.change("$max", path, value) }

// CurrentDate sets a field to the server's time.
func (u *Update) CurrentDate(path string) *Update { return u.change("$currentDate", path, true) }

// Push adds values at the end of an array, which is made where it is missing.
func (u *Update) Push(path string, values ...any) *Update {
	return u.change("$push", path, D{{Key: "$each", Value: values}})
}

// AddToSet adds the values to an array that it does not have.
func (u *Update) AddToSet(path string, values ...any) *Update {
	return u.change("$addToSet", path, D{{Key: "$each", Value: values}})
}

// Pull removes the elements of an array that are equal to a value, or that match it if it is a filter.
func (u *Update) Pull(path string, value any) *Update { return u.change("$pull", path, value) }

// PullAll removes the elements of an array that are equal to one of the values.
func (u *Update) PullAll(path string, values ...any) *Update {
	return u.change("$pullAll", path, values)
}

// PopFirst removes the first element of an array.
func (u *Update) PopFirst(path string) *Update { return u.change("$pop", path, -1) }

// PopLast removes the last element of an array.
func (u *Update) PopLast(path string) *Update { return u.change("$pop", path, 1) }

// Doc changes documents as an update in MongoDB's language says: a document of operators, or the one that takes the place of what
// matches, but for the _id; then only the first that matches is changed.
func (u *Update) Doc(update any) *Update {
	u.replace = update
	return u
}

// Replace puts a document in the place of the first one that matches, but for its _id.
func (u *Update) Replace(doc any) *Update { return u.Doc(doc).One() }

// ArrayFilter says which elements $[name] in a path stands for: those that match a filter whose paths begin with the name.
func (u *Update) ArrayFilter(filter any) *Update {
	u.filters = append(u.filters, filter)
	return u
}

// OrderBy says which of the documents that match FindAndModify changes: the first in this order.
func (u *Update) OrderBy(path string, order Order) *Update {
	u.view.orderBy(path, order)
	return u
}

// Select leaves only these fields, and _id, in the document that FindAndModify returns.
func (u *Update) Select(paths ...string) *Update {
	u.view.fields(1, paths)
	return u
}

// ReturnNew makes FindAndModify return the document as it is afterwards.
func (u *Update) ReturnNew() *Update {
	u.flags |= wire.DocReturnNew
	return u
}

// Exec changes the documents. An error may come with a result: so many had been changed before.
func (u *Update) Exec() (UpdateResult, error) {
	var m wire.DocUpdate
	if err := u.encode(&m); err != nil {
		return UpdateResult{}, err
	}
	if err := plain(&m); err != nil {
		return UpdateResult{}, err
	}
	resp, err := u.db.ask(wire.OpDocUpdate, once, &m)
	if err != nil {
		return UpdateResult{}, err
	}
	r, id, err := readResult(wire.OpDocUpdate, resp.Body)
	return UpdateResult{Matched: int64(r.Matched), Modified: int64(r.Modified), UpsertedID: id}, err
}

// FindAndModify changes one document and returns it as it was, with ReturnNew as it is; ErrNotFound if none matches. It is nil if it
// was made by Upsert, without ReturnNew.
func (u *Update) FindAndModify() (Document, error) {
	var m wire.DocUpdate
	u.one = true
	if err := u.encode(&m); err != nil {
		return nil, err
	}
	return u.db.modify(&m)
}

// Explain returns, in MongoDB's shape, how the documents are found. Nothing is changed.
func (u *Update) Explain() (Document, error) {
	var m wire.DocUpdate
	if err := u.encode(&m); err != nil {
		return nil, err
	}
	return u.db.explain(wire.OpDocUpdate, &m)
}

// encode fills m.
func (u *Update) encode(m *wire.DocUpdate) (err error) {
	m.Name, m.Flags, m.Hint = u.db.docName(u.coll), u.flags, []byte(u.hint)
	if m.Filter, err = guarded(u.where, u.all, "Update"); err != nil {
		return err
	}
	if !u.one {
		m.Flags |= wire.DocMulti
	}
	switch {
	case u.replace != nil && len(u.changes) > 0:
		return invalid("Doc and Replace go with no other change")
	case u.replace != nil:
		if m.Update, err = appendDoc(nil, u.replace, 0); err != nil {
			return err
		}
		if replaces(m.Update) {
			m.Flags &^= wire.DocMulti
		}
	case len(u.changes) == 0:
		return invalid("the update changes nothing: it has no Set, Inc, …")
	default:
		if m.Update, err = appendChanges(nil, u.changes); err != nil {
			return err
		}
	}
	if len(u.filters) > 0 {
		if m.ArrayFilters, err = appendDocs(nil, u.filters); err != nil {
			return err
		}
	}
	if m.Sort, err = u.view.appendSort(nil); err != nil {
		return err
	}
	m.Project, err = u.view.appendProject(nil)
	return err
}

// replaces reports whether an update is a document, not one of operators.
func replaces(update []byte) bool {
	rest, err := fields(update)
	return err == nil && (len(rest) < 2 || rest[1] != '$')
}

// appendChanges appends the document of operators: each once, in the order in which they were first used.
func appendChanges(b []byte, changes []change) (_ []byte, err error) {
	at := len(b)
	b = beginDoc(b)
	for i := range changes {
		operator := changes[i].operator
		if used(changes[:i], operator) {
			continue
		}
		b = appendHead(b, bson.TypeEmbeddedDocument, operator)
		start := len(b)
		b = beginDoc(b)
		for _, c := range changes[i:] {
			if c.operator != operator {
				continue
			}
			if b, err = appendField(b, c.path, c.value, 1); err != nil {
				return b, err
			}
		}
		b = endDoc(b, start)
	}
	return endDoc(b, at), nil
}

func used(changes []change, operator string) bool {
	for i := range changes {
		if changes[i].operator == operator {
			return true
		}
	}
	return false
}

// appendDocs appends an array of documents.
func appendDocs(b []byte, docs []any) ([]byte, error) {
	for _, doc := range docs {
		if _, err := appendDoc(nil, doc, 1); err != nil {
			return b, err
		}
	}
	return appendList(b, docs, 0)
}

// guarded returns the filter of a write, which must be there unless all documents are meant.
func guarded(where []Condition, all bool, what string) ([]byte, error) {
	filter, err := appendFilter(nil, where)
	if err == nil && len(filter) <= emptyDoc && !all {
		err = invalid("%s without a condition needs All, for it is for every document of the collection", what)
	}
	return filter, err
}

// plain refuses what only those that return a document take.
func plain(m *wire.DocUpdate) error {
	if len(m.Sort) > 0 || len(m.Project) > 0 || m.Flags&wire.DocReturnNew != 0 {
		return invalid("OrderBy, Select and ReturnNew are for what returns the document: FindAndModify, FindAndDelete")
	}
	return nil
}

// readResult reads what a write came to, and the _id of what it has made.
func readResult(op wire.Op, body []byte) (m wire.DocResult, id any, err error) {
	if err := m.Decode(body); err != nil {
		return wire.DocResult{}, nil, badAnswer(op, err)
	}
	if len(m.IDs) > 0 {
		if id, err = decodeID(m.IDs[0].Value); err != nil {
			return m, nil, badAnswer(op, err)
		}
	}
	if len(m.Errors) > 0 {
		err = m.Errors[0].Err()
	}
	return m, id, err
}

// modify changes or deletes a document and returns it.
func (db *DB) modify(m *wire.DocUpdate) (Document, error) {
	resp, err := db.ask(wire.OpDocModify, once, m)
	if err != nil {
		return nil, err
	}
	var answer wire.DocModified
	if err := answer.Decode(resp.Body); err != nil {
		return nil, badAnswer(wire.OpDocModify, err)
	}
	r := &answer.Result
	switch {
	case len(r.Errors) > 0:
		return nil, r.Errors[0].Err()
	case len(answer.Doc) > 0:
		var d decoder
		doc, err := d.document(answer.Doc, 0)
		if err != nil {
			return nil, badAnswer(wire.OpDocModify, err)
		}
		return doc, nil
	case r.Matched == 0 && r.Deleted == 0 && r.Inserted == 0 && len(r.IDs) == 0:
		return nil, wire.Errorf(wire.NotFound, "flin: no document of %s matches", m.Name.Coll)
	}
	return nil, nil //nolint:nilnil // it was made: there is none as it was
}
