package expr

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/number"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeMapObject     = 16878
	codeMapUnknown    = 16879
	codeMapInput      = 16880
	codeMapIn         = 16882
	codeMapArray      = 16883
	codeMapName       = 16866
	codeFilterArray   = 28651
	codeFilterObject  = 28646
	codeFilterUnknown = 28647
	codeFilterInput   = 28648
	codeFilterCond    = 28650
	codeFilterLimit   = 327391
)

// eacher is $map or $filter: an expression for each element of an array.
type eacher struct {
	input node
	slot  int
	body  node
	keep  bool // $filter: the body says whether the element stays
	limit node // of $filter; nil if there is none
}

// split takes a variable's name and the body, which sees the variable, out of the operands, and compiles the others.
func (c *compiler) splitLoop(v bsoncore.Value, body string) (name string, rest, in bsoncore.Value, err error) {
	name = "this"
	kept := bsoncore.NewDocumentBuilder()
	for r := value.Read(v.Data); r.Next(); {
		switch string(r.Name) {
		case "as":
			if name = string(value.Str(r.Value)); r.Value.Type != value.String || !userName(name) {
				return "", v, in, value.Errorf(codeMapName, "'as' must be the name of a variable that starts with a lowercase letter and has letters, digits and '_' only, not %s", value.Text(r.Value))
			}
		case body:
			in = r.Value
		default:
			kept.AppendValue(string(r.Name), r.Value)
		}
	}
	return name, bsoncore.Value{Type: value.Document, Data: kept.Build()}, in, nil
}

// userName reports whether a variable may be called so.
func userName(name string) bool {
	for i, ch := range []byte(name) {
		lower := ch >= 'a' && ch <= 'z' || ch >= 0x80
		if !lower && (i == 0 || ch != '_' && (ch < '0' || ch > '9') && (ch < 'A' || ch > 'Z')) {
			return false
		}
	}
	return name != ""
}

func compileMap(c *compiler, name string, v bsoncore.Value) (node, error) {
	if v.Type != value.Document {
		return nil, value.Errorf(codeMapObject, "$map only supports an object as its argument")
	}
	n := &eacher{}
	as, rest, in, err := c.splitLoop(v, "in")
	if err != nil {
		return nil, err
	}
	if err := c.params(name, rest, codeMapUnknown, []param{{"input", &n.input, codeMapInput}}); err != nil {
		return nil, err
	}
	if in.Type == 0 {
		return nil, value.Errorf(codeMapIn, "Missing 'in' parameter to $map")
	}
	n.body, n.slot, err = c.bind(in, as)
	return n, err
}

func compileFilter(c *compiler, name string, v bsoncore.Value) (node, error) {
	if v.Type != value.Document {
		return nil, value.Errorf(codeFilterObject, "$filter only supports an object as its argument")
	}
	n := &eacher{keep: true}
	as, rest, test, err := c.splitLoop(v, "cond")
	if err != nil {
		return nil, err
	}
	if err := c.params(name, rest, codeFilterUnknown, []param{{"input", &n.input, codeFilterInput}, {"limit", &n.limit, 0}}); err != nil {
		return nil, err
	}
	if test.Type == 0 {
		return nil, value.Errorf(codeFilterCond, "Missing 'cond' parameter to $filter")
	}
	n.body, n.slot, err = c.bind(test, as)
	return n, err
}

func (n *eacher) eval(s *Scratch) (bsoncore.Value, error) {
	list, err := n.input.eval(s)
	switch {
	case err != nil:
		return Missing, err
	case nullish(list):
		return null, nil
	case list.Type != value.Array && n.keep:
		return Missing, value.Errorf(codeFilterArray, "input to $filter must be an array not %s", value.TypeName(list.Type))
	case list.Type != value.Array:
		return Missing, value.Errorf(codeMapArray, "input to $map must be an array not %s", value.TypeName(list.Type))
	}
	limit, err := n.most(s)
	if err != nil {
		return Missing, err
	}
	outer, stack := s.vars[n.slot], len(s.stack)
	for r := value.Read(list.Data); r.Next() && int64(len(s.stack)-stack) < limit; {
		if err := s.work(0); err != nil {
			return Missing, err
		}
		s.vars[n.slot] = r.Value
		arena := len(s.arena)
		v, err := n.body.eval(s)
		if err != nil {
			return Missing, err
		}
		if !n.keep {
			s.stack = append(s.stack, v)
			continue
		}
		if value.Truthy(v) {
			s.stack = append(s.stack, r.Value)
		}
		s.arena = s.arena[:arena] // the condition has been read
	}
	s.vars[n.slot] = outer
	return s.array(stack)
}

// most is how many elements $filter keeps at most.
func (n *eacher) most(s *Scratch) (int64, error) {
	if n.limit == nil {
		return maxValue, nil
	}
	v, err := n.limit.eval(s)
	if err != nil || nullish(v) {
		return maxValue, err
	}
	if k, ok := number.Of(v); ok {
		if limit, ok := int32Of(k); ok && limit > 0 {
			return limit, nil
		}
	}
	return 0, value.Errorf(codeFilterLimit, "$filter: limit must be a positive 32-bit integer, found: %s", value.Text(v))
}
