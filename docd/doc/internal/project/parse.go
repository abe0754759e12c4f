package project

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// parser collects what a projection says, field by field.
type parser struct {
	root   tree
	elems  []elem
	mode   kind // take or drop, as soon as a field other than _id has said so; else branch
	id     kind // take or drop, if _id is named
	fields int
}

// MaxFields is how many fields a projection may name.
const MaxFields = 4096

// Compile compiles a projection: an inclusion ({a: 1, "b.c": 1}) or an exclusion ({a: 0}), with $slice and $elemMatch. Only
// _id may be left out of an inclusion; it is part of it otherwise. A document without fields means everything.
func Compile(doc bsoncore.Document) (*Projection, error) {
	if err := value.Valid(doc); err != nil {
		return nil, err
	}
	if err := new(filter.Budget).Take(value.OfDocument(doc)); err != nil { // of all $elemMatch together
		return nil, err
	}
	var p parser
	if err := p.document("", doc); err != nil {
		return nil, err
	}
	return p.finish(), nil
}

func (p *parser) finish() *Projection {
	inclusion := p.mode == take
	if p.mode == branch {
		inclusion = len(p.elems) > 0 || p.id == take
	}
	p.root.include(inclusion)
	if inclusion && p.id == branch && p.root.find([]byte("_id")) == nil {
		p.root.children = append(p.root.children, child{name: "_id", kind: take})
	}
	return &Projection{
		root: p.root, inclusion: inclusion, elems: p.elems,
		whole: !inclusion && len(p.root.children) == 0 && len(p.elems) == 0,
	}
}

// include sets whether what is not named is left out, for all levels.
func (t *tree) include(inclusion bool) {
	t.inclusion = inclusion
	for i := range t.children {
		t.children[i].tree.include(inclusion)
	}
}

// document reads the fields of a projection, or of a document in it, which say something about fields further inside.
func (p *parser) document(prefix string, doc bsoncore.Document) error {
	for r := value.Read(doc); r.Next(); {
		path := prefix + string(r.Name)
		if err := checkPath(path, string(r.Name)); err != nil {
			return err
		}
		if err := p.field(path, r.Value); err != nil {
			return err
		}
	}
	return nil
}

func checkPath(path, name string) error {
	switch {
	case strings.HasSuffix(path, ".$"):
		return value.Errorf(value.BadValue, "the positional projection '%s' is not supported: use $elemMatch", path)
	case strings.HasPrefix(name, "$"), strings.Contains(path, ".$"):
		return value.Errorf(value.DottedPathDollar, "FieldPath field names may not start with '$': '%s'", path)
	case strings.HasSuffix(path, "."):
		return value.Errorf(value.PathEndsWithDot, "FieldPath must not end with a '.': '%s'", path)
	case path == "", strings.HasPrefix(path, "."), strings.Contains(path, ".."):
		return value.Errorf(value.EmptyPathComponent, "FieldPath field names may not be empty strings: '%s'", path)
	}
	return value.CheckLength(path)
}

func (p *parser) field(path string, v bsoncore.Value) error {
	switch {
	case v.Type == value.Boolean, value.IsNumber(v.Type):
		return p.plain(path, value.Truthy(v))
	case v.Type != value.Document:
		return value.Errorf(value.BadValue, "unsupported projection of field %s: a value of type %s is neither 1 nor 0 nor an operator", path, value.TypeName(v.Type))
	}
	r := value.Read(v.Data)
	switch {
	case !r.Next():
		return value.Errorf(value.BadValue, "An empty sub-projection is not a valid value. Found empty object at path %s", path)
	case len(r.Name) == 0 || r.Name[0] != '$':
		return p.document(path+".", v.Data)
	}
	name, operand := string(r.Name), r.Value
	if r.Next() {
		return value.Errorf(value.BadValue, "the projection of field %s has more than one operator: %s", path, value.Text(v))
	}
	switch name {
	case "$slice":
		s, err := parseSlice(operand)
		if err != nil {
			return err
		}
		return p.add(path, child{kind: cut, cut: s})
	case "$elemMatch":
		return p.elemMatch(path, operand)
	}
	return value.Errorf(value.BadValue, "unsupported projection of field %s: %s is neither $slice nor $elemMatch", path, name)
}

// plain reads 1 or 0. Those of all fields agree, but that of _id.
func (p *parser) plain(path string, include bool) error {
	k := drop
	if include {
		k = take
	}
	if path == "_id" {
		p.id = k
		return p.add(path, child{kind: k})
	}
	switch {
	case p.mode == take && !include:
		return value.Errorf(value.ExclusionInInclusion, "Cannot do exclusion on field %s in inclusion projection", path)
	case p.mode == drop && include:
		return value.Errorf(value.InclusionInExclusion, "Cannot do inclusion on field %s in exclusion projection", path)
	}
	p.mode = k
	return p.add(path, child{kind: k})
}

func (p *parser) elemMatch(path string, v bsoncore.Value) error {
	if strings.Contains(path, ".") {
		return value.Errorf(value.NestedElemMatch, "Cannot use $elemMatch projection on a nested field: '%s'", path)
	}
	if v.Type != value.Document {
		return value.Errorf(value.BadValue, "elemMatch: Invalid argument, object required, but got %s", value.TypeName(v.Type))
	}
	start, doc := value.Begin(nil)
	doc = bsoncore.AppendHeader(doc, value.Document, path)
	inner, doc := value.Begin(doc)
	doc = value.End(value.AppendElement(doc, "$elemMatch", v), inner)
	cond, err := filter.Compile(value.End(doc, start))
	if err != nil {
		return err
	}
	p.elems = append(p.elems, elem{name: path, cond: cond})
	return p.add(path, child{kind: drop})
}

// add puts a field into the tree. Two fields of which one is the other, or inside it, are an error.
func (p *parser) add(path string, c child) error {
	if p.fields++; p.fields > MaxFields {
		return value.Errorf(value.BadValue, "a projection names over %d fields: name those that contain them", MaxFields)
	}
	t, rest := &p.root, path
	for {
		first, below, more := value.Cut(rest)
		found := t.find([]byte(first))
		switch {
		case found == nil && !more:
			c.name = first
			t.children = append(t.children, c)
			return nil
		case found == nil:
			t.children = append(t.children, child{name: first})
			found = &t.children[len(t.children)-1]
		case !more:
			return value.Errorf(value.PathCollision, "Path collision at %s", path)
		case found.kind != branch:
			return value.Errorf(value.PathCollision, "Path collision at %s remaining portion %s", path, below)
		}
		t, rest = &found.tree, below
	}
}
