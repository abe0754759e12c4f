// Package build writes the elements of BSON documents and arrays into a growing slice of bytes, beside what value has for
// that.
package build

import (
	"strconv"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// Head appends type and name of an element whose value the caller appends. The name has no NUL.
func Head[S ~string | ~[]byte](dst []byte, t bsoncore.Type, name S) []byte {
	dst = append(dst, byte(t))
	dst = append(dst, name...)
	return append(dst, 0)
}

// Item appends the element i of an array.
func Item(dst []byte, i int, v bsoncore.Value) []byte {
	return append(ItemHead(dst, i, v.Type), v.Data...)
}

// ItemHead appends type and name of the element i of an array, whose value the caller appends.
func ItemHead(dst []byte, i int, t bsoncore.Type) []byte {
	dst = append(dst, byte(t))
	if i < 10 {
		return append(dst, '0'+byte(i), 0)
	}
	return append(strconv.AppendInt(dst, int64(i), 10), 0)
}
