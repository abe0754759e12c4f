package filter

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// dice makes documents and filters of few names and values, so that many of them match.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 7))} }

func (d dice) of(options ...string) string { return options[d.IntN(len(options))] }

// scalar makes a value that is no array and no document.
func (d dice) scalar() string {
	return d.of("0", "1", "2", "1.5", `{"$numberDecimal": "1"}`, `{"$numberDouble": "NaN"}`, `""`, `"x"`, `"xy"`, `"y"`, "null", "true", "false",
		`{"$undefined": true}`, `{"$minKey": 1}`, `{"$maxKey": 1}`, `{"$date": {"$numberLong": "1"}}`, `{"$symbol": "x"}`)
}

// value makes a value of at most some levels.
func (d dice) value(levels int) string {
	switch n := d.IntN(10); {
	case levels > 0 && n < 3:
		return d.document(levels - 1)
	case levels > 0 && n < 6:
		var parts []string
		for range d.IntN(4) {
			parts = append(parts, d.value(levels-1))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return d.scalar()
}

func (d dice) document(levels int) string {
	var parts []string
	for _, name := range []string{"a", "b", "0"} {
		if d.IntN(3) > 0 {
			parts = append(parts, fmt.Sprintf("%q: %s", name, d.value(levels)))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (d dice) path() string { return d.of("a", "a", "b", "a.b", "a.b", "b.a", "a.0", "a.0.b", "a.b.a") }

// operand makes a value that may be compared to.
func (d dice) operand() string {
	for {
		if v := d.value(1); !strings.Contains(v, "$undefined") {
			return v
		}
	}
}

func (d dice) operators(levels int) string {
	var parts []string
	for range 1 + d.IntN(2) {
		parts = append(parts, d.operator(levels))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (d dice) operator(levels int) string {
	if levels > 0 {
		switch d.IntN(8) {
		case 0:
			return `"$not": ` + d.operators(levels-1)
		case 1:
			return `"$elemMatch": ` + d.operators(levels-1)
		case 2:
			return `"$elemMatch": ` + d.filter(levels-1)
		}
	}
	switch d.IntN(9) {
	case 0:
		return fmt.Sprintf(`"$exists": %v`, d.IntN(2) == 0)
	case 1:
		return `"$type": ` + d.of(`"number"`, `"string"`, `"null"`, `"array"`, `["bool", "object"]`, `"int"`, `"date"`, `["string", "symbol"]`)
	case 2:
		return `"$mod": [2, 1]`
	case 3:
		return fmt.Sprintf(`"$size": %d`, d.IntN(3))
	case 4:
		return `"$regex": ` + d.of(`"^x"`, `"y"`, `"^"`, `"^xy$"`, `"^x.*"`)
	case 5:
		return d.of(`"$in"`, `"$nin"`, `"$all"`) + ": [" + d.operand() + "," + d.operand() + "]"
	}
	return d.of(`"$eq"`, `"$ne"`, `"$lt"`, `"$lte"`, `"$gt"`, `"$gte"`) + ": " + d.operand()
}

func (d dice) filter(levels int) string {
	if levels > 0 && d.IntN(3) == 0 {
		var parts []string
		for range 1 + d.IntN(2) {
			parts = append(parts, d.filter(levels-1))
		}
		return "{" + d.of(`"$and"`, `"$or"`, `"$nor"`) + ": [" + strings.Join(parts, ",") + "]}"
	}
	if d.IntN(3) == 0 {
		return fmt.Sprintf("{%q: %s}", d.path(), d.operand())
	}
	return fmt.Sprintf("{%q: %s}", d.path(), d.operators(levels))
}
