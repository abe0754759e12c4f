package expr

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// Expr is a compiled expression. Nothing in it changes: any number of goroutines may evaluate it, each with a Scratch of
// its own. It keeps the bytes that it was compiled from.
type Expr struct {
	root  node
	given int // variables that the caller of Eval brings
	slots int // all variables, those of $map and its kind included
}

// node is a part of an expression. What eval returns lies in the document, in the expression or in the scratch, and
// Missing is a value like others.
type node interface {
	eval(s *Scratch) (bsoncore.Value, error)
}

// Missing is what a field that is not there evaluates to. It has no type.
var Missing = bsoncore.Value{}

// Compile compiles an expression. Beside $$ROOT and $$CURRENT it may use the variables named by vars, without dollars.
func Compile(v bsoncore.Value, vars ...string) (*Expr, error) {
	c := &compiler{special: special, plain: plain, scope: slices.Clone(vars), slots: len(vars)}
	root, err := c.compile(v)
	if err != nil {
		return nil, err
	}
	return &Expr{root: root, given: len(vars), slots: c.slots}, nil
}

// Eval evaluates the expression for a document, with the variables that Compile was told of, in that order. The value is
// of type 0 where nothing is there. It is good until s is reset, and as long as the bytes of root and vars are.
func (e *Expr) Eval(s *Scratch, root bsoncore.Document, vars ...bsoncore.Value) (bsoncore.Value, error) {
	s.root = bsoncore.Value{Type: value.Document, Data: root}
	s.steps, s.stack = 0, s.stack[:0]
	s.vars = append(s.vars[:0], vars[:min(len(vars), e.given)]...)
	for len(s.vars) < e.slots {
		s.vars = append(s.vars, Missing)
	}
	return e.root.eval(s)
}

// Path returns the path of an expression that is nothing but a field path, without the dollar.
func (e *Expr) Path() (path string, ok bool) {
	p, ok := e.root.(*fieldPath)
	if !ok {
		return "", false
	}
	return p.String(), true
}

// Constant returns the value of an expression that is nothing but a literal.
func (e *Expr) Constant() (v bsoncore.Value, ok bool) {
	l, ok := e.root.(*literal)
	if !ok {
		return Missing, false
	}
	return l.value, true
}
