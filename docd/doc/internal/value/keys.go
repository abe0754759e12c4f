package value

import (
	"bytes"
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// What one document may add to one index.
const (
	MaxIndexKeys     = 100_000
	MaxIndexKeyBytes = 64 << 20
)

// KeyField is a field of an index or of a sort: its path, and whether it is descending.
type KeyField struct {
	Path string
	Desc bool
}

// Shape says how the keys of a document came about.
type Shape struct {
	Multikey bool // an array was on the way of at least one path, or at its end
	Missing  bool // none of the fields exists: a sparse index leaves the document out
}

// Keyer makes index keys. It keeps its memory from one document to the next, so each has one user at a time. The zero
// Keyer is ready.
//
// A key is that of each field, in turn. A field that is missing gives null. An array at the end of a path gives each of its
// elements, an empty one undefined; an array on the way gives what each of its elements gives, an element that is no
// document and an empty array null. Two fields of an index may go through the same array, and then stay together element
// by element; two arrays beside each other are refused. A component that is a number takes the array's element at that
// position alone, which is refused where one of the elements has a field of that name.
//
// Every value that a filter's path finds in the document is in some key, but for arrays as wholes. On a multikey index two
// conditions on one field, or on fields below the same array, may be met by two different keys.
type Keyer struct {
	buf    []byte
	keys   []span
	fields []KeyField
	shape  Shape
	least  bool // only the least key is wanted
	best   []ranked
}

// ranked is what the least key so far has for a field, and how it compares with what the last key had there. Most fields have the
// same value in many keys, and only where it changes it is compared: what is long is not gone through again for each element of an
// array beside it.
type ranked struct {
	v     bsoncore.Value
	last  bsoncore.Value
	order int // of last, beside v
}

type span struct{ from, to int }

// state is how far one field has got: at a value, with a path still to go or not.
type state struct {
	v    bsoncore.Value
	path string
	done bool // v is what the index gets, even where it is an array
}

// Keys calls fn for each key of a document, in order, each once. A key is valid until Keys is called again.
func (k *Keyer) Keys(doc bsoncore.Document, fields []KeyField, fn func(key []byte)) (Shape, error) {
	k.least = false
	if err := k.start(doc, fields); err != nil {
		return k.shape, err
	}
	if len(k.keys) == 1 {
		fn(k.buf)
		return k.shape, nil
	}
	slices.SortFunc(k.keys, func(a, b span) int { return bytes.Compare(k.buf[a.from:a.to], k.buf[b.from:b.to]) })
	var last []byte
	for i, s := range k.keys {
		key := k.buf[s.from:s.to:s.to]
		if i == 0 || !bytes.Equal(last, key) {
			fn(key)
		}
		last = key
	}
	return k.shape, nil
}

// Least appends the least of a document's keys: what a sort on the fields goes by. There is no limit on how many there
// are, and with one field there is no error: a number in a path is a position even if it could be a name.
func (k *Keyer) Least(dst []byte, doc bsoncore.Document, fields []KeyField) ([]byte, error) {
	k.least = true
	if err := k.start(doc, fields); err != nil {
		return dst, err
	}
	for i := range k.best {
		dst = AppendKey(dst, k.best[i].v, fields[i].Desc)
	}
	return dst, nil
}

func (k *Keyer) start(doc bsoncore.Document, fields []KeyField) error {
	k.buf, k.keys, k.best, k.fields, k.shape = k.buf[:0], k.keys[:0], k.best[:0], fields, Shape{Missing: true}
	var room [8]state
	states := room[:0]
	for i := range fields {
		states = append(states, state{v: OfDocument(doc), path: fields[i].Path})
	}
	return k.expand(states)
}

// Keys is Keyer.Keys for one document.
func Keys(doc bsoncore.Document, fields []KeyField, fn func(key []byte)) (Shape, error) {
	var k Keyer
	return k.Keys(doc, fields, fn)
}

// expand brings each field to its end or to an array, and goes through that array, if there is one, for all of them.
func (k *Keyer) expand(states []state) error {
	array := -1
	for i := range states {
		s := &states[i]
		if err := s.descend(k.least); err != nil {
			return err
		}
		if !s.atArray() {
			continue
		}
		if array >= 0 && !sameBytes(s.v.Data, states[array].v.Data) {
			return Errorf(CannotIndexParallelArrays, "cannot index parallel arrays [%s] [%s]: at most one field of an index may be an array",
				k.fields[i].Path, k.fields[array].Path)
		}
		if array < 0 {
			array = i
		}
	}
	if array < 0 {
		return k.emit(states)
	}
	k.shape.Multikey = true
	return k.expandArray(states, states[array].v.Data)
}

// atArray reports whether a field is at an array that is to be gone through.
func (s *state) atArray() bool { return !s.done && s.v.Type == Array }

// expandArray goes through the elements of an array for all fields that are at it.
func (k *Keyer) expandArray(states []state, whole []byte) error {
	var room [8]state
	next := append(room[:0], states...)
	none := true
	for r := Read(whole); r.Next(); none = false {
		for i := range states {
			next[i] = states[i]
			if states[i].atArray() {
				next[i] = states[i].element(r.Value)
			}
		}
		if err := k.expand(next); err != nil {
			return err
		}
	}
	if !none {
		return nil
	}
	for i := range states {
		if s := &states[i]; s.atArray() {
			next[i] = state{done: true}
			if s.path == "" {
				next[i].v.Type = Undefined
			}
		}
	}
	return k.emit(next)
}

// element returns the state of a field whose path goes into an array's element or ends at it.
func (s *state) element(v bsoncore.Value) state {
	switch {
	case s.path == "":
		return state{v: v, done: true}
	case v.Type == Document:
		return state{v: v, path: s.path}
	}
	return state{done: true}
}

// descend goes down documents, and into arrays by number, until the end of the path or an array.
func (s *state) descend(lenient bool) error {
	for !s.done {
		switch {
		case s.v.Type == Array && s.path != "":
			first, rest, _ := Cut(s.path)
			n, numbered := Index(first)
			if !numbered {
				return nil
			}
			if !lenient {
				if err := unambiguous(s.v.Data, first); err != nil {
					return err
				}
			}
			s.v, _ = At(s.v.Data, n)
			s.path = rest
		case s.v.Type == Array:
			return nil
		case s.v.Type == Document && s.path != "":
			first, rest, more := Cut(s.path)
			s.v, _ = Get(s.v.Data, first)
			s.path = rest
			s.done = !more && s.v.Type != Array
		case s.path != "":
			s.v, s.done = bsoncore.Value{}, true
		default:
			s.done = true
		}
	}
	return nil
}

func unambiguous(array []byte, name string) error {
	for r := Read(array); r.Next(); {
		if r.Value.Type != Document {
			continue
		}
		if _, ok := Get(r.Value.Data, name); ok {
			return Errorf(AmbiguousIndexField, "Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '%s'", name)
		}
	}
	return nil
}

// emit adds the key of states that are all at their ends.
func (k *Keyer) emit(states []state) error {
	if k.least {
		k.rank(states)
		return nil
	}
	from := len(k.buf)
	for i := range states {
		if states[i].v.Type != Missing {
			k.shape.Missing = false
		}
		k.buf = AppendKey(k.buf, orNull(states[i].v), k.fields[i].Desc)
	}
	k.keys = append(k.keys, span{from, len(k.buf)})
	if len(k.keys) > MaxIndexKeys || len(k.buf) > MaxIndexKeyBytes {
		return Errorf(CannotBuildIndexKeys, "a document gives more than %d keys, or %d bytes of keys, to one index: index a smaller array", MaxIndexKeys, MaxIndexKeyBytes)
	}
	return nil
}

// rank keeps the states that are all at their ends if their key is the least so far. It compares the values themselves, which is the
// order of their keys.
func (k *Keyer) rank(states []state) {
	if len(k.best) > 0 && !k.before(states) {
		return
	}
	k.best = k.best[:0]
	for i := range states {
		v := orNull(states[i].v)
		k.best = append(k.best, ranked{v: v, last: v})
	}
}

// before reports whether the key of states is before the least so far.
func (k *Keyer) before(states []state) bool {
	for i := range k.best {
		b, v := &k.best[i], orNull(states[i].v)
		if !same(v, b.last) {
			b.last, b.order = v, Compare(v, b.v)
			if k.fields[i].Desc {
				b.order = -b.order
			}
		}
		if b.order != 0 {
			return b.order < 0
		}
	}
	return false
}

// orNull returns a value, null for one that is missing.
func orNull(v bsoncore.Value) bsoncore.Value {
	if v.Type == Missing {
		v.Type = Null
	}
	return v
}

// same reports whether two values are the same place in memory, or have nothing but their type.
func same(a, b bsoncore.Value) bool {
	return a.Type == b.Type && len(a.Data) == len(b.Data) && (len(a.Data) == 0 || &a.Data[0] == &b.Data[0])
}

// sameBytes reports whether two arrays, which are never without bytes, are the same place in memory: not two that happen
// to be equal.
func sameBytes(a, b []byte) bool {
	return len(a) == len(b) && &a[0] == &b[0]
}
