package expr

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeReduceObject  = 40075
	codeReduceUnknown = 40076
	codeReduceInput   = 40077
	codeReduceInitial = 40078
	codeReduceIn      = 40079
	codeReduceArray   = 40080
)

// reduce is $reduce: $$value goes from element to element, each of which is $$this.
type reduce struct {
	input, initial, body node
	slot                 int // of $$value; $$this has the next
}

func compileReduce(c *compiler, name string, v bsoncore.Value) (node, error) {
	if v.Type != value.Document {
		return nil, value.Errorf(codeReduceObject, "$reduce requires an object as an argument, found: %s", value.TypeName(v.Type))
	}
	n := &reduce{}
	_, rest, in, err := c.splitLoop(v, "in")
	if err != nil {
		return nil, err
	}
	err = c.params(name, rest, codeReduceUnknown, []param{{"input", &n.input, codeReduceInput}, {"initialValue", &n.initial, codeReduceInitial}})
	if err != nil {
		return nil, err
	}
	if in.Type == 0 {
		return nil, value.Errorf(codeReduceIn, "Missing 'in' parameter to $reduce")
	}
	n.body, n.slot, err = c.bind(in, "value", "this")
	return n, err
}

func (n *reduce) eval(s *Scratch) (bsoncore.Value, error) {
	list, err := n.input.eval(s)
	switch {
	case err != nil:
		return Missing, err
	case nullish(list):
		return null, nil
	case list.Type != value.Array:
		return Missing, value.Errorf(codeReduceArray, "$reduce requires that 'input' be an array, found: %s", value.TypeName(list.Type))
	}
	acc, err := n.initial.eval(s)
	if err != nil {
		return Missing, err
	}
	arena := len(s.arena)
	var kept []byte // the value so far, so that the arena need not grow with every element
	outer := [2]bsoncore.Value{s.vars[n.slot], s.vars[n.slot+1]}
	for r := value.Read(list.Data); r.Next(); {
		if err := s.work(len(acc.Data)); err != nil {
			return Missing, err
		}
		s.vars[n.slot], s.vars[n.slot+1] = acc, r.Value
		if acc, err = n.body.eval(s); err != nil {
			return Missing, err
		}
		if !shallow(acc, maxDepth) {
			return Missing, value.Errorf(value.Overflow, "$reduce makes a value nested over %d levels deep", maxDepth)
		}
		kept = append(kept[:0], acc.Data...)
		acc.Data = kept
		s.arena = s.arena[:arena]
	}
	s.vars[n.slot], s.vars[n.slot+1] = outer[0], outer[1]
	if kept == nil {
		return acc, nil
	}
	s.arena = append(s.arena, kept...)
	return s.made(acc.Type, arena)
}

// shallow reports that a value is nested at most left levels deep.
func shallow(v bsoncore.Value, left int) bool {
	if v.Type != value.Document && v.Type != value.Array {
		return true
	}
	for r := value.Read(v.Data); r.Next(); {
		if left == 0 || !shallow(r.Value, left-1) {
			return false
		}
	}
	return true
}
