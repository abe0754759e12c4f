package expr

import (
	"bytes"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/number"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeConcatType   = 16702
	codeNoString     = 16007
	codeSubstrStart  = 16034
	codeSubstrLength = 16035
	codeSubstrLow    = 50752
	codeSubstrBegin  = 28656
	codeSubstrEnd    = 28657
	codeStrLen       = 34473
	codeSplitFirst   = 40085
	codeSplitSecond  = 40086
	codeSplitEmpty   = 40087

	leastElement = 8 // bytes of an empty string in an array
)

func concat(s *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	for _, v := range args {
		switch {
		case nullish(v):
			return null, nil
		case v.Type != value.String:
			return Missing, value.Errorf(codeConcatType, "$concat only supports strings, not %s", value.TypeName(v.Type))
		}
	}
	start := s.beginText()
	for _, v := range args {
		s.arena = append(s.arena, value.Str(v)...)
		if len(s.arena)-start > maxValue {
			break
		}
	}
	return s.endText(start)
}

// asText is a value where an operator on strings takes other types too: null is empty, numbers and dates are written out.
func asText(v bsoncore.Value) ([]byte, error) {
	n, ok := number.Of(v)
	switch {
	case ok:
		return []byte(n.String()), nil
	case nullish(v):
		return nil, nil
	case v.Type == value.DateTime:
		return appendISO(nil, millis(v)), nil
	case v.Type == value.String || v.Type == value.Symbol || v.Type == value.JavaScript:
		return value.Str(v), nil
	}
	return nil, value.Errorf(codeNoString, "can't convert from BSON type %s to String", value.TypeName(v.Type))
}

// changeCase moves the ASCII letters between low and high to the other case, as MongoDB does; others stay.
func changeCase(low, high byte) func(*Scratch, string, []bsoncore.Value) (bsoncore.Value, error) {
	return func(s *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
		b, err := asText(args[0])
		if err != nil {
			return Missing, err
		}
		start := s.beginText()
		for _, ch := range b {
			if ch >= low && ch <= high {
				ch ^= 'a' - 'A'
			}
			s.arena = append(s.arena, ch)
		}
		return s.endText(start)
	}
}

func substrBytes(s *Scratch, name string, args []bsoncore.Value) (bsoncore.Value, error) {
	b, err := asText(args[0])
	if err != nil {
		return Missing, err
	}
	from, ok := number.Of(args[1])
	if !ok {
		return Missing, value.Errorf(codeSubstrStart, "%s:  starting index must be a numeric type (is BSON type %s)", name, value.TypeName(args[1].Type))
	}
	count, ok := number.Of(args[2])
	if !ok {
		return Missing, value.Errorf(codeSubstrLength, "%s:  length must be a numeric type (is BSON type %s)", name, value.TypeName(args[2].Type))
	}
	low, lowOK := from.Truncated()
	length, lengthOK := count.Truncated()
	if !lowOK || low < 0 {
		return Missing, value.Errorf(codeSubstrLow, "%s:  starting index must be non-negative (got: %s)", name, from)
	}
	if !lengthOK || length < 0 || length > int64(len(b)) {
		length = int64(len(b)) // a negative length is all the rest
	}
	if low >= int64(len(b)) {
		return text(s, "")
	}
	high := min(low+length, int64(len(b)))
	if !utf8.RuneStart(b[low]) {
		return Missing, value.Errorf(codeSubstrBegin, "%s:  Invalid range, starting index is a UTF-8 continuation byte.", name)
	}
	if high < int64(len(b)) && !utf8.RuneStart(b[high]) {
		return Missing, value.Errorf(codeSubstrEnd, "%s:  Invalid range, ending index is in the middle of a UTF-8 character.", name)
	}
	return text(s, b[low:high])
}

func strLenBytes(s *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	if args[0].Type != value.String {
		return Missing, value.Errorf(codeStrLen, "$strLenBytes requires a string argument, found: %s", value.TypeName(args[0].Type))
	}
	return s.int(len(value.Str(args[0])))
}

func split(s *Scratch, _ string, args []bsoncore.Value) (bsoncore.Value, error) {
	if nullish(args[0]) || nullish(args[1]) {
		return null, nil
	}
	if args[0].Type != value.String {
		return Missing, value.Errorf(codeSplitFirst, "$split requires an expression that evaluates to a string as a first argument, found: %s", value.TypeName(args[0].Type))
	}
	if args[1].Type != value.String {
		return Missing, value.Errorf(codeSplitSecond, "$split requires an expression that evaluates to a string as a second argument, found: %s", value.TypeName(args[1].Type))
	}
	rest, by := value.Str(args[0]), value.Str(args[1])
	if len(by) == 0 {
		return Missing, value.Errorf(codeSplitEmpty, "$split requires a non-empty separator")
	}
	mark := len(s.stack)
	for {
		i := bytes.Index(rest, by)
		part := rest
		if i >= 0 {
			part = rest[:i]
		}
		v, err := text(s, part)
		if err != nil {
			return Missing, err
		}
		s.stack = append(s.stack, v)
		if (len(s.stack)-mark)*leastElement > maxValue {
			return Missing, value.Errorf(value.BSONObjectTooLarge, "$split makes an array of over %d bytes, over the limit: split a shorter string", maxValue)
		}
		if i < 0 {
			return s.array(mark)
		}
		rest = rest[i+len(by):]
	}
}
