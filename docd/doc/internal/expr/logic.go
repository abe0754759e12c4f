package expr

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeCondIf      = 17080
	codeCondThen    = 17081
	codeCondElse    = 17082
	codeCondUnknown = 17083
	codeIfNullArity = 1257300
)

func cmp(s *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	return s.int(Compare(args[0], args[1]))
}

func compared(is func(c int) bool) func(*Scratch, string, []bsoncore.Value) (bsoncore.Value, error) {
	return func(_ *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
		return boolean(is(Compare(args[0], args[1]))), nil
	}
}

func not(_ *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	return boolean(!value.Truthy(args[0])), nil
}

// junction is $and or $or: it looks at its arguments until one decides.
type junction struct {
	args     []node
	decisive bool
}

func compileAnd(c *compiler, name string, v bsoncore.Value) (node, error) {
	args, err := c.arguments(name, v, 0, 0)
	return &junction{args, false}, err
}

func compileOr(c *compiler, name string, v bsoncore.Value) (node, error) {
	args, err := c.arguments(name, v, 0, 0)
	return &junction{args, true}, err
}

func (n *junction) eval(s *Scratch) (bsoncore.Value, error) {
	for _, a := range n.args {
		v, err := a.eval(s)
		if err != nil {
			return Missing, err
		}
		if value.Truthy(v) == n.decisive {
			return boolean(n.decisive), nil
		}
	}
	return boolean(!n.decisive), nil
}

// cond is $cond.
type cond struct{ test, then, otherwise node }

func compileCond(c *compiler, name string, v bsoncore.Value) (node, error) {
	if v.Type != value.Document {
		args, err := c.arguments(name, v, 3, 3)
		if err != nil {
			return nil, err
		}
		return &cond{args[0], args[1], args[2]}, nil
	}
	n := &cond{}
	return n, c.params(name, v, codeCondUnknown, []param{
		{"if", &n.test, codeCondIf}, {"then", &n.then, codeCondThen}, {"else", &n.otherwise, codeCondElse},
	})
}

// param is a named argument and where it goes.
type param struct {
	name    string
	node    *node
	missing int32 // the code that says that it is not there; 0 if it need not be
}

// params compiles the named arguments of an operator.
func (c *compiler) params(name string, v bsoncore.Value, unknown int32, list []param) error {
	for r := value.Read(v.Data); r.Next(); {
		known := false
		for _, p := range list {
			if p.name != string(r.Name) {
				continue
			}
			n, err := c.compile(r.Value)
			if err != nil {
				return err
			}
			*p.node, known = n, true
		}
		if !known {
			return value.Errorf(unknown, "Unrecognized parameter to %s: %s", name, r.Name)
		}
	}
	for _, p := range list {
		if *p.node == nil && p.missing != 0 {
			return value.Errorf(p.missing, "Missing '%s' parameter to %s", p.name, name)
		}
	}
	return nil
}

func (n *cond) eval(s *Scratch) (bsoncore.Value, error) {
	v, err := n.test.eval(s)
	if err != nil {
		return Missing, err
	}
	if value.Truthy(v) {
		return n.then.eval(s)
	}
	return n.otherwise.eval(s)
}

// ifNull is $ifNull: the first argument that is not null, else the last.
type ifNull struct{ args []node }

func compileIfNull(c *compiler, name string, v bsoncore.Value) (node, error) {
	args, err := c.arguments(name, v, 0, 0)
	if err == nil && len(args) < 2 {
		return nil, value.Errorf(codeIfNullArity, "$ifNull needs at least two arguments, had: %d", len(args))
	}
	return &ifNull{args}, err
}

func (n *ifNull) eval(s *Scratch) (v bsoncore.Value, err error) {
	for _, a := range n.args {
		if v, err = a.eval(s); err != nil || !nullish(v) {
			break
		}
	}
	return v, err
}
