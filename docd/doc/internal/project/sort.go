package project

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// MaxSortFields is how many fields a sort, like an index, may have.
const MaxSortFields = 32

// Sort is a compiled sort.
type Sort struct{ fields []value.KeyField }

// CompileSort compiles a sort: the paths, most significant first, each with 1 or -1. A document without fields means no order.
func CompileSort(doc bsoncore.Document) (*Sort, error) {
	if err := value.Valid(doc); err != nil {
		return nil, err
	}
	s := &Sort{}
	for r := value.Read(doc); r.Next(); {
		path := string(r.Name)
		if err := checkPath(path, path); err != nil {
			return nil, err
		}
		n, exact := value.Int(r.Value)
		switch {
		case r.Value.Type == value.Document:
			return nil, value.Errorf(value.BadValue, "unsupported sort of field %s: only 1 and -1 are", path)
		case !exact || n != 1 && n != -1:
			return nil, value.Errorf(value.SortOrder, "$sort key ordering must be 1 (for ascending) or -1 (for descending), and that of %s is %s", path, value.Text(r.Value))
		case len(s.fields) == MaxSortFields:
			return nil, value.Errorf(value.BadValue, "a sort of over %d fields: leave out the least significant", MaxSortFields)
		}
		for _, f := range s.fields {
			if f.Path == path {
				return nil, value.Errorf(value.BadValue, "a sort has field %s twice", path)
			}
		}
		s.fields = append(s.fields, value.KeyField{Path: strings.Clone(path), Desc: n < 0})
	}
	return s, nil
}

// Fields returns the fields, most significant first.
func (s *Sort) Fields() []value.KeyField { return s.fields }

// AppendKey appends the key of a document: keys are in the order of the sort as bytes. It is the least of those that an
// index on the same fields has of the document, so that an index gives the same order: of an array the least element
// counts, or the greatest where the field is descending. What is missing counts as null.
func (s *Sort) AppendKey(dst []byte, doc bsoncore.Document) []byte {
	if dst, ok := s.scalars(dst, doc); ok {
		return dst
	}
	var k value.Keyer
	if dst, err := k.Least(dst, doc, s.fields); err == nil {
		return dst
	}
	// No index can have the document: arrays beside each other. Each field then is sorted by for itself.
	for i := range s.fields {
		dst, _ = k.Least(dst, doc, s.fields[i:i+1])
	}
	return dst
}

// scalars appends the key if no array is on the way of any field; otherwise it appends nothing.
func (s *Sort) scalars(dst []byte, doc bsoncore.Document) ([]byte, bool) {
	from := len(dst)
	for i := range s.fields {
		d, path := doc, s.fields[i].Path
		for more := true; more; {
			var first string
			first, path, more = value.Cut(path)
			v, _ := value.Get(d, first)
			switch {
			case v.Type == value.Array:
				return dst[:from], false
			case more && v.Type == value.Document:
				d = v.Data
				continue
			case more || v.Type == value.Missing:
				v = bsoncore.Value{Type: value.Null}
			}
			dst, more = value.AppendKey(dst, v, s.fields[i].Desc), false
		}
	}
	return dst, true
}
