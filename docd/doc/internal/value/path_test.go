package value

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
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
	doc := document(t, `{"a": {"b": [10, {"c": 20}]}, "0": 5, "a.b": 6}`)
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
	Walk(document(t, `{"a": `+text+`}`), "a"+strings.Repeat(".0", 80), func(bsoncore.Value, bool) bool { steps++; return true })
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
