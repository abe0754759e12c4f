package expr

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// object makes a document. A field whose value is missing is left out.
type object struct {
	names []string
	nodes []node
}

func (c *compiler) object(v bsoncore.Value) (node, error) {
	n := &object{}
	for r := value.Read(v.Data); r.Next(); {
		name := string(r.Name)
		switch {
		case strings.Contains(name, "."):
			return nil, value.Errorf(codeDottedObject, "FieldPath field names may not contain '.'. Found '%s': nest documents instead", name)
		case strings.HasPrefix(name, "$"):
			return nil, value.Errorf(codeOneField, "FieldPath field names may not start with '$'. Found '%s': an operator stands alone in its document", name)
		}
		child, err := c.compile(r.Value)
		if err != nil {
			return nil, err
		}
		n.names, n.nodes = append(n.names, name), append(n.nodes, child)
	}
	return n, nil
}

func (n *object) eval(s *Scratch) (bsoncore.Value, error) {
	mark := len(s.stack)
	for _, child := range n.nodes {
		v, err := child.eval(s)
		if err != nil {
			return Missing, err
		}
		s.stack = append(s.stack, v)
	}
	var start int
	start, s.arena = value.Begin(s.arena)
	for i, v := range s.stack[mark:] {
		if v.Type != 0 {
			s.arena = value.AppendElement(s.arena, n.names[i], v)
		}
		if len(s.arena)-start > maxValue {
			break
		}
	}
	s.stack = s.stack[:mark]
	s.arena = value.End(s.arena, start)
	return s.made(value.Document, start)
}

// list makes an array. An element whose value is missing is null.
type list struct{ nodes []node }

func (c *compiler) array(v bsoncore.Value) (node, error) {
	n := &list{}
	for r := value.Read(v.Data); r.Next(); {
		child, err := c.compile(r.Value)
		if err != nil {
			return nil, err
		}
		n.nodes = append(n.nodes, child)
	}
	return n, nil
}

func (n *list) eval(s *Scratch) (bsoncore.Value, error) {
	mark := len(s.stack)
	for _, child := range n.nodes {
		v, err := child.eval(s)
		if err != nil {
			return Missing, err
		}
		s.stack = append(s.stack, v)
	}
	return s.array(mark)
}
