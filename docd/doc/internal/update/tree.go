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
	size  int // nodes at and below this one, at most

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

// finish puts the fields at and below the node in their order.
func (n *node) finish() {
	n.size = 1
	below := func(c *node) {
		if c != nil {
			c.finish()
			n.size += c.size
		}
	}
	for _, c := range n.children {
		below(c)
	}
	for _, c := range n.some {
		below(c)
	}
	below(n.position)
	below(n.all)
	n.sort()
}

// sort puts the fields in the order in which those that are new are added: numbers by value, then names by their bytes.
func (n *node) sort() {
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
