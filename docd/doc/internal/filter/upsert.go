package filter

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// ID returns the _id that a document must have to match, if the filter says which it is.
func (f *Filter) ID() (bsoncore.Value, bool) {
	var id bsoncore.Value
	f.equalities(f.root, func(path string, v bsoncore.Value) {
		if path == "_id" && v.Type != value.Array && v.Type != value.Null && id.Type == value.Missing {
			id = v
		}
	})
	return id, id.Type != value.Missing
}

// Equalities calls fn for each path that a document must have equal to a value, in the order of the filter: they are what
// an upsert begins with. Two for one path, or for a path and one below it, are an error.
func (f *Filter) Equalities(fn func(path string, v bsoncore.Value)) error {
	seen := map[string]bool{} // true for a path, false for what is above one
	var err error
	f.equalities(f.root, func(path string, _ bsoncore.Value) {
		if err != nil {
			return
		}
		is, known := seen[path]
		switch {
		case is:
			err = value.Errorf(value.NotSingleValueField, "cannot infer query fields to set, path '%s' is matched twice", path)
		case known:
			err = value.Errorf(value.NotSingleValueField, "cannot infer query fields to set, both path '%s' and one below it are matched", path)
		}
		for i, c := range path {
			if c != '.' {
				continue
			}
			if above := path[:i]; seen[above] {
				err = value.Errorf(value.NotSingleValueField, "cannot infer query fields to set, both paths '%s' and '%s' are matched", path, above)
			} else {
				seen[above] = false
			}
		}
		seen[path] = true
	})
	if err != nil {
		return err
	}
	f.equalities(f.root, fn)
	return nil
}

func (f *Filter) equalities(n node, fn func(path string, v bsoncore.Value)) {
	switch n := n.(type) {
	case and:
		for _, c := range n {
			f.equalities(c, fn)
		}
	case *field:
		if e, ok := n.pred.(*equals); ok {
			fn(n.path, e.v)
		}
	}
}
