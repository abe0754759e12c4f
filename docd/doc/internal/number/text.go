package number

import (
	"math"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// String is the number as $toString writes it.
func (n Number) String() string {
	switch n.Type {
	case bsoncore.TypeDouble:
		return formatDouble(n.f)
	case bsoncore.TypeDecimal128:
		return bson.NewDecimal128(n.hi, n.lo).String()
	default:
		return strconv.FormatInt(n.i, 10)
	}
}

// formatDouble writes the fewest digits that read back as f, with an exponent only for the very large and small.
func formatDouble(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case math.IsNaN(f):
		return "NaN"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e17) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
