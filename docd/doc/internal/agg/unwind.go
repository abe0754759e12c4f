package agg

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/expr"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeUnwindForm      = 15981
	codeUnwindPath      = 28808
	codeUnwindPreserve  = 28809
	codeUnwindIndex     = 28810
	codeUnwindUnknown   = 28811
	codeUnwindNone      = 28812
	codeUnwindDollar    = 28818
	codeUnwindIndexName = 28822

	// The values that $unwind brings to its shape.
	givenElement = 1
	givenIndex   = 2
	givenValues  = 3
)

// unwind is $unwind: a document for each element of an array.
type unwind struct {
	path     []string
	shape    *shape // puts element and index into the document
	bare     *shape // puts the index into a document that has no such field; nil if there is no index
	preserve bool   // a document without elements stays
}

func compileUnwind(_ string, v bsoncore.Value) ([]stage, error) {
	path, index, u := v, bsoncore.Value{}, &unwind{}
	if v.Type == value.Document {
		path = bsoncore.Value{}
		for r := value.Read(v.Data); r.Next(); {
			switch string(r.Name) {
			case "path":
				if path = r.Value; path.Type != value.String {
					return nil, value.Errorf(codeUnwindPath, "expected a string as the path for $unwind stage, got %s", value.TypeName(path.Type))
				}
			case "preserveNullAndEmptyArrays":
				if r.Value.Type != value.Boolean {
					return nil, value.Errorf(codeUnwindPreserve, "expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got %s", value.TypeName(r.Value.Type))
				}
				u.preserve = value.Truthy(r.Value)
			case "includeArrayIndex":
				if index = r.Value; index.Type != value.String || len(value.Str(index)) == 0 {
					return nil, value.Errorf(codeUnwindIndex, "expected a non-empty string for the includeArrayIndex option to $unwind stage, got %s", value.Text(index))
				}
			default:
				return nil, value.Errorf(codeUnwindUnknown, "unrecognized option to $unwind stage: %s", r.Name)
			}
		}
	}
	switch {
	case v.Type == value.Document && path.Type == 0:
		return nil, value.Errorf(codeUnwindNone, "no path specified to $unwind stage")
	case path.Type != value.String:
		return nil, value.Errorf(codeUnwindForm, "expected either a string or an object as specification for $unwind stage, got %s", value.TypeName(v.Type))
	}
	name, dollar := strings.CutPrefix(string(value.Str(path)), "$")
	if !dollar {
		return nil, value.Errorf(codeUnwindDollar, "path option to $unwind stage should be prefixed with a '$': %s", name)
	}
	return u.compile(name, string(value.Str(index)))
}

// compile makes the shape of the paths of element and index, which may be the same: then the index is what stays.
func (u *unwind) compile(path, index string) ([]stage, error) {
	p := &shapeParser{stage: "$unwind", adding: true, root: &shape{}}
	var err error
	if u.path, err = expr.SplitPath(path); err != nil {
		return nil, err
	}
	if path != index {
		if err := p.add(u.path, &shape{given: givenElement}); err != nil {
			return nil, err
		}
	}
	if index != "" {
		if index[0] == '$' {
			return nil, value.Errorf(codeUnwindIndexName, "includeArrayIndex option to $unwind stage should not be prefixed with a '$': %s", index)
		}
		parts, err := expr.SplitPath(index)
		if err == nil {
			err = p.add(parts, &shape{given: givenIndex})
		}
		if err != nil {
			return nil, err
		}
		bare := &shapeParser{stage: "$unwind", adding: true, root: &shape{}}
		if err := bare.add(parts, &shape{given: givenIndex}); err != nil {
			return nil, err
		}
		bare.root.finish()
		u.bare = bare.root
	}
	p.root.finish()
	u.shape = p.root
	return []stage{u}, nil
}

func (u *unwind) run(_ *Env, src Docs) Docs {
	return func(yield func(bsoncore.Document, error) bool) {
		a := shaper{mode: adding, given: make([]bsoncore.Value, givenValues)}
		for doc, err := range src {
			if err != nil {
				yield(nil, err)
				return
			}
			if !u.unwind(&a, doc, yield) {
				return
			}
		}
	}
}

// unwind yields the documents made of one. It reports whether to go on.
func (u *unwind) unwind(a *shaper, doc bsoncore.Document, yield func(bsoncore.Document, error) bool) bool {
	emit := func(element, index bsoncore.Value) bool {
		a.given[givenElement], a.given[givenIndex] = element, index
		out, err := a.apply("$unwind", u.shape, doc)
		return yield(out, err) && err == nil
	}
	noIndex := value.OfNull()
	v := u.at(doc)
	switch {
	case v.Type == value.Array && len(v.Data) > len(emptyDocument):
		i := int64(0)
		for r := value.Read(v.Data); r.Next(); i++ {
			if !emit(r.Value, value.OfInt64(i)) {
				return false
			}
		}
		return true
	case v.Type == value.Array:
		return !u.preserve || emit(bsoncore.Value{}, noIndex) // the empty array goes, the document stays
	case v.Type == 0 && u.preserve && u.bare == nil:
		return yield(doc, nil)
	case v.Type == 0 && u.preserve:
		a.given[givenIndex] = noIndex
		out, err := a.apply("$unwind", u.bare, doc)
		return yield(out, err) && err == nil
	case v.Type == 0, v.Type == value.Null, v.Type == value.Undefined:
		return !u.preserve || emit(v, noIndex)
	}
	return emit(v, noIndex)
}

// at finds the array: through documents only.
func (u *unwind) at(doc bsoncore.Document) bsoncore.Value {
	v := value.OfDocument(doc)
	for _, name := range u.path {
		if v.Type != value.Document {
			return bsoncore.Value{}
		}
		v, _ = value.Get(v.Data, name)
	}
	return v
}
