package filter

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// Condition is a compiled condition on values rather than documents: what $pull takes, and array filters.
type Condition struct {
	filter node
	conds  []cond
	equal  bsoncore.Value
}

// CompileCondition compiles a condition: operators or a regular expression, which a value meets as if it were that of a
// field; a document without operators, which is a filter for documents; or a value to be equal to.
func CompileCondition(v bsoncore.Value) (*Condition, error) {
	if v.Type == value.Document {
		if err := value.Valid(v.Data); err != nil {
			return nil, err
		}
	}
	err := new(Budget).Take(v)
	if err != nil {
		return nil, err
	}
	c := &Condition{}
	switch v.Type {
	case value.Document:
		if operators(v.Data) {
			c.conds, err = parseOperators(v.Data)
		} else {
			c.filter, err = parse(v.Data)
		}
	case value.Regex:
		c.conds, err = parseOperand(v)
	default:
		c.equal = v
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Matches reports whether a value meets the condition.
func (c *Condition) Matches(v bsoncore.Value) bool {
	switch {
	case c.filter != nil:
		return v.Type == value.Document && c.filter.match(v.Data, nil)
	case c.conds != nil:
		return meets(c.conds, v)
	}
	return value.Equal(v, c.equal)
}

// meets reports whether a value meets all conditions as that of a field does.
func meets(conds []cond, v bsoncore.Value) bool {
	for _, c := range conds {
		if c.pred == nil && meets(c.not, v) || c.pred != nil && !reaches(c.pred, v) {
			return false
		}
	}
	return true
}

// reaches reports whether a value, or one of its elements where it is an array, meets a condition.
func reaches(p pred, v bsoncore.Value) bool {
	if v.Type == value.Array && p.spreads() {
		for r := value.Read(v.Data); r.Next(); {
			if p.test(r.Value) {
				return true
			}
		}
	}
	return p.test(v)
}
