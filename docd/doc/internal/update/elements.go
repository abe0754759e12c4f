package update

import (
	"bytes"
	"encoding/binary"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/build"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// maxPadding is how many nulls an element beyond an array's end may bring with it.
const maxPadding = 1_500_000

// array appends an array with changes to elements by their position. Those beyond its end are added, with nulls between.
func (a *run) array(dst []byte, n *node, arr []byte) ([]byte, error) {
	n, err := a.resolve(n)
	if err != nil {
		return dst, err
	}
	if err := a.checkArray(n, arr); err != nil {
		return dst, err
	}
	start, dst := value.Begin(dst)
	length, next := 0, 0 // children with a position come first, in order
	for r := value.Read(arr); r.Next(); length++ {
		if next == len(n.children) || n.children[next].index != length {
			dst = build.Item(dst, length, r.Value)
			continue
		}
		if dst, err = a.item(dst, n.children[next], length, r.Value); err != nil {
			return dst, err
		}
		next++
	}
	for _, c := range n.children[next:] {
		if c.index < 0 {
			break
		}
		at := len(dst)
		if dst, err = a.field(dst, c, bsoncore.Value{}); err != nil {
			return dst, err
		}
		if len(dst) == at {
			continue // nothing is there, so the array does not grow
		}
		if c.index-length > maxPadding {
			return dst, value.Errorf(value.BadValue, "the array at '%s' has %d elements, and '%s' would add over %d nulls: use a lower position", n.path, length, c.path, maxPadding)
		}
		if dst, err = a.pad(dst, at, length, c.index); err != nil {
			return dst, err
		}
		length = c.index + 1
	}
	return value.End(dst, start), nil
}

// pad puts nulls from one position up to another before the element that dst has from at on.
func (a *run) pad(dst []byte, at, from, to int) ([]byte, error) {
	if from == to {
		return dst, nil
	}
	element := bytes.Clone(dst[at:])
	dst = dst[:at]
	for i := from; i < to; i++ {
		dst = build.ItemHead(dst, i, value.Null)
	}
	dst = append(dst, element...)
	return dst, a.tooLarge(dst)
}

// checkArray refuses names where there are only positions.
func (a *run) checkArray(n *node, arr []byte) error {
	for _, c := range n.children {
		if c.index < 0 && c.strict(a) {
			return value.Errorf(value.PathNotViable, "Cannot create field '%s' in element {%s: %s}", c.name, n.path, value.Text(value.OfArray(arr)))
		}
	}
	if n.any(func(o op) bool { r, ok := o.(*renameTo); return ok && r.strict(a) }) {
		return value.Errorf(value.BadValue, "The destination field cannot be an array element, '%s' in doc with %s is an array", n.path, a.id())
	}
	return nil
}

// item appends an element of an array with its new value: null where $unset would take it away.
func (a *run) item(dst []byte, n *node, i int, old bsoncore.Value) ([]byte, error) {
	at := len(dst)
	dst = build.ItemHead(dst, i, 0)
	body := len(dst)
	dst, t, err := a.value(dst, n, old)
	if err != nil {
		return dst, err
	}
	if t == 0 {
		t = value.Null
	}
	if n.op != nil {
		a.compare(t, dst[body:], old)
	}
	dst[at] = byte(t)
	return dst, a.tooLarge(dst)
}

// eachElement appends an array with changes to those elements that $[] and $[id] stand for.
func (a *run) eachElement(dst []byte, n *node, old bsoncore.Value) ([]byte, bsoncore.Type, error) {
	switch {
	case old.Type == value.Array:
	case !n.any(func(o op) bool { return o.strict(a) || o == op(unset{}) }):
		return append(dst, old.Data...), old.Type, nil
	case old.Type == 0:
		return dst, 0, value.Errorf(value.BadValue, "The path '%s' must exist in the document in order to apply array updates.", n.path)
	default:
		return dst, 0, value.Errorf(value.BadValue, "Cannot apply array updates to non-array element %s: %s", n.path, value.Text(old))
	}
	start, dst := value.Begin(dst)
	picked := make([]*node, 0, 4)
	i := 0
	for r := value.Read(old.Data); r.Next(); i++ {
		picked = a.pick(picked[:0], n, r.Value)
		if len(picked) == 0 {
			dst = build.Item(dst, i, r.Value)
			continue
		}
		todo, err := a.together(n, picked)
		if err != nil {
			return dst, 0, err
		}
		if dst, err = a.item(dst, todo, i, r.Value); err != nil {
			return dst, 0, err
		}
	}
	return value.End(dst, start), value.Array, nil
}

// pick appends what is to be done to an element, and notes in a.which what that is.
func (a *run) pick(picked []*node, n *node, v bsoncore.Value) []*node {
	a.which = a.which[:0]
	if n.all != nil {
		picked = append(picked, n.all)
		a.which = append(a.which, 0)
	}
	for i, s := range n.some {
		var ok bool
		if ok, a.room = s.filter.matches(a.room, v); ok {
			picked = append(picked, s)
			a.which = binary.AppendUvarint(a.which, uint64(i)+1)
		}
	}
	return picked
}

// together makes one node of those that were picked last.
func (a *run) together(n *node, picked []*node) (*node, error) {
	if len(picked) == 1 {
		return picked[0], nil
	}
	if m := a.merged[merging{n, string(a.which)}]; m != nil {
		return m, nil
	}
	m, err := mergeAll(picked)
	if err == nil {
		a.remember(merging{n, string(a.which)}, m)
	}
	return m, err
}
