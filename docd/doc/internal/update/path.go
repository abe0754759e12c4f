package update

import (
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// add puts an operator at a path of the update.
func (c *compiler) add(path string, o op) error {
	if err := value.CheckPath(path); err != nil {
		return err
	}
	parts := strings.Split(path, ".")
	if len(parts) > maxParts {
		return tooLong(path, len(parts))
	}
	n, positional, end := c.root, false, -1
	for i, part := range parts {
		end += 1 + len(part)
		so := path[:end]
		var err error
		switch {
		case part[0] != '$':
			n, err = n.field(part, so, path)
		case i == 0:
			err = value.Errorf(value.BadValue, "Cannot have positional (i.e. '$') element in the first position in path '%s'", path)
		case part == "$" && positional:
			err = value.Errorf(value.BadValue, "Too many positional (i.e. '$') elements found in path '%s'", path)
		case part == "$":
			positional, c.positional = true, true
			n, err = n.atPosition(so, path)
		case strings.HasPrefix(part, "$[") && part[len(part)-1] == ']':
			n, err = c.element(n, part[2:len(part)-1], so, path)
		default:
			err = value.Errorf(value.DollarPrefixedFieldName, "The dollar ($) prefixed field '%s' in '%s' is not valid for storage.", part, path)
		}
		if err != nil {
			return err
		}
	}
	return n.put(o, path)
}

func tooLong(path string, parts int) error {
	return value.Errorf(value.Overflow, "the path '%.80s' has %d names, over the limit of %d levels: make the document flatter", path, parts, maxParts)
}

func conflict(path, at string) error {
	return value.Errorf(value.ConflictingUpdateOperators, "Updating the path '%s' would create a conflict at '%s'", path, at)
}

// put makes a node that has nothing to do yet a leaf.
func (n *node) put(o op, path string) error {
	if !n.empty() {
		return conflict(path, path)
	}
	n.op = o
	return nil
}

// field goes down to a field, which so names from the root.
func (n *node) field(name, so, path string) (*node, error) {
	if n.op != nil || n.elements {
		return nil, conflict(path, n.path)
	}
	if i := find(n, name); i >= 0 {
		return n.children[i], nil
	}
	child := newNode(name, so)
	n.append(child)
	return child, nil
}

func (n *node) atPosition(so, path string) (*node, error) {
	if n.op != nil || n.elements {
		return nil, conflict(path, n.path)
	}
	if n.position == nil {
		n.position = newNode("$", so)
	}
	return n.position, nil
}

// element goes down to all elements of an array, or to those that a filter picks.
func (c *compiler) element(n *node, id, so, path string) (*node, error) {
	if !n.elements && !n.empty() {
		return nil, conflict(path, n.path)
	}
	n.elements = true
	if id == "" {
		if n.all == nil {
			n.all = newNode("$[]", so)
		}
		return n.all, nil
	}
	i := slices.IndexFunc(c.filters, func(f *arrayFilter) bool { return f.id == id })
	if i < 0 {
		return nil, value.Errorf(value.BadValue, "No array filter found for identifier '%s' in path '%s'", id, path)
	}
	f := c.filters[i]
	f.used = true
	for _, s := range n.some {
		if s.filter == f {
			return s, nil
		}
	}
	s := newNode("$["+id+"]", so)
	s.filter = f
	n.some = append(n.some, s)
	return s, nil
}

// arrayFilter picks the elements that $[id] stands for.
type arrayFilter struct {
	id     string
	filter *filter.Filter // of a document with the element as its one field, id
	used   bool           // some path names it; only Compile looks at it
}

func (f *arrayFilter) matches(room []byte, v bsoncore.Value) (matched bool, made []byte) {
	_, room = value.Begin(room[:0])
	room = value.End(value.AppendElement(room, f.id, v), 0)
	return f.filter.Matches(room), room
}

func compileFilters(docs []bsoncore.Document) ([]*arrayFilter, error) {
	var filters []*arrayFilter
	for _, doc := range docs {
		f, err := filter.Compile(doc)
		if err != nil {
			return nil, err
		}
		id := ""
		if err := filterID(doc, &id); err != nil {
			return nil, err
		}
		if id == "" {
			return nil, value.Errorf(value.FailedToParse, "Cannot use an expression without a top-level field name in arrayFilters")
		}
		if slices.ContainsFunc(filters, func(other *arrayFilter) bool { return other.id == id }) {
			return nil, value.Errorf(value.FailedToParse, "Found multiple array filters with the same top-level field name %s", id)
		}
		filters = append(filters, &arrayFilter{id: id, filter: f})
	}
	return filters, nil
}

// filterID finds the one name that all paths of an array filter begin with.
func filterID(doc []byte, id *string) error {
	for r := value.Read(doc); r.Next(); {
		if len(r.Name) > 0 && r.Name[0] == '$' {
			for sub := value.Read(r.Value.Data); r.Value.Type == value.Array && sub.Next(); {
				if err := filterID(sub.Value.Data, id); err != nil {
					return err
				}
			}
			continue
		}
		name, _, _ := value.Cut(string(r.Name))
		switch {
		case !validID(name):
			return value.Errorf(value.BadValue, "Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '%s'", name)
		case *id != "" && *id != name:
			return value.Errorf(value.FailedToParse, "Error parsing array filter :: caused by :: Expected a single top-level field name, found '%s' and '%s'", *id, name)
		}
		*id = name
	}
	return nil
}

func validID(name string) bool {
	for i, ch := range []byte(name) {
		if (ch < 'a' || ch > 'z') && (i == 0 || (ch < 'A' || ch > 'Z') && (ch < '0' || ch > '9')) {
			return false
		}
	}
	return name != ""
}
