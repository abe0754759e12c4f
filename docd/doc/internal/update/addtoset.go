package update

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// addToSet is $addToSet.
type addToSet struct{ items []bsoncore.Value } // no two are equal

func compileAddToSet(_ string, v bsoncore.Value) (op, error) {
	each, ok := eachOf(v)
	if !ok {
		return &addToSet{[]bsoncore.Value{v}}, nil
	}
	list, err := items("$addToSet", each)
	if err != nil {
		return nil, err
	}
	for r := value.Read(v.Data); r.Next(); {
		if string(r.Name) != "$each" {
			return nil, value.Errorf(value.BadValue, "Found unexpected fields after $each in $addToSet: %s", value.Text(v))
		}
	}
	known := newValueSet(nil)
	o := &addToSet{}
	for _, item := range list {
		if known.add(item) {
			o.items = append(o.items, item)
		}
	}
	return o, nil
}

func (o *addToSet) strict(*run) bool { return true }

func (o *addToSet) apply(a *run, dst []byte, old bsoncore.Value) ([]byte, bsoncore.Type, error) {
	if old.Type == 0 {
		return appendItems(dst, old, o.items), value.Array, nil
	}
	if old.Type != value.Array {
		return dst, 0, value.Errorf(value.BadValue, "Cannot apply $addToSet to a non-array field. Field named '%s' has a non-array type %s in document %s", a.path, value.TypeName(old.Type), a.id())
	}
	if len(o.items) == 1 {
		for r := value.Read(old.Data); r.Next(); {
			if value.Equal(r.Value, o.items[0]) {
				return keep(dst, old)
			}
		}
		return appendItems(dst, old, o.items), value.Array, nil
	}
	known := newValueSet(a.elements(old))
	more := make([]bsoncore.Value, 0, len(o.items))
	for _, item := range o.items {
		if !known.has(item) {
			more = append(more, item)
		}
	}
	return appendItems(dst, old, more), value.Array, nil
}

// valueSet is a set of values, of which two that compare as equal are one.
type valueSet struct {
	keys map[string]struct{}
	room []byte
}

func newValueSet(list []bsoncore.Value) *valueSet {
	s := &valueSet{keys: make(map[string]struct{}, len(list))}
	for _, v := range list {
		s.add(v)
	}
	return s
}

func (s *valueSet) has(v bsoncore.Value) bool {
	s.room = value.AppendKey(s.room[:0], v, false)
	_, ok := s.keys[string(s.room)]
	return ok
}

// add reports whether the value is new.
func (s *valueSet) add(v bsoncore.Value) bool {
	if s.has(v) {
		return false
	}
	s.keys[string(s.room)] = struct{}{}
	return true
}
