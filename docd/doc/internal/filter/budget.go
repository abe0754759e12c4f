package filter

import (
	"regexp/syntax"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// What regular expressions may have: each its text and the states of the machine it becomes, which bound the time of a match, and
// all that are compiled together their states, which bound the memory.
const (
	maxPattern   = 32 << 10
	maxStates    = 8 << 10
	maxAllStates = 64 << 10
)

const (
	// minStates is what each machine costs beside its states, in states.
	minStates = 8
	// runesPerState is how many bounds of the ranges of a class of characters cost as much as a state.
	runesPerState = 32
)

// Budget is how many states the regular expressions that are compiled together may have. The zero Budget is a full one. Compile
// and CompileCondition bound what they are given; who compiles several of these for one request takes all of them from one Budget
// before.
type Budget struct{ used int }

// Take takes from the budget what the regular expressions in a value need: all of them, whether a filter would match with them or
// only compare them. One that is too large, or too much by now, is a *value.Error. One that is wrong is passed over: compiling it
// tells.
func (b *Budget) Take(v bsoncore.Value) error {
	switch v.Type {
	case value.Regex:
		pattern, flags, _ := v.RegexOK()
		return b.take(pattern, flags)
	case value.Document, value.Array:
	default:
		return nil
	}
	for r := value.Read(v.Data); r.Next(); {
		if err := b.Take(r.Value); err != nil {
			return err
		}
		if r.Value.Type != value.String || string(r.Name) != "$regex" {
			continue
		}
		flags := ""
		if o, _ := value.Get(v.Data, "$options"); o.Type == value.String {
			flags = string(value.Str(o))
		}
		if err := b.take(string(value.Str(r.Value)), flags); err != nil {
			return err
		}
	}
	return nil
}

func (b *Budget) take(pattern, flags string) error {
	if len(pattern) > maxPattern {
		return nil
	}
	text, err := expression(pattern, flags)
	if err != nil {
		return nil //nolint:nilerr // compiling it tells
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	n := states(tree)
	if n > maxStates {
		return value.Errorf(value.InvalidRegex, "Regular expression is invalid: it needs more states than the limit of %d: repeat less", maxStates)
	}
	if b.used += max(n, minStates); b.used > maxAllStates {
		return value.Errorf(value.InvalidRegex, "Regular expression is invalid: together with those before it, it needs more states than the limit of %d: use fewer regular expressions, or repeat less in them", maxAllStates)
	}
	return nil
}

// states bounds how many states a parsed pattern has, at maxStates+1.
func states(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)/runesPerState
	if re.Op == syntax.OpLiteral {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n += states(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min+1, re.Max)
	}
	return min(n, maxStates+1)
}
