package expr

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeSwitchObject   = 40060
	codeSwitchBranches = 40061
	codeSwitchBranch   = 40062
	codeBranchUnknown  = 40063
	codeBranchCase     = 40064
	codeBranchThen     = 40065
	codeSwitchNone     = 40066
	codeSwitchUnknown  = 40067
	codeSwitchEmpty    = 40068
)

// choice is $switch.
type choice struct {
	branches  []branch
	otherwise node // nil if there is no default
}

type branch struct{ test, then node }

func compileSwitch(c *compiler, name string, v bsoncore.Value) (node, error) {
	if v.Type != value.Document {
		return nil, value.Errorf(codeSwitchObject, "$switch requires an object as an argument, found: %s", value.TypeName(v.Type))
	}
	n := &choice{}
	for r := value.Read(v.Data); r.Next(); {
		var err error
		switch string(r.Name) {
		case "branches":
			err = n.compileBranches(c, name, r.Value)
		case "default":
			n.otherwise, err = c.compile(r.Value)
		default:
			err = value.Errorf(codeSwitchUnknown, "$switch found an unknown argument: %s", r.Name)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(n.branches) == 0 {
		return nil, value.Errorf(codeSwitchEmpty, "$switch requires at least one branch.")
	}
	return n, nil
}

func (n *choice) compileBranches(c *compiler, name string, v bsoncore.Value) error {
	if v.Type != value.Array {
		return value.Errorf(codeSwitchBranches, "$switch expected an array for 'branches', found: %s", value.TypeName(v.Type))
	}
	for r := value.Read(v.Data); r.Next(); {
		if r.Value.Type != value.Document {
			return value.Errorf(codeSwitchBranch, "$switch expected each branch to be an object, found: %s", value.TypeName(r.Value.Type))
		}
		var b branch
		if err := c.params(name, r.Value, codeBranchUnknown, []param{{"case", &b.test, codeBranchCase}, {"then", &b.then, codeBranchThen}}); err != nil {
			return err
		}
		n.branches = append(n.branches, b)
	}
	return nil
}

func (n *choice) eval(s *Scratch) (bsoncore.Value, error) {
	for _, b := range n.branches {
		v, err := b.test.eval(s)
		if err != nil {
			return Missing, err
		}
		if value.Truthy(v) {
			return b.then.eval(s)
		}
	}
	if n.otherwise == nil {
		return Missing, value.Errorf(codeSwitchNone, "$switch could not find a matching branch for an input, and no default was specified.")
	}
	return n.otherwise.eval(s)
}
