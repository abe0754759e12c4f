package project

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// Projection is a compiled projection.
type Projection struct {
	root      tree
	inclusion bool
	// elems are the fields of $elemMatch. They come behind the others, in the order of the projection.
	elems []elem
	whole bool // everything, as it is
}

// tree is what a projection says about the fields of a document.
type tree struct {
	children []child
	// inclusion says that fields without a child are left out.
	inclusion bool
}

type child struct {
	name string
	kind kind
	tree tree   // of a branch
	cut  *slice // of a cut
}

type kind uint8

const (
	branch kind = iota // something is said about what is inside
	take               // included, as a whole
	drop               // excluded, as a whole
	cut                // an array of which a piece is included
)

type elem struct {
	name string
	cond *filter.Filter
}

func (t *tree) find(name []byte) *child {
	for i := range t.children {
		if t.children[i].name == string(name) {
			return &t.children[i]
		}
	}
	return nil
}

// Inclusion reports whether the projection names what is wanted, rather than what is not.
func (p *Projection) Inclusion() bool { return p.inclusion }

// Covered reports whether the values of some paths, and nothing else of a document, are enough to apply the projection.
func (p *Projection) Covered(paths []string) bool {
	return p.inclusion && len(p.elems) == 0 && p.root.covered("", paths)
}

func (t *tree) covered(prefix string, paths []string) bool {
	for i := range t.children {
		c := &t.children[i]
		path := prefix + c.name
		switch c.kind {
		case take:
			if !slices.Contains(paths, path) {
				return false
			}
		case branch:
			if !c.tree.covered(path+".", paths) {
				return false
			}
		case cut:
			return false
		case drop:
		}
	}
	return true
}

// Apply appends what the projection leaves of a document. Fields keep their order, but for those of $elemMatch.
func (p *Projection) Apply(dst []byte, doc bsoncore.Document) []byte {
	if p.whole {
		return append(dst, doc...)
	}
	start, dst := value.Begin(dst)
	for r := value.Read(doc); r.Next(); {
		if len(p.elems) == 0 || !p.isElem(r.Name) {
			dst = p.root.element(dst, r.Name, r.Value)
		}
	}
	for i := range p.elems {
		dst = p.elems[i].apply(dst, doc)
	}
	return value.End(dst, start)
}

func (p *Projection) isElem(name []byte) bool {
	return slices.ContainsFunc(p.elems, func(e elem) bool { return e.name == string(name) })
}

// element appends what is left of an element.
func (t *tree) element(dst []byte, name []byte, v bsoncore.Value) []byte {
	c := t.find(name)
	if c == nil {
		if t.inclusion {
			return dst
		}
		return value.AppendElement(dst, name, v)
	}
	switch c.kind {
	case take:
		return value.AppendElement(dst, name, v)
	case cut:
		if v.Type == value.Array {
			return c.cut.apply(append(append(append(dst, byte(value.Array)), name...), 0), v.Data)
		}
		return value.AppendElement(dst, name, v)
	case branch:
		if c.tree.reaches(v) {
			return c.tree.value(append(append(append(dst, byte(v.Type)), name...), 0), v)
		}
	case drop:
	}
	return dst
}

// reaches reports whether anything is left of a value: of one that has no fields an inclusion leaves nothing.
func (t *tree) reaches(v bsoncore.Value) bool {
	return v.Type == value.Document || v.Type == value.Array || !t.inclusion
}

// value appends what is left of a value: of an array, what is left of each element.
func (t *tree) value(dst []byte, v bsoncore.Value) []byte {
	start := 0
	switch v.Type {
	case value.Document:
		start, dst = value.Begin(dst)
		for r := value.Read(v.Data); r.Next(); {
			dst = t.element(dst, r.Name, r.Value)
		}
		return value.End(dst, start)
	case value.Array:
		start, dst = value.Begin(dst)
		i := 0
		for r := value.Read(v.Data); r.Next(); {
			if !t.reaches(r.Value) {
				continue
			}
			dst = append(value.AppendIndexName(append(dst, byte(r.Value.Type)), i), 0)
			dst = t.value(dst, r.Value)
			i++
		}
		return value.End(dst, start)
	default:
		return append(dst, v.Data...)
	}
}

// apply appends the field with the first element that matches alone, or nothing.
func (e *elem) apply(dst []byte, doc bsoncore.Document) []byte {
	array, _ := value.Get(doc, e.name)
	i := e.cond.Position(doc)
	if array.Type != value.Array || i < 0 {
		return dst
	}
	v, _ := value.At(array.Data, i)
	dst = append(append(append(dst, byte(value.Array)), e.name...), 0)
	start, dst := value.Begin(dst)
	return value.End(value.AppendElement(dst, "0", v), start)
}
