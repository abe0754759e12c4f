package filter

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// Filter is a compiled filter document.
type Filter struct{ root node }

// Compile compiles a filter document. The filter keeps doc, which must not change from now on. What is wrong with it is
// a *value.Error.
func Compile(doc bsoncore.Document) (*Filter, error) {
	if err := value.Valid(doc); err != nil {
		return nil, err
	}
	if err := new(Budget).Take(value.OfDocument(doc)); err != nil {
		return nil, err
	}
	n, err := parse(doc)
	if err != nil {
		return nil, err
	}
	return &Filter{root: n}, nil
}

// Matches reports whether a document matches.
func (f *Filter) Matches(doc bsoncore.Document) bool { return f.root.match(doc, nil) }

// Position returns what the positional $ of an update stands for: the position, in the outermost array on the way, of the
// element that made the last of the conditions that went through an array match. It is -1 if there is none, or no match. A
// condition whose path names the position of an element does not go through the array.
func (f *Filter) Position(doc bsoncore.Document) int {
	at := -1
	if !f.root.match(doc, &at) {
		return -1
	}
	return at
}

// node is a condition on a document. at, unless it is nil, gets the position in an array that made it match.
type node interface {
	match(doc bsoncore.Document, at *int) bool
}

type (
	and []node
	or  []node
	nor []node
	not struct{ node }
)

func (n and) match(doc bsoncore.Document, at *int) bool {
	before := -1
	if at != nil {
		before = *at
	}
	for _, c := range n {
		if !c.match(doc, at) {
			if at != nil {
				*at = before
			}
			return false
		}
	}
	return true
}

func (n or) match(doc bsoncore.Document, at *int) bool {
	for _, c := range n {
		if c.match(doc, at) {
			return true
		}
	}
	return false
}

func (n nor) match(doc bsoncore.Document, _ *int) bool { return !or(n).match(doc, nil) }

func (n not) match(doc bsoncore.Document, _ *int) bool { return !n.node.match(doc, nil) }

// field is a condition on what is at a path: one of the values there is to meet it.
type field struct {
	path string
	flat bool // the path has one component
	pred
}

func (n *field) match(doc bsoncore.Document, at *int) bool {
	if n.flat && at == nil {
		v, _ := value.Get(doc, n.path)
		if v.Type != value.Array {
			return n.test(v)
		}
	}
	found := false
	value.Traverse(doc, n.path, n.spreads(), func(v bsoncore.Value, _ bool, index int) bool {
		if found = n.test(v); !found {
			return true
		}
		if at == nil {
			return false
		}
		if e, ok := n.pred.(finder); ok && index < 0 {
			index = e.find(v)
		}
		if index >= 0 {
			*at = index
		}
		return false
	})
	return found
}

// join makes one node of several that all must match.
func join(nodes []node) node {
	if len(nodes) == 1 {
		return nodes[0]
	}
	return and(nodes)
}
