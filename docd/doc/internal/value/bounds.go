package value

import (
	"math"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// Bounds returns the least value of a class, and the greatest or, where there is none, the least of the next class, which
// then is to be left out.
func Bounds(c Class) (low, high bsoncore.Value, open bool) {
	switch c {
	case ClassNumber:
		return OfDouble(math.NaN()), OfDouble(math.Inf(1)), false
	case ClassBoolean:
		return OfBool(false), OfBool(true), false
	case ClassDateTime:
		low, high = OfInt64(math.MinInt64), OfInt64(math.MaxInt64)
		low.Type, high.Type = DateTime, DateTime
		return low, high, false
	case ClassTimestamp:
		low, high = OfInt64(0), OfInt64(-1)
		low.Type, high.Type = Timestamp, Timestamp
		return low, high, false
	case ClassMissing:
		return least(ClassMinKey), least(ClassMinKey), true
	case ClassMinKey, ClassUndefined, ClassNull, ClassMaxKey:
		return least(c), least(c), false
	default:
		return least(c), least(c + 2), true
	}
}

// least returns the least value of a class.
func least(c Class) bsoncore.Value {
	v := bsoncore.Value{}
	switch c {
	case ClassMinKey:
		v.Type = MinKey
	case ClassUndefined:
		v.Type = Undefined
	case ClassNull:
		v.Type = Null
	case ClassString:
		return OfString("")
	case ClassDocument:
		return OfDocument(emptyDocument())
	case ClassArray:
		return OfArray(emptyDocument())
	case ClassBinary:
		v = bsoncore.Value{Type: Binary, Data: make([]byte, 5)}
	case ClassObjectID:
		v = bsoncore.Value{Type: ObjectID, Data: make([]byte, 12)}
	case ClassBoolean, ClassNumber, ClassDateTime, ClassTimestamp:
		v, _, _ = Bounds(c)
	case ClassRegex:
		v = bsoncore.Value{Type: Regex, Data: make([]byte, 2)}
	case ClassDBPointer:
		v = bsoncore.Value{Type: DBPointer, Data: append([]byte{1, 0, 0, 0}, make([]byte, 13)...)}
	case ClassCode:
		v = bsoncore.Value{Type: JavaScript, Data: []byte{1, 0, 0, 0, 0}}
	case ClassCodeScope:
		v = bsoncore.Value{Type: CodeWithScope, Data: bsoncore.AppendCodeWithScope(nil, "", emptyDocument())}
	default:
		v.Type = MaxKey
	}
	return v
}

func emptyDocument() []byte { return []byte{5, 0, 0, 0, 0} }
