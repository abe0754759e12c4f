package expr

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// Codes that MongoDB has for expressions only.
const (
	codeArity        = 16020
	codeArityRange   = 28667
	codeOneField     = 15983
	codeDottedObject = 16412
)

// compiler turns BSON into nodes.
type compiler struct {
	special map[string]compileFunc
	plain   map[string]operator
	scope   []string // the names of variables, by slot; a later one hides an earlier one
	slots   int
	depth   int
}

// compileFunc compiles an operator that does not simply evaluate all its arguments first.
type compileFunc func(c *compiler, name string, v bsoncore.Value) (node, error)

// operator is one that evaluates its arguments and then runs.
type operator struct {
	min, max int // arguments; a max of 0 is no bound
	run      func(s *Scratch, name string, args []bsoncore.Value) (bsoncore.Value, error)
}

func (c *compiler) compile(v bsoncore.Value) (node, error) {
	if c.depth++; c.depth > maxDepth {
		return nil, value.Errorf(value.Overflow, "the expression is nested over %d levels deep", maxDepth)
	}
	defer func() { c.depth-- }()
	switch v.Type {
	case value.String, value.Symbol:
		if s := value.Str(v); len(s) > 0 && s[0] == '$' {
			return c.path(string(s))
		}
	case value.Document:
		if name, arg, ok := first(v); ok && len(name) > 0 && name[0] == '$' {
			if r := value.Read(v.Data); several(&r) {
				return nil, value.Errorf(codeOneField, "An object representing an expression must have exactly one field: %s", value.Text(v))
			}
			return c.operator(name, arg)
		}
		return c.object(v)
	case value.Array:
		return c.array(v)
	default:
	}
	return &literal{v}, nil
}

// several reports more than one element.
func several(r *value.Reader) bool {
	r.Next()
	return r.Next()
}

// first returns the first field of a document.
func first(v bsoncore.Value) (name string, arg bsoncore.Value, ok bool) {
	r := value.Read(v.Data)
	if !r.Next() {
		return "", Missing, false
	}
	return string(r.Name), r.Value, true
}

func (c *compiler) operator(name string, arg bsoncore.Value) (node, error) {
	if compile, ok := c.special[name]; ok {
		return compile(c, name, arg)
	}
	op, ok := c.plain[name]
	if !ok {
		return nil, value.Errorf(value.InvalidPipelineOperator, "Unrecognized expression '%s'", name)
	}
	args, err := c.arguments(name, arg, op.min, op.max)
	if err != nil {
		return nil, err
	}
	return &call{name: name, args: args, run: op.run}, nil
}

// arguments compiles an operator's arguments: the elements of an array, or the one that stands alone.
func (c *compiler) arguments(name string, v bsoncore.Value, least, most int) ([]node, error) {
	var args []node
	if v.Type == value.Array {
		for r := value.Read(v.Data); r.Next(); {
			n, err := c.compile(r.Value)
			if err != nil {
				return nil, err
			}
			args = append(args, n)
		}
	} else {
		n, err := c.compile(v)
		if err != nil {
			return nil, err
		}
		args = []node{n}
	}
	if n := len(args); n < least || most > 0 && n > most {
		switch {
		case least == most:
			return nil, value.Errorf(codeArity, "Expression %s takes exactly %d arguments. %d were passed in.", name, least, n)
		case most == 0:
			return nil, value.Errorf(codeArityRange, "Expression %s takes at least %d arguments, but %d were passed in.", name, least, n)
		}
		return nil, value.Errorf(codeArityRange, "Expression %s takes at least %d arguments, and at most %d, but %d were passed in.", name, least, most, n)
	}
	return args, nil
}

// bind compiles v with one more variable in scope and returns its slot.
func (c *compiler) bind(v bsoncore.Value, names ...string) (n node, slot int, err error) {
	slot = len(c.scope)
	c.scope = append(c.scope, names...)
	c.slots = max(c.slots, len(c.scope))
	n, err = c.compile(v)
	c.scope = c.scope[:slot]
	return n, slot, err
}

// literal is a value that stands for itself.
type literal struct{ value bsoncore.Value }

func (l *literal) eval(*Scratch) (bsoncore.Value, error) { return l.value, nil }

// compileLiteral compiles $literal, which keeps dollars from being read.
func compileLiteral(_ *compiler, _ string, v bsoncore.Value) (node, error) { return &literal{v}, nil }

// call is an operator with its arguments.
type call struct {
	name string
	args []node
	run  func(s *Scratch, name string, args []bsoncore.Value) (bsoncore.Value, error)
}

func (n *call) eval(s *Scratch) (bsoncore.Value, error) {
	mark, size := len(s.stack), 0
	for _, a := range n.args {
		v, err := a.eval(s)
		if err != nil {
			return Missing, err
		}
		s.stack = append(s.stack, v)
		size += len(v.Data)
	}
	if err := s.work(size); err != nil {
		return Missing, err
	}
	v, err := n.run(s, n.name, s.stack[mark:])
	s.stack = s.stack[:mark]
	return v, err
}
