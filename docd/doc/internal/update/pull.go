package update

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/build"
	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// pull is $pull and $pullAll: elements that match go.
type pull struct {
	name    string
	matches func(v bsoncore.Value) bool
}

func compilePull(_ string, v bsoncore.Value) (op, error) {
	if name, ok := firstName(v); ok && (name == "$and" || name == "$or" || name == "$nor") {
		// These hold filters for the elements that are documents; no field has them.
		f, err := filter.Compile(v.Data)
		if err != nil {
			return nil, err
		}
		return &pull{"$pull", func(v bsoncore.Value) bool { return v.Type == value.Document && f.Matches(v.Data) }}, nil
	}
	c, err := filter.CompileCondition(v)
	if err != nil {
		return nil, err
	}
	return &pull{"$pull", c.Matches}, nil
}

// firstName returns the name of a document's first field.
func firstName(v bsoncore.Value) (string, bool) {
	r := value.Read(v.Data)
	ok := v.Type == value.Document && r.Next()
	return string(r.Name), ok
}

func compilePullAll(_ string, v bsoncore.Value) (op, error) {
	if v.Type != value.Array {
		return nil, value.Errorf(value.BadValue, "$pullAll requires an array argument but was given a %s", value.TypeName(v.Type))
	}
	var list []bsoncore.Value
	for r := value.Read(v.Data); r.Next(); {
		list = append(list, r.Value)
	}
	if len(list) <= fewChildren {
		return &pull{"$pullAll", func(v bsoncore.Value) bool {
			for _, gone := range list {
				if value.Equal(v, gone) {
					return true
				}
			}
			return false
		}}, nil
	}
	gone := newValueSet(list).keys
	return &pull{"$pullAll", func(v bsoncore.Value) bool {
		_, ok := gone[string(value.AppendKey(nil, v, false))]
		return ok
	}}, nil
}

func (o *pull) strict(*run) bool { return true }

func (o *pull) apply(a *run, dst []byte, old bsoncore.Value) ([]byte, bsoncore.Type, error) {
	switch old.Type {
	case 0:
		return dst, 0, nil
	case value.Array:
	default:
		return dst, 0, value.Errorf(value.BadValue, "Cannot apply %s to a non-array value: '%s' is of type %s in document %s", o.name, a.path, value.TypeName(old.Type), a.id())
	}
	start, dst := value.Begin(dst)
	n := 0
	for r := value.Read(old.Data); r.Next(); {
		if !o.matches(r.Value) {
			dst = build.Item(dst, n, r.Value)
			n++
		}
	}
	return value.End(dst, start), value.Array, nil
}

// pop is $pop: the last element goes, or the first.
type pop struct{ first bool }

func compilePop(path string, v bsoncore.Value) (op, error) {
	n, exact := value.Int(v)
	if !exact {
		return nil, value.Errorf(value.FailedToParse, "Expected an integer in: %s: %s", path, value.Text(v))
	}
	if n != 1 && n != -1 {
		return nil, value.Errorf(value.FailedToParse, "$pop expects 1 or -1, found: %d", n)
	}
	return pop{n < 0}, nil
}

func (pop) strict(*run) bool { return true }

func (o pop) apply(a *run, dst []byte, old bsoncore.Value) ([]byte, bsoncore.Type, error) {
	switch old.Type {
	case 0:
		return dst, 0, nil
	case value.Array:
	default:
		return dst, 0, value.Errorf(value.TypeMismatch, "Path '%s' contains an element of non-array type '%s' in document %s", a.path, value.TypeName(old.Type), a.id())
	}
	list := a.elements(old)
	switch {
	case len(list) == 0:
	case o.first:
		list = list[1:]
	default:
		list = list[:len(list)-1]
	}
	return appendList(dst, list), value.Array, nil
}
