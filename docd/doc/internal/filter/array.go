package filter

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// whole is embedded in conditions on arrays as wholes.
type whole struct{}

func (whole) spreads() bool { return false }

// finder is a condition that an element of an array meets.
type finder interface {
	find(v bsoncore.Value) int // the first position, -1 for none
}

// hasSize is $size.
type hasSize struct {
	whole
	size int64
}

func (p *hasSize) test(v bsoncore.Value) bool {
	if v.Type != value.Array {
		return false
	}
	n := int64(0)
	for r := value.Read(v.Data); r.Next() && n <= p.size; {
		n++
	}
	return n == p.size
}

// elemMatch is $elemMatch with operators: one element meets all of them.
type elemMatch struct {
	whole
	each pred
}

func (p *elemMatch) test(v bsoncore.Value) bool { return p.find(v) >= 0 }

func (p *elemMatch) find(v bsoncore.Value) int {
	if v.Type != value.Array {
		return -1
	}
	i := 0
	for r := value.Read(v.Data); r.Next(); i++ {
		if p.each.test(r.Value) {
			return i
		}
	}
	return -1
}

// elemFilter is $elemMatch with a filter for elements that are documents, or arrays with their positions for names.
type elemFilter struct {
	whole
	node node
}

func (p *elemFilter) test(v bsoncore.Value) bool { return p.find(v) >= 0 }

func (p *elemFilter) find(v bsoncore.Value) int {
	if v.Type != value.Array {
		return -1
	}
	i := 0
	for r := value.Read(v.Data); r.Next(); i++ {
		if t := r.Value.Type; (t == value.Document || t == value.Array) && p.node.match(r.Value.Data, nil) {
			return i
		}
	}
	return -1
}
