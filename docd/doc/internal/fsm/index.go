package fsm

import (
	"bytes"
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// idIndex is the name of the index of _id, which the documents themselves are.
const idIndex = "_id_"

// createIndex serves OpDocIndex.
func createIndex(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.index
	if err := p.Decode(c.Body); err != nil {
		return err
	}
	spec := p.Spec
	spec.Name = indexName(&spec)
	ans.Body = spec.Name
	t := m.begin(c)
	s := t.stage(&p.Name)
	if s.now == nil {
		if err := t.create(s); err != nil {
			return err
		}
	}
	there, err := t.clear(s, &spec)
	if err != nil {
		return err
	}
	if there && s.now == s.was {
		return nil
	}
	if !there {
		if err := t.addIndex(s, &spec); err != nil {
			return err
		}
		ans.Num = 1
	}
	t.commit()
	ans.Rev = c.Revision
	return nil
}

// indexName returns the name that an index is given, or the one that its fields give it.
func indexName(s *wire.DocIndexSpec) []byte {
	switch {
	case onID(s):
		return []byte(idIndex)
	case len(s.Name) > 0:
		return s.Name
	}
	var b []byte
	for i, f := range s.Fields {
		if i > 0 {
			b = append(b, '_')
		}
		b = append(append(b, f.Path...), "_1"...)
		if f.Desc {
			b = append(b[:len(b)-1], "-1"...)
		}
	}
	return b
}

// onID reports whether an index would be that of _id.
func onID(s *wire.DocIndexSpec) bool {
	return len(s.Fields) == 1 && string(s.Fields[0].Path) == "_id" && !s.Fields[0].Desc
}

// clear compares an index that is to be made with those there are. It takes out one of the name that has failed.
func (t *tx) clear(s *stage, spec *wire.DocIndexSpec) (there bool, err error) {
	if onID(spec) {
		return true, nil
	}
	for i, ix := range s.now.Indexes {
		have := ix.info().Spec
		alike := slices.EqualFunc(have.Fields, spec.Fields, func(a, b wire.DocIndexField) bool { return string(a.Path) == string(b.Path) && a.Desc == b.Desc })
		const shape = wire.DocIndexUnique | wire.DocIndexSparse | wire.DocIndexPartial
		same := alike && have.Flags&shape == spec.Flags&shape && bytes.Equal(have.Partial, spec.Partial)
		expires := have.Flags == spec.Flags && have.TTL == spec.TTL
		switch named := ix.Name == string(spec.Name); {
		case named && ix.State == wire.DocIndexFailed:
			t.takeIndex(s, i)
			return t.clear(s, spec)
		case named && same && expires:
			return true, nil
		case named && same:
			return false, sub(wire.Exists, wire.DocIndexOptions, "an index %s with another time to live is there: drop it first", ix.Name)
		case named && alike:
			return false, sub(wire.Exists, wire.DocIndexKeySpecs, "an index %s with the same fields and other options is there: drop it, or take another name", ix.Name)
		case named:
			return false, sub(wire.Exists, wire.DocIndexKeySpecs, "an index %s with other fields is there: drop it, or take another name", ix.Name)
		case same:
			return false, sub(wire.Exists, wire.DocIndexOptions, "the index is there under the name %s", ix.Name)
		}
	}
	return false, nil
}

// addIndex adds an index to a collection. It is to be built unless there are no documents.
func (t *tx) addIndex(s *stage, spec *wire.DocIndexSpec) error {
	if len(s.now.Indexes) >= wire.MaxDocIndexes {
		return sub(wire.Full, wire.DocCannotCreateIndex, "collection %s.%s has %d indexes, as many as there may be: drop some", s.now.DB, s.now.Name, wire.MaxDocIndexes)
	}
	own := *spec
	own.Partial = bytes.Clone(spec.Partial) // not to keep the log entry for it
	ix, err := indexOf(&own)
	if err != nil {
		return err
	}
	ix.ID = t.number()
	if s.docs > 0 {
		ix.State = wire.DocIndexBuilding
	}
	c := *s.now
	c.Indexes = append(slices.Clone(c.Indexes), ix)
	s.now, s.sized = &c, true
	s.entries, s.due = append(s.entries, 0), append(s.due, never)
	t.writeIndex(&c, ix)
	return nil
}

// checkSpec judges an index that is to be made, by all that does not depend on what is there.
func checkSpec(s *wire.DocIndexSpec) error {
	const all = wire.DocIndexUnique | wire.DocIndexSparse | wire.DocIndexTTL | wire.DocIndexPartial
	bad := func(format string, args ...any) error {
		return sub(wire.Invalid, wire.DocCannotCreateIndex, format, args...)
	}
	switch {
	case len(s.Fields) == 0:
		return bad("an index has at least one field")
	case len(s.Fields) > wire.MaxDocIndexFields:
		return bad("an index of %d fields is over the limit of %d fields", len(s.Fields), wire.MaxDocIndexFields)
	case len(s.Name) > wire.MaxDocIndexName:
		return bad("an index name of %d bytes is over the limit of %d", len(s.Name), wire.MaxDocIndexName)
	case string(s.Name) == "*", bytes.IndexByte(s.Name, 0) >= 0, string(s.Name) == idIndex && !onID(s):
		return bad("%q is no name for an index", s.Name)
	case s.Flags&^all != 0:
		return bad("an option that does not exist is given")
	case s.Flags&wire.DocIndexSparse != 0 && s.Flags&wire.DocIndexPartial != 0:
		return bad("an index is sparse or partial, not both: say $exists in the filter")
	case onID(s) && s.Flags&^wire.DocIndexUnique != 0:
		return bad("the index of _id has no options")
	case s.Flags&wire.DocIndexTTL != 0 && len(s.Fields) > 1:
		return bad("a TTL index has one field, not %d", len(s.Fields))
	case s.Flags&wire.DocIndexTTL != 0 && s.TTL > wire.MaxDocTTL:
		return bad("a time to live of %d seconds is over the limit of %d", s.TTL, wire.MaxDocTTL)
	}
	for i, f := range s.Fields {
		path := string(f.Path)
		switch {
		case path == "", path[0] == '.', path[len(path)-1] == '.', strings.Contains(path, ".."):
			return bad("%q is no path of a field: a name in it is empty", path)
		case path[0] == '$', strings.Contains(path, ".$"), strings.IndexByte(path, 0) >= 0:
			return bad("%q is no path of a field: a name in it begins with a dollar or has a NUL", path)
		case slices.ContainsFunc(s.Fields[:i], func(g wire.DocIndexField) bool { return string(g.Path) == path }):
			return bad("field %s is given twice", path)
		}
	}
	if n := len(indexName(s)); n > wire.MaxDocIndexName {
		return bad("an index name of %d bytes, made of the fields, is over the limit of %d: give it a name", n, wire.MaxDocIndexName)
	}
	if s.Flags&wire.DocIndexPartial == 0 {
		return nil
	}
	if err := value.Valid(s.Partial); err != nil {
		return err
	}
	_, err := compileFilter(s.Partial)
	return err
}
