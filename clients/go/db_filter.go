package flin

import (
	"regexp"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Operator compares a field of a document with a value. A path with dots goes into documents; a field that holds an array matches
// if one of its elements does, or all of it. Values of different kinds are never greater or less than each other; nil is what is
// null or missing.
type Operator uint8

// The operators of Where.
const (
	Eq         Operator = iota + 1
	Ne                  // also matches where there is no such field
	Gt                  // greater
	Gte                 // greater or equal
	Lt                  // less
	Lte                 // less or equal
	In                  // the value is a slice: equal to one of its elements
	NotIn               // the value is a slice: equal to none of its elements, or there is no such field
	Contains            // a string that has this string in it; of a value that is no string: an array with this element
	StartsWith          // a string that begins with this one
	Exists              // true: there is such a field; false: there is none
	Regex               // a string that matches an expression: a string, a *regexp.Regexp or mongo-driver's bson.Regex
)

var operators = [...]string{Eq: "$eq", Ne: "$ne", Gt: "$gt", Gte: "$gte", Lt: "$lt", Lte: "$lte", In: "$in", NotIn: "$nin", Exists: "$exists"}

// Condition is a filter, or a part of one.
type Condition struct {
	path  string
	op    Operator
	value any
	group string // $and, $or, $nor: of parts
	parts []Condition
	doc   any // with neither path nor group: a filter document
}

// Where is the condition that a field compares so with a value.
func Where(path string, op Operator, value any) Condition {
	return Condition{path: path, op: op, value: value}
}

// And is met when all of the conditions are.
func And(conditions ...Condition) Condition { return Condition{group: "$and", parts: conditions} }

// Or is met when at least one of the conditions is.
func Or(conditions ...Condition) Condition { return Condition{group: "$or", parts: conditions} }

// Not is met when none of the conditions is.
func Not(conditions ...Condition) Condition { return Condition{group: "$nor", parts: conditions} }

// FilterDoc is a filter in MongoDB's language.
func FilterDoc(doc any) Condition { return Condition{doc: doc} }

// appendFilter appends the filter that all conditions make together; without any nothing, which matches everything.
func appendFilter(b []byte, conditions []Condition) (_ []byte, err error) {
	if len(conditions) == 0 {
		return b, nil
	}
	if len(conditions) == 1 && conditions[0].bare() {
		return appendDoc(b, conditions[0].doc, 0)
	}
	at := len(b)
	b = beginDoc(b)
	if !apart(conditions) {
		if b, err = appendGroup(b, "$and", conditions); err != nil {
			return b, err
		}
		return endDoc(b, at), nil
	}
	for i := range conditions {
		if b, err = conditions[i].append(b); err != nil {
			return b, err
		}
	}
	return endDoc(b, at), nil
}

// emptyDoc is how long a document without fields is.
const emptyDoc = 5

// bare reports whether the condition is a whole document, not a field of one.
func (c *Condition) bare() bool { return c.op == 0 && c.group == "" && c.path == "" }

// key is the field of a filter that the condition is.
func (c *Condition) key() string {
	if c.group != "" {
		return c.group
	}
	return c.path
}

// apart reports whether the conditions can be the fields of one document: all are fields, of different names.
func apart(conditions []Condition) bool {
	const few = 16 // beyond it they are not compared
	if len(conditions) > few {
		return false
	}
	for i := range conditions {
		if conditions[i].bare() {
			return false
		}
		for j := range i {
			if conditions[i].key() == conditions[j].key() {
				return false
			}
		}
	}
	return true
}

// appendGroup appends a field that is a list of filters.
func appendGroup(b []byte, name string, conditions []Condition) (_ []byte, err error) {
	b = appendHead(b, bson.TypeArray, name)
	at := len(b)
	b = beginDoc(b)
	for i := range conditions {
		b = appendHead(b, bson.TypeEmbeddedDocument, strconv.Itoa(i))
		if b, err = appendFilter(b, conditions[i:i+1]); err != nil {
			return b, err
		}
	}
	return endDoc(b, at), nil
}

// append appends the condition as a field of a filter.
func (c *Condition) append(b []byte) (_ []byte, err error) {
	if c.group != "" {
		return appendGroup(b, c.group, c.parts)
	}
	start := len(b)
	if c.op == Eq {
		if b, err = appendField(b, c.path, c.value, 0); err != nil {
			return b, err
		}
		switch bson.Type(b[start]) {
		case bson.TypeEmbeddedDocument, bson.TypeRegex: // they could be taken for operators
			b = b[:start]
		default:
			return b, nil
		}
	}
	b = appendHead(b, bson.TypeEmbeddedDocument, c.path)
	at := len(b)
	if b, err = c.appendOperator(beginDoc(b)); err != nil {
		return b, err
	}
	return endDoc(b, at), nil
}

// appendOperator appends what stands in the document of operators of a field.
func (c *Condition) appendOperator(b []byte) ([]byte, error) {
	start := len(b)
	switch c.op {
	case Eq, Ne, Gt, Gte, Lt, Lte:
		return appendField(b, operators[c.op], c.value, 1)
	case In, NotIn:
		b, err := appendField(b, operators[c.op], c.value, 1)
		if err == nil && bson.Type(b[start]) != bson.TypeArray {
			err = invalid("field %q: In and NotIn take a slice, not a %T", c.path, c.value)
		}
		return b, err
	case Exists:
		if _, ok := c.value.(bool); !ok {
			return b, invalid("field %q: Exists takes true or false, not a %T", c.path, c.value)
		}
		return appendField(b, operators[c.op], c.value, 1)
	case Contains:
		text, ok := c.value.(string)
		if !ok {
			return appendField(b, "$elemMatch", D{{Key: "$eq", Value: c.value}}, 1)
		}
		return appendField(b, "$regex", regexp.QuoteMeta(text), 1)
	case StartsWith:
		text, ok := c.value.(string)
		if !ok {
			return b, invalid("field %q: StartsWith takes a string, not a %T", c.path, c.value)
		}
		return appendField(b, "$regex", "^"+regexp.QuoteMeta(text), 1)
	case Regex:
		switch e := c.value.(type) {
		case string:
			return appendField(b, "$regex", e, 1)
		case *regexp.Regexp:
			return appendField(b, "$regex", e.String(), 1)
		case bson.Regex:
			return appendField(b, "$regex", e, 1)
		}
		return b, invalid("field %q: Regex takes a string, a *regexp.Regexp or a bson.Regex, not a %T", c.path, c.value)
	}
	return b, invalid("field %q: there is no operator %d", c.path, c.op)
}
