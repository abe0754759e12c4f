package agg

import (
	"bytes"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/build"
	"github.com/skshohagmiah/flin/docd/doc/internal/expr"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeGroupObject  = 15947
	codeGroupID      = 15955
	codeGroupIDTwice = 15948
	codeGroupUnknown = 15952
	codeFieldObject  = 40234
	codeFieldDot     = 40235
	codeFieldDollar  = 40236
	codeFieldUnary   = 40237
	codeFieldOne     = 40238

	sizeOfEntry = 64 // bytes of an entry of a map, about
)

// group is $group.
type group struct {
	id     *expr.Expr
	wraps  bool // the _id is a document with what id gives as its only field
	name   string
	fields []groupField
}

type groupField struct {
	name string
	make func() accumulator
	expr *expr.Expr
}

func compileGroup(_ string, v bsoncore.Value) ([]stage, error) {
	if v.Type != value.Document {
		return nil, value.Errorf(codeGroupObject, "a group's fields must be specified in an object")
	}
	g := &group{}
	for r := value.Read(v.Data); r.Next(); {
		name := string(r.Name)
		if name == "_id" {
			if g.id != nil {
				return nil, value.Errorf(codeGroupIDTwice, "a group's _id may only be specified once")
			}
			if err := g.compileID(r.Value); err != nil {
				return nil, err
			}
			continue
		}
		f, err := compileField(name, r.Value)
		if err != nil {
			return nil, err
		}
		g.fields = append(g.fields, f)
	}
	if g.id == nil {
		return nil, value.Errorf(codeGroupID, "a group specification must include an _id")
	}
	return []stage{g}, nil
}

// compileID compiles an _id. Of a document with one field the field is what counts, so that it is null where it is missing, as it
// would be without the document. Among several fields a missing one is left out.
func (s *group) compileID(v bsoncore.Value) (err error) {
	if s.id, err = expr.Compile(v); err != nil || v.Type != value.Document {
		return err
	}
	r := value.Read(v.Data)
	if !r.Next() || strings.HasPrefix(string(r.Name), "$") {
		return nil
	}
	name, only := string(r.Name), r.Value
	if r.Next() {
		return nil
	}
	s.wraps, s.name = true, name
	s.id, err = expr.Compile(only)
	return err
}

func compileField(name string, v bsoncore.Value) (f groupField, err error) {
	switch {
	case strings.Contains(name, "."):
		return f, value.Errorf(codeFieldDot, "The field name '%s' cannot contain '.'", name)
	case strings.HasPrefix(name, "$"):
		return f, value.Errorf(codeFieldDollar, "The field name '%s' cannot be an operator name", name)
	}
	r := value.Read(v.Data)
	if v.Type != value.Document || !r.Next() || len(r.Name) == 0 || r.Name[0] != '$' {
		return f, value.Errorf(codeFieldObject, "The field '%s' must be an accumulator object", name)
	}
	of, operand := string(r.Name), r.Value
	if r.Next() {
		return f, value.Errorf(codeFieldOne, "The field '%s' must specify one accumulator", name)
	}
	made, ok := accumulators[of]
	switch {
	case !ok:
		return f, value.Errorf(codeGroupUnknown, "unknown group operator '%s'", of)
	case of == "$count":
		if operand.Type != value.Document || value.Compare(operand, value.OfDocument(emptyDocument)) != 0 {
			return f, value.Errorf(value.TypeMismatch, "$count takes no arguments, i.e. $count:{}")
		}
		operand = value.OfInt32(1)
	case operand.Type == value.Array:
		return f, value.Errorf(codeFieldUnary, "The %s accumulator is a unary operator", of)
	}
	e, err := expr.Compile(operand)
	return groupField{name, made, e}, err
}

// emptyDocument is only read.
var emptyDocument = []byte{5, 0, 0, 0, 0}

// bucket is one group.
type bucket struct {
	id   bsoncore.Value
	accs []accumulator
}

// grouping is a run of $group.
type grouping struct {
	*group
	budget
	buckets []bucket // in the order of their first documents
	places  map[string]int
	scratch expr.Scratch
	key     []byte
}

func (s *group) run(env *Env, src Docs) Docs {
	return func(yield func(bsoncore.Document, error) bool) {
		g := grouping{group: s, budget: env.budget("$group"), places: map[string]int{}}
		defer g.end()
		for doc, err := range src {
			if err == nil {
				err = g.add(doc)
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
		var out []byte
		for i := range g.buckets {
			out = g.document(out[:0], &g.buckets[i])
			if err := checkSize("$group", out); err != nil {
				yield(nil, err)
				return
			}
			if !yield(out, nil) {
				return
			}
		}
	}
}

func (g *grouping) add(doc bsoncore.Document) error {
	g.scratch.Reset()
	b, err := g.bucket(doc)
	if err != nil {
		return err
	}
	for i := range g.fields {
		v, err := g.fields[i].expr.Eval(&g.scratch, doc)
		if err != nil {
			return err
		}
		if grew := b.accs[i].add(v); grew != 0 {
			if err := g.take(grew); err != nil {
				return err
			}
		}
	}
	return nil
}

// bucket returns the group of a document. What has no _id is in the group of null.
func (g *grouping) bucket(doc bsoncore.Document) (*bucket, error) {
	id, err := g.id.Eval(&g.scratch, doc)
	if err != nil {
		return nil, err
	}
	if id.Type == 0 {
		id.Type = value.Null
	}
	g.key = value.AppendKey(g.key[:0], id, false)
	if i, ok := g.places[string(g.key)]; ok {
		return &g.buckets[i], nil
	}
	if err := g.take(len(g.key) + len(g.name) + len(id.Data) + sizeOfEntry + len(g.fields)*sizeOfAccumulator); err != nil {
		return nil, err
	}
	b := bucket{id: g.kept(id), accs: make([]accumulator, len(g.fields))}
	for i := range g.fields {
		b.accs[i] = g.fields[i].make()
	}
	g.places[string(g.key)] = len(g.buckets)
	g.buckets = append(g.buckets, b)
	return &g.buckets[len(g.buckets)-1], nil
}

// kept is a copy of an _id as it comes out.
func (g *grouping) kept(id bsoncore.Value) bsoncore.Value {
	if !g.wraps {
		id.Data = bytes.Clone(id.Data)
		return id
	}
	at, doc := value.Begin(nil)
	return value.OfDocument(value.End(value.AppendElement(doc, g.name, id), at))
}

func (g *grouping) document(dst []byte, b *bucket) []byte {
	at, dst := value.Begin(dst)
	dst = value.AppendElement(dst, "_id", b.id)
	for i := range g.fields {
		head := len(dst)
		dst = build.Head(dst, 0, g.fields[i].name)
		var t bsoncore.Type
		dst, t = b.accs[i].result(dst)
		dst[head] = byte(t)
	}
	return value.End(dst, at)
}
