package update

import (
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// Upsert makes the document that is inserted where no document matched f: what f says must be equal, and then the update
// on it. A replacement takes nothing but _id from the filter. _id comes first; where neither brings one, the caller gives
// it. What is wrong is a *value.Error.
func Upsert(f *filter.Filter, u *Update, c Context) (bsoncore.Document, error) {
	c.Insert = true
	base, err := u.base(f)
	if err != nil {
		return nil, err
	}
	doc, _, err := u.Apply(nil, base, c)
	if err != nil {
		return nil, err
	}
	doc = idFirst(doc)
	// Apply has checked it only if it changed something.
	if err := value.Check(doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// base is the document that an upsert's update is applied to.
func (u *Update) base(f *filter.Filter) (bsoncore.Document, error) {
	root := newFields()
	var bad error
	err := f.Equalities(func(path string, v bsoncore.Value) {
		if bad == nil && (u.replacement == nil || path == "_id") {
			bad = root.equality(path, v)
		}
	})
	if err == nil {
		err = bad
	}
	if err != nil {
		return nil, err
	}
	root.finish()
	a := run{doc: emptyDocument}
	return a.document(nil, root, emptyDocument)
}

// equality has the tree set a path of the filter. Its parts are names, whatever they look like.
func (n *node) equality(path string, v bsoncore.Value) error {
	parts := strings.Split(path, ".")
	if len(parts) > maxParts {
		return tooLong(path, len(parts))
	}
	end := -1
	for _, part := range parts {
		end += 1 + len(part)
		var err error
		if n, err = n.field(part, path[:end], path); err != nil {
			return err
		}
	}
	return n.put(set{v}, path)
}

// idFirst moves _id to the front.
func idFirst(doc bsoncore.Document) bsoncore.Document {
	r := value.Read(doc)
	if !r.Next() || string(r.Name) == "_id" {
		return doc
	}
	at := 4 + len(r.Name) + 2 + len(r.Value.Data)
	for r.Next() {
		size := len(r.Name) + 2 + len(r.Value.Data)
		if string(r.Name) == "_id" {
			return slices.Concat(doc[:4], doc[at:at+size], doc[4:at], doc[at+size:])
		}
		at += size
	}
	return doc
}
