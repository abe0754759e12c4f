package filter

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// regex is $regex, or a regular expression in the place of a value. It matches strings, and the same regular expression.
type regex struct {
	spread
	v      bsoncore.Value // pattern and options as a value, for the values that equal it
	re     *regexp.Regexp
	prefix []byte // with which all strings that match begin
	plain  bool   // all strings with the prefix match
}

func (p *regex) test(v bsoncore.Value) bool {
	switch v.Type {
	case value.String, value.Symbol:
		s := value.Str(v)
		if !bytes.HasPrefix(s, p.prefix) {
			return false
		}
		return p.plain || p.re.Match(s)
	case value.Regex:
		return value.Equal(v, p.v)
	default:
		return false
	}
}

// regexOf compiles a regular expression that is a value.
func regexOf(v bsoncore.Value) (*regex, error) { return newRegex(v, bsoncore.Value{}) }

// newRegex compiles $regex, which may be a string or a regular expression, and $options, which may be missing.
func newRegex(v, options bsoncore.Value) (*regex, error) {
	var pattern, flags string
	switch v.Type {
	case value.String:
		pattern = string(value.Str(v))
	case value.Regex:
		pattern, flags, _ = v.RegexOK()
	default:
		return nil, value.Errorf(value.BadValue, "$regex has to be a string")
	}
	switch {
	case options.Type == value.Missing:
	case options.Type != value.String:
		return nil, value.Errorf(value.BadValue, "$options has to be a string")
	case flags != "":
		return nil, value.Errorf(value.RegexOptionsTwice, "options set in both $regex and $options")
	default:
		flags = string(value.Str(options))
	}
	switch {
	case strings.Contains(pattern, "\x00"), strings.Contains(flags, "\x00"):
		return nil, value.Errorf(value.RegexNUL, "Regular expression cannot contain an embedded null byte")
	case len(pattern) > maxPattern:
		return nil, value.Errorf(value.InvalidRegex, "Regular expression is invalid: its pattern of %d bytes is over the limit of %d", len(pattern), maxPattern)
	}
	return compileRegex(pattern, flags)
}

// compileRegex compiles a pattern whose states a Budget has had.
func compileRegex(pattern, flags string) (*regex, error) {
	text, err := expression(pattern, flags)
	if err != nil {
		return nil, err
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, value.Errorf(value.InvalidRegex, "Regular expression is invalid: %v (the syntax is RE2's: no backreferences and no lookaround)", err)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, value.Errorf(value.InvalidRegex, "Regular expression is invalid: %v", err)
	}
	p := &regex{v: bsoncore.Value{Type: value.Regex, Data: bsoncore.AppendRegex(nil, pattern, flags)}, re: re}
	p.prefix, p.plain = literal(tree)
	return p, nil
}

// expression returns a pattern with its options as package regexp has it.
func expression(pattern, flags string) (string, error) {
	var set []byte
	text := pattern
	for i := range len(flags) {
		switch c := flags[i]; c {
		case 'i', 'm', 's':
			if !slices.Contains(set, c) {
				set = append(set, c)
			}
		case 'x':
			text = strip(pattern)
		case 'u': // text is UTF-8 anyway
		default:
			return "", value.Errorf(value.InvalidRegexFlag, "invalid flag in regex options: %s", flags[i:i+1])
		}
	}
	if len(set) > 0 {
		text = "(?" + string(set) + ")" + text
	}
	return text, nil
}

// strip takes white space and comments out of a pattern, as option x has it: but for what is escaped or in a class.
func strip(pattern string) string {
	out := make([]byte, 0, len(pattern))
	class := false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			i++
			if strings.IndexByte(" \t\n\v\f\r#", pattern[i]) < 0 || pattern[i] == '#' {
				out = append(out, c)
			}
			out = append(out, pattern[i])
		case class:
			class = c != ']'
			out = append(out, c)
		case c == '[':
			class = true
			out = append(out, c)
			for i+1 < len(pattern) && (pattern[i+1] == '^' && pattern[i] == '[' || pattern[i+1] == ']') {
				i++ // a bracket that comes first is one of the class
				out = append(out, pattern[i])
				if pattern[i] == ']' {
					break
				}
			}
		case c == '#':
			for i+1 < len(pattern) && pattern[i+1] != '\n' {
				i++
			}
		case strings.IndexByte(" \t\n\v\f\r", c) < 0:
			out = append(out, c)
		}
	}
	return string(out)
}

// literal returns the text that a pattern demands at the beginning of a string, and whether nothing else is demanded. It
// ends before U+FFFD, which in a pattern also stands for bytes that are no UTF-8.
func literal(re *syntax.Regexp) (prefix []byte, plain bool) {
	parts := flatten(re)
	if len(parts) == 0 || parts[0].Op != syntax.OpBeginText {
		return nil, false
	}
	if len(parts) == 1 {
		return nil, true
	}
	text := parts[1]
	if text.Op != syntax.OpLiteral || text.Flags&syntax.FoldCase != 0 {
		return nil, len(parts) == 2 && matchesAll(text)
	}
	for _, r := range text.Rune {
		if r == utf8.RuneError {
			return prefix, false
		}
		prefix = utf8.AppendRune(prefix, r)
	}
	return prefix, len(parts) == 2 || len(parts) == 3 && matchesAll(parts[2])
}

func flatten(re *syntax.Regexp) []*syntax.Regexp {
	if re.Op != syntax.OpConcat {
		return []*syntax.Regexp{re}
	}
	var parts []*syntax.Regexp
	for _, sub := range re.Sub {
		parts = append(parts, flatten(sub)...)
	}
	return parts
}

// matchesAll reports whether a part at the end of a pattern matches anything, if only by matching nothing of it.
func matchesAll(re *syntax.Regexp) bool {
	return re.Op == syntax.OpEmptyMatch || re.Op == syntax.OpStar && (re.Sub[0].Op == syntax.OpAnyChar || re.Sub[0].Op == syntax.OpAnyCharNotNL)
}
