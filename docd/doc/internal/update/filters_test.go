package update

import (
	"bytes"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/value/valuetest"
)

func TestThePositionComesFromTheFilter(t *testing.T) {
	for query, want := range map[string]string{
		`{"a": 2}`:             `{"a": [1, 9, 3, 2]}`,
		`{"a": 3, "a.1": 2}`:   `{"a": [1, 2, 9, 2]}`,
		`{"a.1": 2}`:           `error 2`, // a position in the path is none that was found
		`{"a": {"$in": [3]}}`:  `{"a": [1, 2, 9, 2]}`,
		`{"a": {"$nin": [9]}}`: `error 2`,
	} {
		doc := doctest.Document(t, `{"a": [1, 2, 3, 2]}`)
		f, err := filter.Compile(doctest.Document(t, query))
		if err != nil {
			t.Fatal(err)
		}
		u, err := Compile(doctest.Document(t, `{"$set": {"a.$": 9}}`), nil)
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := u.Apply(nil, doc, Context{Position: f.Position(doc)})
		switch {
		case err != nil:
			if got := valuetest.Code(t, err); got != want {
				t.Errorf("%s: %s, %v", query, got, err)
			}
		case want[0] != '{' || !bytes.Equal(out, doctest.Document(t, want)):
			t.Errorf("%s: %s", query, out)
		}
	}
}

// TestTheRegularExpressionsOfAnUpdateHaveOneBudget: each filter in it is within the budget for itself.
func TestTheRegularExpressionsOfAnUpdateHaveOneBudget(t *testing.T) {
	const half = `{"$regularExpression": {"pattern": "(?:abcdefg){1000}", "options": ""}}` // 8000 states
	four := `{"$in": [` + strings.Repeat(half+", ", 3) + half + `]}`
	for _, c := range []struct {
		update, filters string
		ok              bool
	}{
		{`{"$pull": {"a": ` + four + `, "b": ` + four + `}}`, `[]`, true},
		{`{"$pull": {"a": ` + four + `, "b": ` + four + `, "c": ` + half + `}}`, `[]`, false},
		{`{"$pull": {"a": ` + four + `, "b.$[x]": ` + four + `}}`, `[{"x": ` + half + `}]`, false},
		{`{"$set": {"a.$[x]": 1, "a.$[y]": 1, "a.$[z]": 1}}`, `[{"x": ` + four + `}, {"y": ` + four + `}, {"z": ` + half + `}]`, false},
		{`{"$set": {"a": ` + half + `, "b": [` + strings.Repeat(half+", ", 9) + `1]}}`, `[]`, true},
	} {
		_, err := Compile(doctest.Document(t, c.update), doctest.List(t, c.filters))
		if c.ok != (err == nil) || err != nil && (valuetest.Code(t, err) != "error 51091" || !strings.Contains(err.Error(), "65536")) {
			t.Errorf("%.40s: %v", c.update, err)
		}
	}
}
