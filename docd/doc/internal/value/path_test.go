package value

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
)

func TestPathsGoThroughArrays(t *testing.T) {
	for _, line := range lines(t, "walk.txt") {
		path, doc, want := parse(t, line)
		var got []string
		Traverse(doc, path, true, func(v bsoncore.Value, exists bool, index int) bool {
			s := "missing"
			if exists {
				s = strings.ReplaceAll(show(v), " ", "")
			}
			if index >= 0 {
				s += fmt.Sprint("@", index)
			}
			got = append(got, s)
			return true
		})
		if strings.Join(got, " ") != want {
			t.Errorf("%s\n got %s", line, strings.Join(got, " "))
		}
		for stop := 1; stop <= len(got); stop++ {
			n := 0
			Walk(doc, path, func(bsoncore.Value, bool) bool { n++; return n < stop })
			if n != stop {
				t.Errorf("%s: told to stop after %d, and got %d", line, stop, n)
			}
		}
	}
}

func TestLookupTakesNamesAndPositions(t *testing.T) {
	doc := doctest.Document(t, `{"a": {"b": [10, {"c": 20}]}, "0": 5, "a.b": 6}`)
	for path, want := range map[string]string{
		"a.b.0": "10", "a.b.1.c": "20", "0": "5", "a.b": `[10,{"c":20}]`, "a.b.c": "", "a.x": "", "x.y": "", "0.a": "", "": "", "a.b.2": "", "a.b.00": "",
	} {
		v, ok := Lookup(doc, path)
		got := ""
		if ok {
			got = show(v)
		}
		if got != want {
			t.Errorf("%q is %s, want %s", path, got, want)
		}
	}
}

// TestADeepPathOfNumbersIsBounded: each array may take a number for itself or leave it to its documents. Without a bound
// this document would take 2^40 steps.
func TestADeepPathOfNumbersIsBounded(t *testing.T) {
	text := `1`
	for range 48 {
		text = `[{"0": ` + text + `}]`
	}
	steps := 0
	Walk(doctest.Document(t, `{"a": `+text+`}`), "a"+strings.Repeat(".0", 80), func(bsoncore.Value, bool) bool { steps++; return true })
	if steps > 1<<(forks+1) {
		t.Errorf("%d steps", steps)
	}
}

func keyFields(spec string) []KeyField {
	var fields []KeyField
	for f := range strings.SplitSeq(spec, ",") {
		path, desc := strings.CutPrefix(f, "-")
		fields = append(fields, KeyField{Path: path, Desc: desc})
	}
	return fields
}

func TestKeysOfArraysAreThoseOfTheirElements(t *testing.T) {
	var k Keyer
	for _, line := range lines(t, "keys.txt") {
		spec, doc, want := parse(t, line)
		fields := keyFields(spec)
		var wanted [][]byte
		multikey, missing, failure := strings.Contains(want, "multikey"), strings.Contains(want, "missing"), int32(0)
		if _, err := fmt.Sscanf(want, "error %d", &failure); err != nil {
			for part := range strings.SplitSeq(want, " ") {
				if part[0] != '[' {
					continue
				}
				var key []byte
				for i, v := range values(t, part) {
					key = AppendKey(key, v, fields[i].Desc)
				}
				wanted = append(wanted, key)
			}
		}
		var got [][]byte
		shape, err := k.Keys(doc, fields, func(key []byte) { got = append(got, bytes.Clone(key)) })
		if failure != 0 {
			if err == nil || codeOf(err) != failure {
				t.Errorf("%s: error %v", line, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if !bytes.Equal(bytes.Join(got, []byte("|")), bytes.Join(wanted, []byte("|"))) {
			t.Errorf("%s\n got %x\nwant %x", line, got, wanted)
		}
		if shape.Multikey != multikey || shape.Missing != missing {
			t.Errorf("%s: %+v", line, shape)
		}
		least, err := k.Least([]byte("x"), doc, fields)
		if err != nil || !bytes.Equal(least[1:], wanted[0]) {
			t.Errorf("%s: the least key is %x, %v", line, least, err)
		}
	}
}

// TestTheLeastKeyAloneIsBuilt: a sort by an array of many elements and a long field must not build, nor compare, the long one for
// each element.
func TestTheLeastKeyAloneIsBuilt(t *testing.T) {
	long := `"` + strings.Repeat("y", 10_000) + `"`
	for _, c := range []struct{ fields, doc, want string }{
		{"a,s", `{"a": [3, 2, 1, 4], "s": ` + long + `}`, `[1, ` + long + `]`},
		{"-a,s", `{"a": [1, 2, 3, 3], "s": ` + long + `}`, `[3, ` + long + `]`},
		{"s,a", `{"a": [3, 2, 1], "s": ` + long + `}`, `[` + long + `, 1]`},
		{"a.b,a.c,s", `{"a": [{"b": 1, "c": 5}, {"b": 1, "c": 4}, {"b": 1, "c": 6}, {"c": 7}], "s": ` + long + `}`, `[null, 7, ` + long + `]`},
		{"a.s,a.c", `{"a": [{"s": ` + long + `, "c": [5, 3]}, {"s": ` + long + `, "c": [4, 2, 4]}]}`, `[` + long + `, 2]`},
		{"a.s,-a.c", `{"a": [{"s": ` + long + `, "c": [5, 3]}, {"s": "z", "c": 9}, {"s": ` + long + `, "c": [4, 7]}]}`, `[` + long + `, 7]`},
	} {
		fields := keyFields(c.fields)
		var want []byte
		for i, v := range values(t, c.want) {
			want = AppendKey(want, v, fields[i].Desc)
		}
		var k Keyer
		dst := make([]byte, 1, 1+len(want)) // there is no room for anything else
		got, err := k.Least(dst, doctest.Document(t, c.doc), fields)
		if err != nil || !bytes.Equal(got[1:], want) {
			t.Errorf("%s of %.40s: %.60q, %v", c.fields, c.doc, got, err)
			continue
		}
		if len(k.buf) != 0 || cap(k.buf) != 0 || &got[0] != &dst[0] {
			t.Errorf("%s of %.40s: more than the least key was built: %d bytes of others", c.fields, c.doc, cap(k.buf))
		}
	}
}

// TestTheLeastKeyIsTheFirst compares Least, which compares values, with Keys, which sorts bytes.
func TestTheLeastKeyIsTheFirst(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	parts := []string{`1`, `1.5`, `"x"`, `null`, `[]`, `[1, "x"]`, `{"b": 1}`, `{"b": [2, 1]}`, `{"b": [], "c": 1}`, `{"c": {"d": [3, 1]}}`, `{"$undefined": true}`, `true`, `{"$numberDecimal": "1"}`}
	some := func(n int) string {
		var list []string
		for range r.IntN(n) {
			list = append(list, parts[r.IntN(len(parts))])
		}
		return `[` + strings.Join(list, ",") + `]`
	}
	specs := []string{"a", "-a", "a.b,s", "-a.b,a.c", "s,a.b", "a.c.d,-s,a.b", "a,a.b", "a.0,s", "-a.1.b,a.c"}
	compared := 0
	for range 20_000 {
		doc := doctest.Document(t, `{"a": `+some(5)+`, "s": `+parts[r.IntN(len(parts))]+`}`)
		fields := keyFields(specs[r.IntN(len(specs))])
		var k Keyer
		var first []byte
		_, err := k.Keys(doc, fields, func(key []byte) {
			if first == nil {
				first = bytes.Clone(key)
			}
		})
		if err != nil {
			continue
		}
		compared++
		if least, err := k.Least(nil, doc, fields); err != nil || !bytes.Equal(least, first) {
			t.Fatalf("%v of %s: the first is %x, the least %x, %v", fields, doc, first, least, err)
		}
	}
	if compared < 10_000 {
		t.Errorf("only %d compared", compared)
	}
}

func TestTooManyKeysAreRefused(t *testing.T) {
	start, doc := Begin(nil)
	doc = append(doc, byte(Array), 'a', 0)
	inner, doc := Begin(doc)
	for i := range MaxIndexKeys + 1 {
		doc = append(AppendIndexName(append(doc, byte(Int32)), i), 0, byte(i), byte(i>>8), byte(i>>16), 0)
	}
	doc = End(End(doc, inner), start)
	_, err := Keys(doc, keyFields("a"), func([]byte) {})
	if err == nil || codeOf(err) != CannotBuildIndexKeys {
		t.Errorf("error %v", err)
	}
	var k Keyer
	if least, err := k.Least(nil, doc, keyFields("a")); err != nil || !bytes.Equal(least, AppendKey(nil, OfInt32(0), false)) {
		t.Errorf("the least is %x, %v", least, err)
	}
}
