package value

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// Check reports what keeps a document from being stored: it must be well-formed to its last byte, at most MaxSize bytes and
// MaxDepth levels; at its top no field is without a name or begins with a dollar; _id is there at most once and is no
// array, regular expression or undefined. That there is an _id is for the caller to see to.
func Check(doc bsoncore.Document) error {
	if err := Valid(doc); err != nil {
		return err
	}
	seen := false
	for r := Read(doc); r.Next(); {
		switch {
		case len(r.Name) == 0:
			return Errorf(EmptyFieldName, "a field without a name cannot be stored: name it")
		case r.Name[0] == '$':
			return Errorf(DollarPrefixedFieldName, "The dollar ($) prefixed field '%s' in '%s' is not valid for storage.", r.Name, r.Name)
		case string(r.Name) != "_id":
			continue
		case seen:
			return Errorf(BadValue, "can't have multiple _id fields in one document")
		}
		seen = true
		if err := CheckID(r.Value); err != nil {
			return err
		}
	}
	return nil
}

// CheckID reports whether a value may be an _id.
func CheckID(v bsoncore.Value) error {
	switch v.Type {
	case Array, Regex, Undefined:
		return Errorf(InvalidIDField, "The '_id' value cannot be of type %s", TypeName(v.Type))
	case Document:
		for r := Read(v.Data); r.Next(); {
			if len(r.Name) > 0 && r.Name[0] == '$' {
				return Errorf(DollarPrefixedFieldName, "_id fields may not contain '$'-prefixed fields: %s is not valid for storage.", r.Name)
			}
		}
	default:
	}
	return nil
}

// Valid reports whether a document, stored or of a command, is well-formed and within MaxSize and MaxDepth. The bytes of
// strings need not be UTF-8.
func Valid(doc bsoncore.Document) error {
	if len(doc) > MaxSize {
		return Errorf(BSONObjectTooLarge, "object to insert too large: a document of %d bytes is over the limit of %d: split it", len(doc), MaxSize)
	}
	return valid(doc, 1)
}

var errMalformed = &Error{Code: InvalidBSON, Msg: "the bytes are not a well-formed BSON document"}

func valid(doc []byte, depth int) error {
	if depth > MaxDepth {
		return Errorf(Overflow, "a document nested deeper than the limit of %d levels: make it flatter", MaxDepth)
	}
	if len(doc) < 5 || int64(half(doc)) != int64(len(doc)) || doc[len(doc)-1] != 0 {
		return errMalformed
	}
	r := Read(doc)
	for r.Next() {
		if err := validValue(r.Value, depth); err != nil {
			return err
		}
	}
	if len(r.rest) != 1 {
		return errMalformed
	}
	return nil
}

func validValue(v bsoncore.Value, depth int) error {
	ok := true
	switch v.Type {
	case Document, Array:
		return valid(v.Data, depth+1)
	case String, Symbol, JavaScript:
		ok = v.Data[len(v.Data)-1] == 0
	case Boolean:
		ok = v.Data[0] <= 1
	case DBPointer:
		ok = v.Data[len(v.Data)-13] == 0
	case Binary:
		if v.Data[4] == 0x02 { // the old subtype has its length once more
			ok = len(v.Data) >= 9 && int64(half(v.Data[5:])) == int64(len(v.Data)-9)
		}
	case CodeWithScope:
		code, scope := scopeParts(v.Data)
		if scope == nil || v.Data[8+len(code)] != 0 {
			return errMalformed
		}
		return valid(scope, depth+1)
	default: // any bytes of its size will do
	}
	if !ok {
		return errMalformed
	}
	return nil
}

// CheckPath reports whether a dotted path of an update an index may be used: no component is empty, and there are at most
// MaxPath of them.
func CheckPath(path string) error {
	switch {
	case path == "":
		return Errorf(EmptyFieldName, "An empty path is not valid.")
	case strings.HasPrefix(path, "."), strings.HasSuffix(path, "."), strings.Contains(path, ".."):
		return Errorf(EmptyFieldName, "The path '%s' contains an empty field name, which is not allowed.", Short(path))
	}
	return CheckLength(path)
}

// CheckLength reports whether a path has more than MaxPath components.
func CheckLength(path string) error {
	if n := strings.Count(path, ".") + 1; n > MaxPath {
		return Errorf(Overflow, "FieldPath is too long: a path of %d components is over the limit of %d", n, MaxPath)
	}
	return nil
}
