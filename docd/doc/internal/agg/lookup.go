package agg

import (
	"bytes"
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/build"
	"github.com/skshohagmiah/flin/docd/doc/internal/expr"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeLookupMissing = 4572
	codeLookupObject  = 4569
)

// lookup is $lookup by equality. It reads the other collection once and keeps it, by the values of the foreign field.
type lookup struct {
	from, local, foreign string
	shape                *shape
}

func compileLookup(_ string, v bsoncore.Value) ([]stage, error) {
	if v.Type != value.Document {
		return nil, value.Errorf(codeLookupObject, "the $lookup specification must be an object, but found %s", value.TypeName(v.Type))
	}
	s, as := &lookup{}, ""
	options := map[string]*string{"from": &s.from, "localField": &s.local, "foreignField": &s.foreign, "as": &as}
	for r := value.Read(v.Data); r.Next(); {
		to, ok := options[string(r.Name)]
		if !ok {
			return nil, value.Errorf(value.FailedToParse, "$lookup argument '%s' is not supported: join by from, localField, foreignField and as", r.Name)
		}
		if r.Value.Type != value.String {
			return nil, value.Errorf(value.FailedToParse, "$lookup argument '%s' must be a string, found %s", r.Name, value.TypeName(r.Value.Type))
		}
		*to = string(value.Str(r.Value))
	}
	for _, name := range []string{"from", "localField", "foreignField", "as"} {
		if *options[name] == "" {
			return nil, value.Errorf(codeLookupMissing, "must specify '%s' field for a $lookup", name)
		}
		if name == "from" {
			continue
		}
		if _, err := expr.SplitPath(*options[name]); err != nil {
			return nil, err
		}
	}
	parts, err := expr.SplitPath(as)
	if err != nil {
		return nil, err
	}
	p := &shapeParser{stage: "$lookup", adding: true, root: &shape{}}
	if err := p.add(parts, &shape{given: 1}); err != nil {
		return nil, err
	}
	p.root.finish()
	s.shape = p.root
	return []stage{s}, nil
}

// foreign is the other collection.
type foreign struct {
	docs   []bsoncore.Document
	places map[string][]int32 // of docs, by the key of a value of the foreign field; ascending

	// What find uses again for the next document.
	key   []byte
	found []int32
	asked map[string]struct{}
}

func (s *lookup) run(env *Env, src Docs) Docs {
	return func(yield func(bsoncore.Document, error) bool) {
		a := shaper{mode: adding, given: make([]bsoncore.Value, 2)}
		b := env.budget("$lookup")
		defer b.end()
		var f *foreign
		var list []byte
		for doc, err := range src {
			if f == nil && err == nil {
				f, err = s.read(env, &b)
			}
			if err == nil {
				list, err = f.appendDocs(list[:0], f.find(doc, s.local))
			}
			if err == nil {
				a.given[1] = value.OfArray(list)
				doc, err = a.apply("$lookup", s.shape, doc)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(doc, nil) {
				return
			}
		}
	}
}

// read takes in the other collection.
func (s *lookup) read(env *Env, b *budget) (*foreign, error) {
	if env.Lookup == nil {
		return nil, value.Errorf(value.CommandNotSupported, "$lookup cannot reach collection '%s' from here", s.from)
	}
	f := &foreign{places: map[string][]int32{}, asked: map[string]struct{}{}}
	var key []byte
	for doc, err := range env.Lookup(s.from) {
		if err == nil {
			err = b.take(len(doc) + sizeOfEntry)
		}
		if err != nil {
			return nil, err
		}
		at := int32(len(f.docs))
		f.docs = append(f.docs, bytes.Clone(doc))
		value.Walk(doc, s.foreign, func(v bsoncore.Value, exists bool) bool {
			if !exists {
				v = value.OfNull()
			}
			key = value.AppendKey(key[:0], v, false)
			list := f.places[string(key)]
			switch {
			case len(list) > 0 && list[len(list)-1] == at:
			case len(list) > 0:
				err = b.take(8)
				f.places[string(key)] = append(list, at)
			default:
				err = b.take(len(key) + sizeOfEntry)
				f.places[string(key)] = []int32{at}
			}
			return err == nil
		})
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

// find returns the places of the documents that have a value of the local field, each once, in their order. Only where the local
// field has no value at all null is asked for: an element of an array without it, or an empty array, is none.
func (f *foreign) find(doc bsoncore.Document, local string) []int32 {
	f.found = f.found[:0]
	clear(f.asked)
	met := false
	ask := func(v bsoncore.Value) {
		met = true
		f.key = value.AppendKey(f.key[:0], v, false)
		list := f.places[string(f.key)]
		if _, again := f.asked[string(f.key)]; again || len(list) == 0 {
			return
		}
		f.asked[string(f.key)] = struct{}{} // so that no repetition makes found longer than all there is
		f.found = append(f.found, list...)
	}
	value.Traverse(doc, local, false, func(v bsoncore.Value, exists bool, _ int) bool {
		switch {
		case !exists:
		case v.Type == value.Array:
			for r := value.Read(v.Data); r.Next(); {
				ask(r.Value)
			}
		default:
			ask(v)
		}
		return true
	})
	if !met {
		ask(value.OfNull())
	}
	slices.Sort(f.found)
	return slices.Compact(f.found)
}

func (f *foreign) appendDocs(dst []byte, places []int32) ([]byte, error) {
	at, dst := value.Begin(dst)
	for i, p := range places {
		dst = build.Item(dst, i, value.OfDocument(f.docs[p]))
		if err := checkSize("$lookup", dst); err != nil {
			return dst, err
		}
	}
	return value.End(dst, at), nil
}
