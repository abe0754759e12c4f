package update

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
)

// What is merged for one element serves all others that want the same: it shows in how often memory is asked for.
func TestElementsThatWantTheSameShareWhatWasMerged(t *testing.T) {
	const paths, elements = 300, 1000
	var fields, docs, nested []string
	for i := range paths {
		fields = append(fields, fmt.Sprintf(`"%%[1]s.$[x].f%d.g": 1`, i))
	}
	for i := range elements {
		docs = append(docs, fmt.Sprintf(`{"k": %d}`, i%2))
		nested = append(nested, `{"s": [{"k": 0}, {"k": 1}]}`)
	}
	for _, c := range []struct{ name, at, more, doc, filters string }{
		{"in turn", "a", `"%[1]s.$[y].f.g": 1`, `{"a": [` + strings.Join(docs, `, `) + `]}`, `[{"x.k": {"$gte": 0}}, {"y.k": 1}]`},
		{"in many arrays", "a.$[].s", `"%[1]s.$[y].f.g": 1`, `{"a": [` + strings.Join(nested, `, `) + `]}`, `[{"x.k": {"$gte": 0}}, {"y.k": 1}]`},
		{"the positional $", "a", `"%[1]s.$[x].$.g": 1`, `{"a": [` + strings.Join(docs, `, `) + `]}`, `[{"x.k": {"$gte": 0}}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			paths := fmt.Sprintf(strings.Join(append([]string{c.more}, fields...), `, `), c.at)
			u, err := Compile(doctest.Document(t, `{"$unset": {`+paths+`}}`), doctest.List(t, c.filters))
			if err != nil {
				t.Fatal(err)
			}
			doc, dst := doctest.Document(t, c.doc), make([]byte, 0, 1<<20)
			allocs := testing.AllocsPerRun(1, func() {
				if _, changed, err := u.Apply(dst, doc, Context{Position: 3}); changed || err != nil {
					t.Fatal(changed, err)
				}
			})
			if allocs > 8*elements {
				t.Errorf("%v allocations for %d elements", allocs, elements)
			}
		})
	}
}

// Each element of the document wants another set of paths, all together more than is remembered.
func TestMoreThanIsRememberedIsMergedAgain(t *testing.T) {
	const filters, elements = 9, 2 << 9 // each set twice
	var fields, conditions, docs, want []string
	for f := range filters {
		conditions = append(conditions, fmt.Sprintf(`{"i%d.b": %d}`, f, f))
		fields = append(fields, fmt.Sprintf(`"a.$[i%d].f%d": 1`, f, f))
	}
	var gone []string
	for i := range 800 {
		gone = append(gone, fmt.Sprintf(`"a.$[i%d].g%d": 1`, i%filters, i))
	}
	for i := range elements {
		b := i % (1 << filters)
		bits, set := []string{}, ""
		for f := range filters {
			if b>>f&1 != 0 {
				bits = append(bits, fmt.Sprint(f))
				set += fmt.Sprintf(`, "f%d": 1`, f)
			}
		}
		before := `{"b": [` + strings.Join(bits, `, `) + `]`
		docs, want = append(docs, before+`}`), append(want, before+set+`}`)
	}
	all := `{"$set": {` + strings.Join(fields, `, `) + `}, "$unset": {` + strings.Join(gone, `, `) + `}}`
	u, err := Compile(doctest.Document(t, all), doctest.List(t, `[`+strings.Join(conditions, `, `)+`]`))
	if err != nil {
		t.Fatal(err)
	}
	doc := doctest.Document(t, `{"a": [`+strings.Join(docs, `, `)+`]}`)
	a := run{Context: Context{Position: -1}, doc: doc}
	out, err := a.document(nil, u.root, doc)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out, doctest.Document(t, `{"a": [`+strings.Join(want, `, `)+`]}`)) {
		t.Errorf("got %s", bsoncore.Document(out))
	}
	if a.mergedSize > maxMerged || len(a.merged) >= 1<<filters-filters-1 {
		t.Errorf("%d sets with %d nodes are remembered", len(a.merged), a.mergedSize)
	}
}
