package value

import (
	"math"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// The types of BSON under short names, for packages that switch on them.
const (
	Missing       bsoncore.Type = 0
	Double        bsoncore.Type = 0x01
	String        bsoncore.Type = 0x02
	Document      bsoncore.Type = 0x03
	Array         bsoncore.Type = 0x04
	Binary        bsoncore.Type = 0x05
	Undefined     bsoncore.Type = 0x06
	ObjectID      bsoncore.Type = 0x07
	Boolean       bsoncore.Type = 0x08
	DateTime      bsoncore.Type = 0x09
	Null          bsoncore.Type = 0x0A
	Regex         bsoncore.Type = 0x0B
	DBPointer     bsoncore.Type = 0x0C
	JavaScript    bsoncore.Type = 0x0D
	Symbol        bsoncore.Type = 0x0E
	CodeWithScope bsoncore.Type = 0x0F
	Int32         bsoncore.Type = 0x10
	Timestamp     bsoncore.Type = 0x11
	Int64         bsoncore.Type = 0x12
	Decimal128    bsoncore.Type = 0x13
	MinKey        bsoncore.Type = 0xFF
	MaxKey        bsoncore.Type = 0x7F
)

// Class is a group of types whose values are compared with one another; values of different classes are in the order of
// their classes. Ranges such as {$gt: 5} cover one class only. As a byte it begins each key.
type Class byte

// The classes in MongoDB's order of comparison. They are two apart: between two of them lies the bound of the first.
const (
	ClassMissing   Class = 0x00 // there is no value; nothing stored is of this class
	ClassMinKey    Class = 0x10
	ClassUndefined Class = 0x12
	ClassNull      Class = 0x14
	ClassNumber    Class = 0x16
	ClassString    Class = 0x18 // and symbols
	ClassDocument  Class = 0x1A
	ClassArray     Class = 0x1C
	ClassBinary    Class = 0x1E
	ClassObjectID  Class = 0x20
	ClassBoolean   Class = 0x22
	ClassDateTime  Class = 0x24
	ClassTimestamp Class = 0x26
	ClassRegex     Class = 0x28
	ClassDBPointer Class = 0x2A
	ClassCode      Class = 0x2C
	ClassCodeScope Class = 0x2E
	ClassMaxKey    Class = 0x30
)

var classes = [256]Class{
	MinKey: ClassMinKey, Undefined: ClassUndefined, Null: ClassNull,
	Double: ClassNumber, Int32: ClassNumber, Int64: ClassNumber, Decimal128: ClassNumber,
	String: ClassString, Symbol: ClassString, Document: ClassDocument, Array: ClassArray, Binary: ClassBinary,
	ObjectID: ClassObjectID, Boolean: ClassBoolean, DateTime: ClassDateTime, Timestamp: ClassTimestamp, Regex: ClassRegex,
	DBPointer: ClassDBPointer, JavaScript: ClassCode, CodeWithScope: ClassCodeScope, MaxKey: ClassMaxKey,
}

// ClassOf returns the class of a type, ClassMissing for what is no type.
func ClassOf(t bsoncore.Type) Class { return classes[t] }

// IsNumber reports whether a type is one of the four of numbers.
func IsNumber(t bsoncore.Type) bool { return classes[t] == ClassNumber }

var typeNames = [256]string{
	Double: "double", String: "string", Document: "object", Array: "array", Binary: "binData", Undefined: "undefined",
	ObjectID: "objectId", Boolean: "bool", DateTime: "date", Null: "null", Regex: "regex", DBPointer: "dbPointer",
	JavaScript: "javascript", Symbol: "symbol", CodeWithScope: "javascriptWithScope", Int32: "int", Timestamp: "timestamp",
	Int64: "long", Decimal128: "decimal", MinKey: "minKey", MaxKey: "maxKey",
}

// TypeName returns the name of a type as $type has it, "missing" for what is no type.
func TypeName(t bsoncore.Type) string {
	if n := typeNames[t]; n != "" {
		return n
	}
	return "missing"
}

// TypeSet is a set of types.
type TypeSet uint32

func typeBit(t bsoncore.Type) TypeSet {
	switch {
	case t == MinKey:
		return 1 << 30
	case t == MaxKey:
		return 1 << 31
	case t >= Double && t <= Decimal128:
		return 1 << t
	}
	return 0
}

// Numbers is what $type calls "number".
const Numbers = TypeSet(1<<Double | 1<<Int32 | 1<<Int64 | 1<<Decimal128)

// Has reports whether a type is in the set.
func (s TypeSet) Has(t bsoncore.Type) bool { return s&typeBit(t) != 0 }

// ParseTypes reads the operand of $type: the number or the name of a type, or an array of such.
func ParseTypes(v bsoncore.Value) (TypeSet, error) {
	if v.Type != Array {
		return parseType(v)
	}
	var set TypeSet
	for r := Read(v.Data); r.Next(); {
		s, err := parseType(r.Value)
		if err != nil {
			return 0, err
		}
		set |= s
	}
	if set == 0 {
		return 0, Errorf(FailedToParse, "$type must match at least one type")
	}
	return set, nil
}

func parseType(v bsoncore.Value) (TypeSet, error) {
	if v.Type == String {
		name := Str(v)
		if string(name) == "number" {
			return Numbers, nil
		}
		for t, n := range typeNames {
			if n != "" && n == string(name) {
				return typeBit(bsoncore.Type(t)), nil
			}
		}
		return 0, Errorf(BadValue, "Unknown type name alias: %s", name)
	}
	if !IsNumber(v.Type) {
		return 0, Errorf(TypeMismatch, "type must be represented as a number or a string")
	}
	n, exact := Int(v)
	switch {
	case exact && n == -1:
		return typeBit(MinKey), nil
	case exact && n == 0:
		return 0, Errorf(BadValue, "Invalid numerical type code: 0. Instead use {$exists:false}.")
	case exact && n > 0 && n <= math.MaxInt8 && typeBit(bsoncore.Type(n)) != 0:
		return typeBit(bsoncore.Type(n)), nil
	}
	return 0, Errorf(BadValue, "Invalid numerical type code: %s", Text(v))
}
