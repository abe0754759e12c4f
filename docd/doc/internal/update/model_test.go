package update

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// model does to maps what an update does to bytes.
type model map[string]any

func (m model) set(path string, v any) {
	first, rest, more := strings.Cut(path, ".")
	if !more {
		m[first] = v
		return
	}
	below, ok := m[first].(model)
	if !ok {
		below = model{}
		m[first] = below
	}
	below.set(rest, v)
}

func (m model) get(path string) (any, bool) {
	first, rest, more := strings.Cut(path, ".")
	v, ok := m[first]
	if !more || !ok {
		return v, ok
	}
	below, ok := v.(model)
	if !ok {
		return nil, false
	}
	return below.get(rest)
}

func (m model) unset(path string) {
	at := strings.LastIndex(path, ".")
	if at < 0 {
		delete(m, path)
	} else if below, ok := m.get(path[:at]); ok {
		if below, ok := below.(model); ok {
			delete(below, path[at+1:])
		}
	}
}

func (m model) clone() model {
	c := maps.Clone(m)
	for k, v := range c {
		if below, ok := v.(model); ok {
			c[k] = below.clone()
		}
	}
	return c
}

// blocked reports that a number is on the way to a path.
func (m model) blocked(path string) bool {
	for i, ch := range path {
		if ch == '.' {
			if v, ok := m.get(path[:i]); ok {
				if _, isModel := v.(model); !isModel {
					return true
				}
			}
		}
	}
	return false
}

func TestRandomUpdatesAgreeWithAModelOfMaps(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	paths := []string{"a", "b", "c.x", "c.y", "c.z.p", "d.e.f", "d.e.g", "d.h", "n"}
	for range 5000 {
		m := model{"_id": int32(1)}
		for range r.IntN(6) {
			if p := paths[r.IntN(len(paths))]; !m.blocked(p) {
				m.set(p, int32(r.IntN(4)))
			}
		}
		before := m.clone()
		ops := map[string]map[string]any{}
		picked := slices.Clone(paths)
		r.Shuffle(len(picked), func(i, j int) { picked[i], picked[j] = picked[j], picked[i] })
		for _, p := range picked[:r.IntN(4)] {
			op, n := []string{"$set", "$unset", "$inc", "$max"}[r.IntN(4)], int32(r.IntN(4))
			if ops[op] == nil {
				ops[op] = map[string]any{}
			}
			ops[op][p] = n
			old, ok := m.get(p)
			switch {
			case op == "$unset":
				m.unset(p)
			case op == "$set" || !ok:
				m.set(p, n)
			case op == "$inc":
				m.set(p, old.(int32)+n)
			default:
				m.set(p, max(old.(int32), n))
			}
		}
		source, err := bson.Marshal(ops)
		if err != nil {
			t.Fatal(err)
		}
		if len(ops) == 0 {
			continue // that would be a replacement
		}
		doc, err := bson.Marshal(before)
		if err != nil {
			t.Fatal(err)
		}
		u, err := Compile(source, nil)
		if err != nil {
			t.Fatal(err)
		}
		out, changed, err := u.Apply(nil, doc, Context{})
		if err != nil {
			t.Fatalf("%v on %v: %v", ops, before, err)
		}
		var got bson.M
		if err := bson.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprint(m); normal(got) != want || changed == reflect.DeepEqual(before, m) {
			t.Fatalf("%v on %v: got %v, changed %v, want %v", ops, before, normal(got), changed, want)
		}
	}
}

// normal writes a document as fmt writes a model.
func normal(v any) string {
	var convert func(v any) any
	convert = func(v any) any {
		switch v := v.(type) {
		case bson.M:
			m := model{}
			for k, x := range v {
				m[k] = convert(x)
			}
			return m
		case bson.D:
			m := model{}
			for _, e := range v {
				m[e.Key] = convert(e.Value)
			}
			return m
		}
		return v
	}
	return fmt.Sprint(convert(v))
}
