package update

import (
	"cmp"
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// maxParts is how many names a path may have: no document is nested deeper.
const maxParts = 100

// node is what an update does at one place of a document: one operator, or something for some fields, or for some
// elements of an array. Exactly one of op, elements and the rest says so.
type node struct {
	name  string
	index int    // the name as a position in an array; -1 if it is none
	path  string // as the update has it, for people
	op    op

	children []*node
	places   map[string]int // of children by name, once there are many
	position *node          // for the field that the positional $ stands for

	elements bool    // all and some are for elements of an array
	all      *node   // $[]
	some     []*node // $[id], by the order of their filters
	filter   *arrayFilter
}

// fewChildren is up to how many children are searched one by one.
const fewChildren = 8

func newFields() *node { return &node{index: -1} }

func newNode(name, path string) *node {
	n := &node{name: name, path: path, index: -1}
	if i, ok := value.Index(name); ok {
		n.index = i
	}
	return n
}

// find returns the place of a field among the children, -1 if the update has nothing for it.
func find[S ~string | ~[]byte](n *node, name S) int {
	if n.places != nil {
		if i, ok := n.places[string(name)]; ok {
			return i
		}
		return -1
	}
	for i, c := range n.children {
		if c.name == string(name) {
			return i
		}
	}
	return -1
}

func (n *node) append(c *node) {
	n.children = append(n.children, c)
	if n.places != nil {
		n.places[c.name] = len(n.children) - 1
	} else if len(n.children) > fewChildren {
		n.locate()
	}
}

func (n *node) locate() {
	n.places = make(map[string]int, len(n.children))
	for i, c := range n.children {
		n.places[c.name] = i
	}
}

// empty reports a node that has nothing to do yet.
func (n *node) empty() bool {
	return n.op == nil && !n.elements && len(n.children) == 0 && n.position == nil
}

// finish puts the fields in the order in which those that are new are added: numbers by value, then names by their bytes.
func (n *node) finish() {
	slices.SortFunc(n.children, func(a, b *node) int {
		switch {
		case a.index >= 0 && b.index >= 0:
			return cmp.Compare(a.index, b.index)
		case a.index >= 0:
			return -1
		case b.index >= 0:
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	if n.places != nil {
		n.locate()
	}
	for _, c := range n.children {
		c.finish()
	}
	for _, c := range n.some {
		c.finish()
	}
	for _, c := range []*node{n.position, n.all} {
		if c != nil {
			c.finish()
		}
	}
}

// strict reports that an operator at or below the node fails where the way to its place is blocked.
func (n *node) strict(a *run) bool {
	return n.any(func(o op) bool { return o.strict(a) })
}

// any reports whether one of the operators at or below the node is of a kind.
func (n *node) any(is func(o op) bool) bool {
	if n == nil {
		return false
	}
	below := func(c *node) bool { return c.any(is) }
	return n.op != nil && is(n.op) || slices.ContainsFunc(n.children, below) || slices.ContainsFunc(n.some, below) ||
		n.position.any(is) || n.all.any(is)
}

// merge makes one node of two that turned out to be for one place.
func merge(x, y *node) (*node, error) {
	if x.op != nil || y.op != nil || x.elements != y.elements {
		return nil, value.Errorf(value.ConflictingUpdateOperators, "Update created a conflict at '%s': '%s' is for the same place", x.path, y.path)
	}
	m := &node{name: x.name, index: x.index, path: x.path, elements: x.elements, some: slices.Clone(x.some)}
	var err error
	for _, c := range x.children {
		m.append(c)
	}
	for _, c := range y.children {
		i := find(m, c.name)
		if i < 0 {
			m.append(c)
			continue
		}
		if m.children[i], err = merge(m.children[i], c); err != nil {
			return nil, err
		}
	}
	for _, c := range y.some {
		i := slices.IndexFunc(m.some, func(other *node) bool { return other.filter == c.filter })
		if i < 0 {
			m.some = append(m.some, c)
			continue
		}
		if m.some[i], err = merge(m.some[i], c); err != nil {
			return nil, err
		}
		m.some[i].filter = c.filter
	}
	if m.all, err = mergeOptional(x.all, y.all); err != nil {
		return nil, err
	}
	if m.position, err = mergeOptional(x.position, y.position); err != nil {
		return nil, err
	}
	m.finish()
	return m, nil
}

func mergeOptional(x, y *node) (*node, error) {
	switch {
	case x == nil:
		return y, nil
	case y == nil:
		return x, nil
	}
	return merge(x, y)
}
