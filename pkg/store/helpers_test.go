package store

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"
)

// opened opens a store for a test and closes it at its end.
func opened(t testing.TB, o Options) *Store {
	t.Helper()
	if o.OnFault == nil {
		o.OnFault = func(err error) { t.Errorf("fault: %v", err) }
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// set commits one value as one entry.
func set(s *Store, key, head, body string) {
	b := s.Begin()
	b.Set([]byte(key), []byte(head), []byte(body))
	b.Commit()
	advance(s)
}

func del(s *Store, key string) {
	b := s.Begin()
	b.Delete([]byte(key))
	b.Commit()
	advance(s)
}

// advance ends a log entry.
func advance(s *Store) {
	p := s.Applied()
	s.Advance(Position{Index: p.Index + 1, Term: 1, Revision: p.Revision + 1, Time: p.Time + 1, Conf: []byte("conf"), ConfIndex: 1})
}

// flushed makes everything durable.
func flushed(t testing.TB, s *Store) {
	t.Helper()
	if err := <-s.Rotate(); err != nil {
		t.Fatal(err)
	}
}

// model is what a store should hold: head and body of each key.
type model map[string][2]string

// expect compares a store with a model in every way it can be read.
func (m model) expect(t testing.TB, s *Store) {
	t.Helper()
	v := s.View()
	defer v.Close()
	m.expectView(t, v)
	var keys [][]byte
	for _, k := range slices.Sorted(maps.Keys(m)) {
		keys = append(keys, []byte(k))
		got, ok, err := s.Get([]byte(k), nil)
		if err != nil || !ok || string(got.Head) != m[k][0] || string(got.Body) != m[k][1] {
			t.Fatalf("Get(%q) = %.20q %.20q, %v, %v; want %.20q %.20q", k, got.Head, got.Body, ok, err, m[k][0], m[k][1])
		}
		head, size, ok, err := s.Head([]byte(k), nil)
		if err != nil || !ok || string(head) != m[k][0] || size != len(m[k][1]) {
			t.Fatalf("Head(%q) = %q, %d, %v, %v; want %q, %d", k, head, size, ok, err, m[k][0], len(m[k][1]))
		}
	}
	keys = append(keys, []byte("no such key"))
	next := 0
	err := s.GetMany(keys, func(i int, v Value, ok bool) error {
		if i != next {
			return fmt.Errorf("GetMany came to %d, want %d", i, next)
		}
		next++
		want, there := m[string(keys[i])]
		if ok != there || string(v.Head) != want[0] || string(v.Body) != want[1] {
			return fmt.Errorf("GetMany: %q is %q %.20q, %v", keys[i], v.Head, v.Body, ok)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (m model) expectView(t testing.TB, v *View) {
	t.Helper()
	keys := slices.Sorted(maps.Keys(m))
	m.expectRange(t, v, keys, nil, nil)
	if len(keys) > 3 {
		from, to := keys[len(keys)/4], keys[3*len(keys)/4]
		lo, _ := slices.BinarySearch(keys, from)
		hi, _ := slices.BinarySearch(keys, to)
		m.expectRange(t, v, keys[lo:hi], []byte(from), []byte(to))
	}
}

func (m model) expectRange(t testing.TB, v *View, keys []string, from, to []byte) {
	t.Helper()
	for _, reverse := range []bool{false, true} {
		want := slices.Clone(keys)
		if reverse {
			slices.Reverse(want)
		}
		i := 0
		err := v.Iterate(from, to, IterOptions{Reverse: reverse}, func(key []byte, val Value) bool {
			if i >= len(want) || string(key) != want[i] {
				t.Errorf("reverse=%v: key %d is %q, want %q", reverse, i, key, append(want, "none")[min(i, len(want))])
				return false
			}
			if w := m[want[i]]; string(val.Head) != w[0] || !bytes.Equal(val.Body, []byte(w[1])) {
				t.Errorf("%q is %q %.20q (%d bytes), want %q %.20q (%d bytes)", key, val.Head, val.Body, len(val.Body), w[0], w[1], len(w[1]))
			}
			i++
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		if i != len(want) && !t.Failed() {
			t.Errorf("reverse=%v: %d keys, want %d", reverse, i, len(want))
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}
