package agg

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/expr"
	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/number"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeMatchObject   = 15959
	codeLimitZero     = 15958
	codeLimitNumber   = 5107201
	codeSkipNumber    = 5107200
	codeCountString   = 40156
	codeCountEmpty    = 40157
	codeCountDollar   = 40158
	codeCountNUL      = 40159
	codeCountDot      = 40160
	codeRootUnknown   = 40230
	codeRootMissing   = 40231
	codeRootObject    = 40229
	codeRootNotObject = 40228
)

// match is $match.
type match struct{ filter *filter.Filter }

func compileMatch(_ string, v bsoncore.Value) ([]stage, error) {
	if v.Type != value.Document {
		return nil, value.Errorf(codeMatchObject, "the match filter must be an expression in an object")
	}
	f, err := filter.Compile(v.Data)
	return []stage{match{f}}, err
}

func (s match) run(_ *Env, src Docs) Docs {
	return each(src, func(doc bsoncore.Document) (bsoncore.Document, bool, error) { return doc, s.filter.Matches(doc), nil })
}

// limit is $limit.
type limit int64

func compileLimit(_ string, v bsoncore.Value) ([]stage, error) {
	n, exact := value.Int(v)
	switch {
	case exact && n == 0:
		return nil, value.Errorf(codeLimitZero, "the limit must be positive")
	case !exact || n < 0:
		return nil, value.Errorf(codeLimitNumber, "invalid argument to $limit stage: Expected a positive number in: $limit: %s", value.Text(v))
	}
	return []stage{limit(n)}, nil
}

func (s limit) run(_ *Env, src Docs) Docs {
	return func(yield func(bsoncore.Document, error) bool) {
		left := int64(s)
		for doc, err := range src {
			// The last one ends the stream at once: the source need not look for another.
			if left--; !yield(doc, err) || err != nil || left == 0 {
				return
			}
		}
	}
}

// skip is $skip.
type skip int64

func compileSkip(_ string, v bsoncore.Value) ([]stage, error) {
	n, exact := value.Int(v)
	if !exact || n < 0 {
		return nil, value.Errorf(codeSkipNumber, "invalid argument to $skip stage: Expected a non-negative number in: $skip: %s", value.Text(v))
	}
	return []stage{skip(n)}, nil
}

func (s skip) run(_ *Env, src Docs) Docs {
	return func(yield func(bsoncore.Document, error) bool) {
		left := int64(s)
		for doc, err := range src {
			if left > 0 && err == nil {
				left--
				continue
			}
			if !yield(doc, err) || err != nil {
				return
			}
		}
	}
}

// count is $count: one document with the number of those before, or none if there are none.
type count string

func compileCount(_ string, v bsoncore.Value) ([]stage, error) {
	name := string(value.Str(v))
	switch {
	case v.Type != value.String:
		return nil, value.Errorf(codeCountString, "the count field must be a non-empty string")
	case name == "":
		return nil, value.Errorf(codeCountEmpty, "the count field must be a non-empty string")
	case name[0] == '$':
		return nil, value.Errorf(codeCountDollar, "the count field cannot be a $-prefixed path")
	case strings.IndexByte(name, 0) >= 0:
		return nil, value.Errorf(codeCountNUL, "the count field cannot contain a null byte")
	case strings.Contains(name, "."):
		return nil, value.Errorf(codeCountDot, "the count field cannot contain '.'")
	}
	return []stage{count(name)}, nil
}

func (s count) run(_ *Env, src Docs) Docs {
	return func(yield func(bsoncore.Document, error) bool) {
		n := int64(0)
		for _, err := range src {
			if err != nil {
				yield(nil, err)
				return
			}
			n++
		}
		if n == 0 {
			return
		}
		v := number.Int(n)
		at, doc := value.Begin(nil)
		doc = value.AppendElement(doc, string(s), bsoncore.Value{Type: v.Type, Data: v.Append(nil)})
		yield(value.End(doc, at), nil)
	}
}

// replaceRoot is $replaceRoot and $replaceWith.
type replaceRoot struct{ root *expr.Expr }

func compileReplaceRoot(_ string, v bsoncore.Value) ([]stage, error) {
	if v.Type != value.Document {
		return nil, value.Errorf(codeRootObject, "expected an object as specification for $replaceRoot stage, got %s", value.TypeName(v.Type))
	}
	var root bsoncore.Value
	for r := value.Read(v.Data); r.Next(); {
		if string(r.Name) != "newRoot" {
			return nil, value.Errorf(codeRootUnknown, "unrecognized option to $replaceRoot stage: %s, only valid option is 'newRoot'.", r.Name)
		}
		root = r.Value
	}
	if root.Type == 0 {
		return nil, value.Errorf(codeRootMissing, "no newRoot specified for the $replaceRoot stage")
	}
	return compileReplaceWith("", root)
}

func compileReplaceWith(_ string, v bsoncore.Value) ([]stage, error) {
	e, err := expr.Compile(v)
	return []stage{replaceRoot{e}}, err
}

func (s replaceRoot) run(_ *Env, src Docs) Docs {
	var scratch expr.Scratch
	return each(src, func(doc bsoncore.Document) (bsoncore.Document, bool, error) {
		scratch.Reset()
		v, err := s.root.Eval(&scratch, doc)
		if err == nil && v.Type != value.Document {
			err = value.Errorf(codeRootNotObject, "'newRoot' expression must evaluate to an object, but resulting value was of type: %s. Input document: %s", value.TypeName(v.Type), value.Text(value.OfDocument(doc)))
		}
		return v.Data, true, err
	})
}
