package filter

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// TestTheRegularExpressionsOfAFilterHaveOneBudget: wherever they are, and however small each is.
func TestTheRegularExpressionsOfAFilterHaveOneBudget(t *testing.T) {
	large := func(i int) any { return bson.Regex{Pattern: fmt.Sprintf("(?:abcdefg){1000}%d", i)} } // 8000 states and some
	for _, c := range []struct {
		name    string
		most    int // that may be
		pattern func(i int) any
		filter  func(list bson.A) bson.D
	}{
		{"in", 8, large, func(list bson.A) bson.D { return bson.D{{Key: "a", Value: bson.D{{Key: "$in", Value: list}}}} }},
		{"all", 8, large, func(list bson.A) bson.D { return bson.D{{Key: "a", Value: bson.D{{Key: "$all", Value: list}}}} }},
		{"or", 8, func(i int) any {
			return bson.D{{Key: fmt.Sprint("f", i), Value: bson.D{{Key: "$regex", Value: strings.Repeat("abcdefgh", 1000)}, {Key: "$options", Value: "i"}}}}
		}, func(list bson.A) bson.D { return bson.D{{Key: "$or", Value: list}} }},
		{"small", maxAllStates / minStates, func(int) any { return bson.Regex{Pattern: "a"} }, func(list bson.A) bson.D {
			return bson.D{{Key: "a", Value: bson.D{{Key: "$nin", Value: list}}}}
		}},
		// A class has many ranges of characters, and each its own.
		{"class", 8, func(int) any { return bson.Regex{Pattern: strings.Repeat(`\pL`, 180)} }, func(list bson.A) bson.D {
			return bson.D{{Key: "a", Value: bson.D{{Key: "$in", Value: list}}}}
		}},
	} {
		var list bson.A
		for i := range c.most {
			list = append(list, c.pattern(i))
		}
		if _, err := Compile(marshal(t, c.filter(list))); err != nil {
			t.Errorf("%s: %d are refused: %v", c.name, c.most, err)
		}
		_, err := Compile(marshal(t, c.filter(append(list, c.pattern(c.most)))))
		var e *value.Error
		if !errors.As(err, &e) || e.Code != value.InvalidRegex || !strings.Contains(e.Msg, fmt.Sprint(maxAllStates)) {
			t.Errorf("%s: one more than %d: %v", c.name, c.most, err)
		}
	}
}

func TestARegularExpressionThatIsTooLargeIsToldTheLimit(t *testing.T) {
	for _, pattern := range []string{"(?:abcdefghi){1000}", "(?:[ab]?){1000}(?:abcdefgh){1000}", strings.Repeat("abcdefgh", 1024) + "i", strings.Repeat(`\pL`, 400)} {
		_, err := Compile(marshal(t, bson.D{{Key: "a", Value: bson.Regex{Pattern: pattern}}}))
		var e *value.Error
		if !errors.As(err, &e) || e.Code != value.InvalidRegex || !strings.Contains(e.Msg, fmt.Sprint(maxStates)) {
			t.Errorf("%.20s: %v", pattern, err)
		}
	}
}
