package filter

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// cond is a condition on a path or on a value: a pred, or the inverse of several. It differs between the two: on a path,
// some value there is to meet a pred, and the inverse says that none does.
type cond struct {
	pred pred
	not  []cond
}

// at makes the condition one on a path.
func (c cond) at(path string) node {
	if c.pred == nil {
		return not{conjunction(path, c.not)}
	}
	return &field{path: path, flat: !strings.Contains(path, "."), pred: c.pred}
}

// on makes it one on a value.
func (c cond) on() pred {
	if c.pred == nil {
		return &inverse{p: allOf(c.not)}
	}
	return c.pred
}

func conjunction(path string, conds []cond) node {
	nodes := make([]node, len(conds))
	for i, c := range conds {
		nodes[i] = c.at(path)
	}
	return join(nodes)
}

func allOf(conds []cond) pred {
	preds := make([]pred, len(conds))
	for i, c := range conds {
		preds[i] = c.on()
	}
	if len(preds) == 1 {
		return preds[0]
	}
	return &every{all: preds}
}

// parse reads a filter document.
func parse(doc bsoncore.Document) (node, error) {
	var nodes []node
	for r := value.Read(doc); r.Next(); {
		name := string(r.Name)
		var n node
		var err error
		if strings.HasPrefix(name, "$") && !isReference(name) {
			n, err = parseLogical(name, r.Value)
		} else {
			n, err = parseField(name, r.Value)
		}
		if err != nil {
			return nil, err
		}
		if n != nil {
			nodes = append(nodes, n)
		}
	}
	return join(nodes), nil
}

func parseField(path string, v bsoncore.Value) (node, error) {
	if err := value.CheckLength(path); err != nil {
		return nil, err
	}
	conds, err := parseOperand(v)
	if err != nil {
		return nil, err
	}
	return conjunction(path, conds), nil
}

// parseLogical reads an operator at the top of a filter. $comment gives none.
func parseLogical(name string, v bsoncore.Value) (node, error) {
	switch name {
	case "$and", "$or", "$nor":
	case "$comment":
		return nil, nil //nolint:nilnil // neither a condition nor an error
	case "$expr", "$where", "$text", "$jsonSchema":
		return nil, value.Errorf(value.BadValue, "unsupported operator: %s cannot be part of a filter here", name)
	default:
		return nil, value.Errorf(value.BadValue, "unknown top level operator: %s. If you have a field name that starts with a '$' symbol, rename it", name)
	}
	if v.Type != value.Array {
		return nil, value.Errorf(value.BadValue, "%s must be an array", name)
	}
	var nodes []node
	for r := value.Read(v.Data); r.Next(); {
		if r.Value.Type != value.Document {
			return nil, value.Errorf(value.BadValue, "$or/$and/$nor entries need to be full objects: %s has one of type %s", name, value.TypeName(r.Value.Type))
		}
		n, err := parse(r.Value.Data)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	switch {
	case len(nodes) == 0:
		return nil, value.Errorf(value.BadValue, "$and/$or/$nor must be a nonempty array: %s is empty", name)
	case name == "$nor":
		return nor(nodes), nil
	case name == "$or" && len(nodes) > 1:
		return or(nodes), nil
	}
	return join(nodes), nil
}

// parseOperand reads what a field is to be: operators, a regular expression, or a value to equal.
func parseOperand(v bsoncore.Value) ([]cond, error) {
	switch {
	case v.Type == value.Document && operators(v.Data):
		return parseOperators(v.Data)
	case v.Type == value.Regex:
		p, err := regexOf(v)
		return []cond{{pred: p}}, err
	}
	p, err := newEquals(v)
	return []cond{{pred: p}}, err
}

func newEquals(v bsoncore.Value) (pred, error) {
	if v.Type == value.Undefined {
		return nil, value.Errorf(value.BadValue, "cannot compare to undefined")
	}
	return &equals{v: v}, nil
}

// operators reports whether a document consists of operators, as far as its first name tells. A DBRef does not.
func operators(doc bsoncore.Document) bool {
	r := value.Read(doc)
	return r.Next() && len(r.Name) > 0 && r.Name[0] == '$' && !isReference(string(r.Name))
}

func isReference(name string) bool { return name == "$ref" || name == "$id" || name == "$db" }
