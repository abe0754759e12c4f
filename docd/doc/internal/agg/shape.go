package agg

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/build"
	"github.com/skshohagmiah/flin/docd/doc/internal/expr"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// mode says what happens to fields that a shape does not name.
type mode uint8

const (
	including mode = iota // they go
	excluding             // they stay
	adding                // they stay, and others are added
)

// shape is a tree of fields: what a stage makes of each of them.
type shape struct {
	name     string
	expr     *expr.Expr // computes the field
	given    int        // the field is this one of the values that the stage brings, if not 0
	leaf     bool       // the field stays or goes, by the mode
	drop     bool       // the field goes: _id in an inclusion
	children []*shape
	places   map[string]int // of children by name, once there are many
	computes bool           // something at or below it brings a new value
}

const fewChildren = 8

func find[S ~string | ~[]byte](s *shape, name S) int {
	if s.places != nil {
		if i, ok := s.places[string(name)]; ok {
			return i
		}
		return -1
	}
	for i, c := range s.children {
		if c.name == string(name) {
			return i
		}
	}
	return -1
}

// finish notes what can be known beforehand.
func (s *shape) finish() {
	s.computes, s.places = s.expr != nil || s.given != 0, nil
	if len(s.children) > fewChildren {
		s.places = make(map[string]int, len(s.children))
	}
	for i, c := range s.children {
		c.finish()
		s.computes = s.computes || c.computes
		if s.places != nil {
			s.places[c.name] = i
		}
	}
}

// nested reports that the shape is for fields below its own.
func (s *shape) nested() bool { return len(s.children) > 0 }

// shaper applies a shape to documents, with memory of its own.
type shaper struct {
	mode    mode
	scratch expr.Scratch
	root    bsoncore.Document
	given   []bsoncore.Value // from 1 on
	buf     []byte
}

// apply returns the document's new shape, valid until the next.
func (a *shaper) apply(stage string, s *shape, doc bsoncore.Document) (bsoncore.Document, error) {
	a.scratch.Reset()
	a.root = doc
	var err error
	if a.buf, err = a.document(a.buf[:0], s, doc); err != nil {
		return nil, err
	}
	return a.buf, checkSize(stage, a.buf)
}

func (a *shaper) document(dst []byte, s *shape, doc []byte) ([]byte, error) {
	at, dst := value.Begin(dst)
	var room [4]uint64
	met := append(room[:0], make([]uint64, (len(s.children)+63)/64)...)
	for r := value.Read(doc); r.Next(); {
		i := find(s, r.Name)
		if i < 0 || met[i/64]>>(i%64)&1 != 0 {
			if a.mode != including {
				dst = value.AppendElement(dst, r.Name, r.Value)
			}
			continue
		}
		var err error
		var done bool
		if dst, done, err = a.present(dst, s.children[i], r.Value); err != nil {
			return dst, err
		}
		if done {
			met[i/64] |= 1 << (i % 64)
		}
	}
	for i, c := range s.children {
		if !c.computes || met[i/64]>>(i%64)&1 != 0 {
			continue
		}
		head := len(dst)
		dst = build.Head(dst, 0, c.name)
		var t bsoncore.Type
		var err error
		if dst, t, err = a.fresh(dst, c); err != nil {
			return dst, err
		}
		if t == 0 {
			dst = dst[:head]
			continue
		}
		dst[head] = byte(t)
		if err := tooLong(dst); err != nil {
			return dst, err
		}
	}
	return value.End(dst, at), nil
}

// tooLong stops a document that grows far beyond what is allowed, before it is finished.
func tooLong(dst []byte) error {
	if len(dst) <= 2*value.MaxSize {
		return nil
	}
	return checkSize("a stage", dst)
}

// present appends what becomes of a field that is there. done is false if its value is new and comes behind the others.
func (a *shaper) present(dst []byte, c *shape, v bsoncore.Value) (out []byte, done bool, err error) {
	switch {
	case c.drop:
		return dst, true, nil
	case c.leaf && a.mode == including:
		return value.AppendElement(dst, c.name, v), true, nil
	case c.leaf:
		return dst, true, nil
	case a.mode == including && (!c.nested() || c.computes && v.Type != value.Document && v.Type != value.Array):
		return dst, false, nil
	}
	head := len(dst)
	dst = build.Head(dst, 0, c.name)
	var t bsoncore.Type
	if c.nested() {
		dst, t, err = a.below(dst, c, v)
	} else {
		dst, t, err = a.fresh(dst, c)
	}
	if err != nil || t == 0 {
		return dst[:head], true, err
	}
	dst[head] = byte(t)
	return dst, true, nil
}

// below appends a value with what a nested shape makes of it: arrays element by element. A type of 0 says that nothing
// is left.
func (a *shaper) below(dst []byte, s *shape, v bsoncore.Value) ([]byte, bsoncore.Type, error) {
	switch {
	case v.Type == value.Document:
		dst, err := a.document(dst, s, v.Data)
		return dst, v.Type, err
	case v.Type != value.Array && s.computes:
		return a.fresh(dst, s)
	case v.Type != value.Array && a.mode == including:
		return dst, 0, nil
	case v.Type != value.Array:
		return append(dst, v.Data...), v.Type, nil
	}
	at, dst := value.Begin(dst)
	n := 0
	for r := value.Read(v.Data); r.Next(); {
		head := len(dst)
		dst = build.ItemHead(dst, n, 0)
		var t bsoncore.Type
		var err error
		if dst, t, err = a.below(dst, s, r.Value); err != nil {
			return dst, 0, err
		}
		if t == 0 {
			dst = dst[:head]
			continue
		}
		dst[head] = byte(t)
		n++
		if err := tooLong(dst); err != nil {
			return dst, 0, err
		}
	}
	return value.End(dst, at), value.Array, nil
}

// fresh appends a new value where there was none, or none that counts. A type of 0 says that it is missing.
func (a *shaper) fresh(dst []byte, s *shape) ([]byte, bsoncore.Type, error) {
	switch {
	case s.given != 0:
		v := a.given[s.given]
		return append(dst, v.Data...), v.Type, nil
	case s.expr != nil:
		v, err := s.expr.Eval(&a.scratch, a.root)
		return append(dst, v.Data...), v.Type, err
	}
	dst, err := a.document(dst, s, nil)
	return dst, value.Document, err
}

// shaped is a stage that gives each document another shape.
type shaped struct {
	name  string
	mode  mode
	shape *shape
}

func (s *shaped) run(_ *Env, src Docs) Docs {
	a := shaper{mode: s.mode}
	return each(src, func(doc bsoncore.Document) (bsoncore.Document, bool, error) {
		out, err := a.apply(s.name, s.shape, doc)
		return out, true, err
	})
}
