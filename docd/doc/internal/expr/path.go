package expr

import (
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeBareDollar = 16872
	codeNoVariable = 17276
)

// fieldPath is "$a.b".
type fieldPath struct{ parts []string }

func (n *fieldPath) String() string { return strings.Join(n.parts, ".") }

func (n *fieldPath) eval(s *Scratch) (bsoncore.Value, error) { return s.walk(s.root, n.parts) }

// variable is "$$name.a.b".
type variable struct {
	slot  int
	parts []string
}

func (n *variable) eval(s *Scratch) (bsoncore.Value, error) { return s.follow(s.vars[n.slot], n.parts) }

// whole is $$ROOT.
type whole struct{}

func (whole) eval(s *Scratch) (bsoncore.Value, error) { return s.root, nil }

// path compiles a string that begins with a dollar.
func (c *compiler) path(s string) (node, error) {
	if !strings.HasPrefix(s, "$$") {
		if s == "$" {
			return nil, value.Errorf(codeBareDollar, "'$' by itself is not a valid FieldPath")
		}
		parts, err := SplitPath(s[1:])
		return &fieldPath{parts}, err
	}
	name, rest, dotted := strings.Cut(s[2:], ".")
	var parts []string
	if dotted {
		var err error
		if parts, err = SplitPath(rest); err != nil {
			return nil, err
		}
	}
	for slot, known := range slices.Backward(c.scope) {
		if known == name {
			return &variable{slot, parts}, nil
		}
	}
	switch {
	case name == "REMOVE":
		return &literal{Missing}, nil
	case name != "ROOT" && name != "CURRENT":
		return nil, value.Errorf(codeNoVariable, "Use of undefined variable: %s", name)
	case dotted:
		return &fieldPath{parts}, nil
	}
	return whole{}, nil
}

// SplitPath splits a dotted path and checks its parts: none is empty or begins with a dollar.
func SplitPath(path string) ([]string, error) {
	if strings.HasSuffix(path, ".") {
		return nil, value.Errorf(value.PathEndsWithDot, "FieldPath must not end with a '.'. Found '%s'", path)
	}
	parts := strings.Split(path, ".")
	if len(parts) > maxDepth {
		return nil, value.Errorf(value.Overflow, "FieldPath is too long: %d names, and at most %d are allowed", len(parts), maxDepth)
	}
	for _, p := range parts {
		switch {
		case p == "":
			return nil, value.Errorf(value.EmptyPathComponent, "FieldPath field names may not be empty strings. Found '%s'", path)
		case p[0] == '$':
			return nil, value.Errorf(value.DottedPathDollar, "FieldPath field names may not start with '$'. Found '%s'", path)
		case strings.IndexByte(p, 0) >= 0:
			return nil, value.Errorf(codeDottedObject, "FieldPath field names may not contain NUL. Found %q", path)
		}
	}
	return parts, nil
}

// walk goes down a path. Unlike a filter it takes a number for a name only, and looks into arrays one deep.
func (s *Scratch) walk(v bsoncore.Value, parts []string) (bsoncore.Value, error) {
	if err := s.work(len(v.Data)); err != nil {
		return Missing, err
	}
	for v.Type == value.Document {
		v = field(v, parts[0])
		if parts = parts[1:]; len(parts) == 0 {
			return v, nil
		}
	}
	if v.Type != value.Array {
		return Missing, nil
	}
	mark := len(s.stack)
	for r := value.Read(v.Data); r.Next(); {
		if r.Value.Type != value.Document {
			continue
		}
		found, err := s.walk(r.Value, parts)
		if err != nil {
			return Missing, err
		}
		if found.Type != 0 {
			s.stack = append(s.stack, found)
		}
	}
	return s.array(mark)
}

func (s *Scratch) follow(v bsoncore.Value, parts []string) (bsoncore.Value, error) {
	if len(parts) == 0 {
		return v, nil
	}
	return s.walk(v, parts)
}

func field(v bsoncore.Value, name string) bsoncore.Value {
	for r := value.Read(v.Data); r.Next(); {
		if string(r.Name) == name {
			return r.Value
		}
	}
	return Missing
}
