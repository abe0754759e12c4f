package update

import (
	"bytes"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/build"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// op is an operator at its place.
type op interface {
	// apply appends the bytes of the new value to dst and returns its type. old may be missing, and a type of 0 says that
	// the new value is.
	apply(a *run, dst []byte, old bsoncore.Value) (out []byte, t bsoncore.Type, err error)
	// strict reports that it is an error if the place cannot be: below a number, or in an array by a name.
	strict(a *run) bool
}

// run is the application of an update to one document.
type run struct {
	Context
	doc     bsoncore.Document
	start   int // of the result in dst
	changed bool
	path    string           // of the operator that runs, for people
	room    []byte           // for array filters
	list    []bsoncore.Value // for operators on arrays
	which   []byte           // of the nodes for elements, those that were picked last

	merged     map[merging]*node
	mergedSize int // nodes at and below those of merged
}

// id names the document to people.
func (a *run) id() string {
	if id, ok := value.Get(a.doc, "_id"); ok {
		return "{_id: " + value.Text(id) + "}"
	}
	return "without an _id"
}

// marks remembers which children have been met. Few updates have more than 64 for one document.
type marks struct {
	bits uint64
	more []bool
}

func newMarks(n int) (m marks) {
	if n > 64 {
		m.more = make([]bool, n)
	}
	return m
}

func (m *marks) has(i int) bool {
	if m.more != nil {
		return m.more[i]
	}
	return m.bits>>i&1 != 0
}

func (m *marks) set(i int) {
	if m.more != nil {
		m.more[i] = true
		return
	}
	m.bits |= 1 << i
}

// document appends a document with the node's changes. New fields come behind the others.
func (a *run) document(dst []byte, n *node, doc []byte) ([]byte, error) {
	n, err := a.resolve(n)
	if err != nil {
		return dst, err
	}
	start, dst := value.Begin(dst)
	met := newMarks(len(n.children))
	copied, at := min(4, len(doc)), min(4, len(doc))
	for r := value.Read(doc); r.Next(); {
		size := len(r.Name) + 2 + len(r.Value.Data)
		if i := find(n, r.Name); i >= 0 && !met.has(i) {
			met.set(i)
			dst = append(dst, doc[copied:at]...)
			if dst, err = a.field(dst, n.children[i], r.Value); err != nil {
				return dst, err
			}
			copied = at + size
		}
		at += size
	}
	dst = append(dst, doc[copied:at]...)
	for i, c := range n.children {
		if !met.has(i) {
			if dst, err = a.field(dst, c, bsoncore.Value{}); err != nil {
				return dst, err
			}
		}
	}
	return value.End(dst, start), nil
}

// field appends a field with its new value, or nothing if there is none.
func (a *run) field(dst []byte, n *node, old bsoncore.Value) ([]byte, error) {
	at := len(dst)
	dst = build.Head(dst, 0, n.name)
	body := len(dst)
	dst, t, err := a.value(dst, n, old)
	if err != nil {
		return dst, err
	}
	if n.op != nil {
		a.compare(t, dst[body:], old)
	}
	if t == 0 {
		return dst[:at], nil
	}
	dst[at] = byte(t)
	return dst, a.tooLarge(dst)
}

// tooLarge stops an update that makes more than a document may have, before it makes much more.
func (a *run) tooLarge(dst []byte) error {
	if len(dst)-a.start <= value.MaxSize {
		return nil
	}
	return value.Errorf(value.BSONObjectTooLarge, "Resulting document after update is larger than %d bytes: split it", value.MaxSize)
}

// compare notes whether a place came out other than it was.
func (a *run) compare(t bsoncore.Type, data []byte, old bsoncore.Value) {
	if !a.changed {
		a.changed = t != old.Type || !bytes.Equal(data, old.Data)
	}
}

// value appends the new value of a place.
func (a *run) value(dst []byte, n *node, old bsoncore.Value) ([]byte, bsoncore.Type, error) {
	switch {
	case n.op != nil:
		a.path = n.path
		return n.op.apply(a, dst, old)
	case n.elements:
		return a.eachElement(dst, n, old)
	case old.Type == value.Document:
		dst, err := a.document(dst, n, old.Data)
		return dst, old.Type, err
	case old.Type == value.Array:
		dst, err := a.array(dst, n, old.Data)
		return dst, old.Type, err
	case old.Type == 0:
		at := len(dst)
		dst, err := a.document(dst, n, emptyDocument)
		if err == nil && len(dst)-at == len(emptyDocument) {
			return dst[:at], 0, nil // nothing came of it, so the way to it is not made either
		}
		return dst, value.Document, err
	case n.strict(a):
		return dst, 0, a.blocked(n, old)
	}
	return append(dst, old.Data...), old.Type, nil
}

// emptyDocument is only read.
var emptyDocument = []byte{5, 0, 0, 0, 0}

// blocked says that there is no room for a field below a value.
func (a *run) blocked(n *node, old bsoncore.Value) error {
	child := "$"
	if len(n.children) > 0 {
		child = n.children[0].name
	}
	return value.Errorf(value.PathNotViable, "Cannot create field '%s' in element {%s: %s}", child, n.path, value.Text(old))
}

// resolve gives the positional $ its name.
func (a *run) resolve(n *node) (*node, error) {
	if n.position == nil {
		return n, nil
	}
	if a.Position < 0 {
		return nil, value.Errorf(value.BadValue, "The positional operator did not find the match needed from the query.")
	}
	if m := a.merged[merging{of: n}]; m != nil {
		return m, nil
	}
	there := *n.position
	there.name, there.index = strconv.Itoa(a.Position), a.Position
	m, err := merge(&node{name: n.name, index: n.index, path: n.path, children: n.children}, &node{children: []*node{&there}})
	if err == nil {
		m.size = n.size
		a.remember(merging{of: n}, m)
	}
	return m, err
}
