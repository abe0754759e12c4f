package filter

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// parseOperators reads a document of operators, all of which a field must meet.
func parseOperators(doc bsoncore.Document) ([]cond, error) {
	var conds []cond
	for r := value.Read(doc); r.Next(); {
		name := string(r.Name)
		if name == "$options" {
			if _, ok := value.Get(doc, "$regex"); !ok {
				return nil, value.Errorf(value.BadValue, "$options needs a $regex")
			}
			continue
		}
		if name == "$regex" {
			options, _ := value.Get(doc, "$options")
			p, err := newRegex(r.Value, options)
			if err != nil {
				return nil, err
			}
			conds = append(conds, cond{pred: p})
			continue
		}
		c, err := parseOperator(name, r.Value)
		if err != nil {
			return nil, err
		}
		conds = append(conds, c...)
	}
	return conds, nil
}

// parseOperator reads one operator but for $regex. Only $all gives several conditions.
func parseOperator(name string, v bsoncore.Value) ([]cond, error) {
	var p pred
	var err error
	inverted := false
	switch name {
	case "$eq":
		p, err = newEquals(v)
	case "$ne":
		if v.Type == value.Regex {
			return nil, value.Errorf(value.BadValue, "Can't have regex as arg to $ne.")
		}
		inverted = true
		p, err = newEquals(v)
	case "$lt":
		p, err = newCompares(less, v)
	case "$lte":
		p, err = newCompares(lessOrEqual, v)
	case "$gt":
		p, err = newCompares(greater, v)
	case "$gte":
		p, err = newCompares(greaterOrEqual, v)
	case "$in", "$nin":
		inverted = name == "$nin"
		p, err = newIn(name, v)
	case "$exists":
		inverted = !value.Truthy(v)
		p = exists{}
	case "$type":
		var set value.TypeSet
		set, err = value.ParseTypes(v)
		p = &hasType{set: set}
	case "$mod":
		p, err = newModulo(v)
	case "$size":
		p, err = newSize(v)
	case "$elemMatch":
		p, err = newElemMatch(v)
	case "$all":
		return parseAll(v)
	case "$not":
		return parseNot(v)
	case "$near", "$nearSphere", "$geoWithin", "$geoIntersects", "$bitsAllSet", "$bitsAnySet", "$bitsAllClear", "$bitsAnyClear":
		return nil, value.Errorf(value.BadValue, "unsupported operator: %s", name)
	case "$expr":
		return nil, value.Errorf(value.BadValue, "unsupported operator: $expr cannot be part of a filter here")
	default:
		return nil, value.Errorf(value.BadValue, "unknown operator: %s", name)
	}
	if err != nil {
		return nil, err
	}
	if inverted {
		return []cond{{not: []cond{{pred: p}}}}, nil
	}
	return []cond{{pred: p}}, nil
}

func newCompares(op comparison, v bsoncore.Value) (pred, error) {
	switch v.Type {
	case value.Regex:
		return nil, value.Errorf(value.BadValue, "Can't have RegEx as arg to predicate over field: use $regex")
	case value.Undefined:
		return nil, value.Errorf(value.BadValue, "cannot compare to undefined")
	default:
		return &compares{op: op, v: v}, nil
	}
}

func newIn(name string, v bsoncore.Value) (pred, error) {
	if v.Type != value.Array {
		return nil, value.Errorf(value.BadValue, "%s needs an array", name)
	}
	p := &isIn{}
	for r := value.Read(v.Data); r.Next(); {
		e := r.Value
		switch {
		case e.Type == value.Document && operators(e.Data):
			return nil, value.Errorf(value.BadValue, "cannot nest $ under %s", name)
		case e.Type == value.Undefined:
			return nil, value.Errorf(value.BadValue, "cannot compare to undefined")
		case e.Type == value.Regex:
			re, err := regexOf(e)
			if err != nil {
				return nil, err
			}
			p.regexes = append(p.regexes, re)
			continue
		}
		p.null = p.null || e.Type == value.Null
		p.values = append(p.values, e)
	}
	slices.SortStableFunc(p.values, value.Compare)
	p.values = slices.CompactFunc(p.values, value.Equal)
	if len(p.values) == 1 && len(p.regexes) == 0 {
		return &equals{v: p.values[0]}, nil // which an upsert begins with
	}
	return p, nil
}

func newModulo(v bsoncore.Value) (pred, error) {
	if v.Type != value.Array {
		return nil, value.Errorf(value.BadValue, "malformed mod, needs to be an array")
	}
	var args [2]int64
	n := 0
	for r := value.Read(v.Data); r.Next(); n++ {
		if n == len(args) {
			return nil, value.Errorf(value.BadValue, "malformed mod, too many elements")
		}
		what := [2]string{"divisor", "remainder"}[n]
		if !value.IsNumber(r.Value.Type) {
			return nil, value.Errorf(value.BadValue, "malformed mod, %s not a number", what)
		}
		var fits bool
		if args[n], fits, _ = value.Truncate(r.Value); !fits {
			return nil, value.Errorf(value.BadValue, "malformed mod, %s value is invalid: %s is no 64-bit integer", what, value.Text(r.Value))
		}
	}
	switch {
	case n < 2:
		return nil, value.Errorf(value.BadValue, "malformed mod, not enough elements")
	case args[0] == 0:
		return nil, value.Errorf(value.BadValue, "divisor cannot be 0")
	}
	return &modulo{divisor: args[0], remainder: args[1]}, nil
}

func newSize(v bsoncore.Value) (pred, error) {
	n, exact := value.Int(v)
	switch {
	case !value.IsNumber(v.Type):
		return nil, value.Errorf(value.BadValue, "Failed to parse $size. Expected a number in: $size: %s", value.Text(v))
	case !exact:
		return nil, value.Errorf(value.BadValue, "Failed to parse $size. Expected an integer: $size: %s", value.Text(v))
	case n < 0:
		return nil, value.Errorf(value.BadValue, "Failed to parse $size. Expected a non-negative number in: $size: %s", value.Text(v))
	}
	return &hasSize{size: n}, nil
}

// newElemMatch reads $elemMatch. Operators are for the element itself, but for those that filters have at their top.
func newElemMatch(v bsoncore.Value) (pred, error) {
	if v.Type != value.Document {
		return nil, value.Errorf(value.BadValue, "$elemMatch needs an Object")
	}
	r := value.Read(v.Data)
	if operators(v.Data) && r.Next() {
		switch string(r.Name) {
		case "$and", "$or", "$nor", "$comment", "$where", "$expr", "$text", "$jsonSchema":
		default:
			conds, err := parseOperators(v.Data)
			if err != nil {
				return nil, err
			}
			return &elemMatch{each: allOf(conds)}, nil
		}
	}
	n, err := parse(v.Data)
	if err != nil {
		return nil, err
	}
	return &elemFilter{node: n}, nil
}

func parseAll(v bsoncore.Value) ([]cond, error) {
	if v.Type != value.Array {
		return nil, value.Errorf(value.BadValue, "$all needs an array")
	}
	var conds []cond
	elems := 0
	for r := value.Read(v.Data); r.Next(); {
		e := r.Value
		if e.Type == value.Document && operators(e.Data) {
			first := value.Read(e.Data)
			first.Next()
			if string(first.Name) != "$elemMatch" {
				return nil, value.Errorf(value.BadValue, "no $ expressions in $all")
			}
			if elems++; elems != len(conds)+1 {
				return nil, value.Errorf(value.BadValue, "$all/$elemMatch has to be consistent")
			}
			p, err := newElemMatch(first.Value)
			if err != nil {
				return nil, err
			}
			conds = append(conds, cond{pred: p})
			continue
		}
		if elems > 0 {
			return nil, value.Errorf(value.BadValue, "$all/$elemMatch has to be consistent")
		}
		c, err := parseOperand(e)
		if err != nil {
			return nil, err
		}
		conds = append(conds, c...)
	}
	if conds == nil {
		conds = []cond{{pred: never{}}}
	}
	return conds, nil
}

func parseNot(v bsoncore.Value) ([]cond, error) {
	var inner []cond
	var err error
	switch {
	case v.Type == value.Regex:
		inner, err = parseOperand(v)
	case v.Type != value.Document:
		return nil, value.Errorf(value.BadValue, "$not needs a regex or a document")
	case len(v.Data) <= 5:
		return nil, value.Errorf(value.BadValue, "$not cannot be empty")
	default:
		inner, err = parseOperators(v.Data)
	}
	if err != nil {
		return nil, err
	}
	return []cond{{not: inner}}, nil
}
