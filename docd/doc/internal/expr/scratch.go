package expr

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/build"
	"github.com/skshohagmiah/flin/docd/doc/internal/number"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	maxDepth = 100      // of an expression, and of what $reduce may build
	maxValue = 16 << 20 // bytes of one value
	maxArena = 64 << 20 // bytes of all that is made for one document
	maxSteps = 1 << 24  // work for one document: operators run and pieces of 64 bytes looked at, about a second
)

// Scratch is the memory of an evaluation: whatever an expression makes lies in it. The zero Scratch is ready. It belongs
// to one goroutine.
type Scratch struct {
	root  bsoncore.Value
	vars  []bsoncore.Value // by slot
	stack []bsoncore.Value // arguments and elements that wait to be used
	arena []byte           // only grows, so what lies in it stays where it is
	steps int
}

// Reset gives up all values made so far. The memory is kept, unless it became large.
func (s *Scratch) Reset() {
	s.arena = s.arena[:0]
	if cap(s.arena) > 1<<20 {
		s.arena = nil
	}
}

// work counts what is done with so many bytes, so that nested loops over long arrays come to an end.
func (s *Scratch) work(bytes int) error {
	if s.steps += 1 + bytes>>6; s.steps > maxSteps {
		return value.Errorf(value.BadValue, "the expression takes over %d steps for one document: loop over shorter arrays, or filter them before", maxSteps)
	}
	return nil
}

// made returns the value of the arena's bytes from start on, if it is within the limits.
func (s *Scratch) made(t bsoncore.Type, start int) (bsoncore.Value, error) {
	n := len(s.arena)
	switch {
	case n-start > maxValue:
		return Missing, value.Errorf(value.BSONObjectTooLarge, "the expression makes a value of %d bytes, over the limit of %d: make it of fewer or shorter parts", n-start, maxValue)
	case n > maxArena:
		return Missing, value.Errorf(value.MemoryLimit, "the expression makes over %d bytes of values for one document: make fewer or shorter ones", maxArena)
	}
	return bsoncore.Value{Type: t, Data: s.arena[start:n:n]}, nil
}

func (s *Scratch) number(n number.Number) (bsoncore.Value, error) {
	start := len(s.arena)
	s.arena = n.Append(s.arena)
	return s.made(n.Type, start)
}

func (s *Scratch) int(n int) (bsoncore.Value, error) { return s.number(number.Int(int64(n))) }

// beginText makes room for the length of a string, whose bytes the caller appends to the arena.
func (s *Scratch) beginText() (start int) {
	start = len(s.arena)
	s.arena = append(s.arena, 0, 0, 0, 0)
	return start
}

func (s *Scratch) endText(start int) (bsoncore.Value, error) {
	s.arena = append(s.arena, 0)
	s.arena = bsoncore.UpdateLength(s.arena, int32(start), int32(len(s.arena)-start-4))
	return s.made(value.String, start)
}

func text[S ~string | ~[]byte](s *Scratch, b S) (bsoncore.Value, error) {
	start := s.beginText()
	s.arena = append(s.arena, b...)
	return s.endText(start)
}

// array makes an array of the stack's values from mark on and takes them off. What is missing becomes null.
func (s *Scratch) array(mark int) (bsoncore.Value, error) {
	var start int
	start, s.arena = value.Begin(s.arena)
	for i, v := range s.stack[mark:] {
		if v.Type == 0 {
			v = null
		}
		if s.arena = build.Item(s.arena, i, v); len(s.arena)-start > maxValue {
			break
		}
	}
	s.stack = s.stack[:mark]
	s.arena = value.End(s.arena, start)
	return s.made(value.Array, start)
}

// Values that need no memory of their own. Nobody writes to them.
var (
	null     = bsoncore.Value{Type: value.Null}
	trueVal  = bsoncore.Value{Type: value.Boolean, Data: []byte{1}}
	falseVal = bsoncore.Value{Type: value.Boolean, Data: []byte{0}}
)

func boolean(b bool) bsoncore.Value {
	if b {
		return trueVal
	}
	return falseVal
}

// nullish reports null, undefined or missing, which make most operators null.
func nullish(v bsoncore.Value) bool {
	return v.Type == 0 || v.Type == value.Null || v.Type == value.Undefined
}

// Compare is value.Compare for values that may be missing: that is as undefined, over MinKey and under null.
func Compare(a, b bsoncore.Value) int {
	if a.Type == 0 {
		a.Type = value.Undefined
	}
	if b.Type == 0 {
		b.Type = value.Undefined
	}
	return value.Compare(a, b)
}
