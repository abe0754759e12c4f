package store

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestStoreBehavesLikeAMap does random things to a store and to a map, opens the store again from time to time, and
// compares them in every way a store can be read.
func TestStoreBehavesLikeAMap(t *testing.T) {
	t.Parallel()
	for _, memory := range []bool{false, true} {
		t.Run(fmt.Sprintf("memory=%v", memory), func(t *testing.T) {
			for seed := range uint64(3) {
				testModel(t, seed, memory)
			}
		})
	}
}

func testModel(t *testing.T, seed uint64, memory bool) {
	rnd := rand.New(rand.NewPCG(seed, 7))
	o := Options{Dir: t.TempDir(), Memory: memory, CacheSize: 32 << 20, OnFault: func(err error) { t.Errorf("fault: %v", err) }}
	o.hooks.idle = time.Millisecond
	o.hooks.blobFile = 64 << 10
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { s.Close() }()
	m := model{}
	for round := range 150 {
		for range rnd.IntN(20) {
			b := s.Begin()
			pending := model{}
			gone := map[string]bool{}
			for range 1 + rnd.IntN(12) {
				k := fmt.Sprintf("k%03d", rnd.IntN(150))
				if rnd.IntN(4) == 0 {
					b.Delete([]byte(k))
					delete(pending, k)
					gone[k] = true
					continue
				}
				v := [2]string{strings.Repeat("h", rnd.IntN(4)), randomBody(rnd)}
				b.Set([]byte(k), []byte(v[0]), []byte(v[1]))
				pending[k] = v
				delete(gone, k)
			}
			k := fmt.Sprintf("k%03d", rnd.IntN(150))
			want, there := m[k]
			if p, ok := pending[k]; ok {
				want, there = p, true
			} else if gone[k] {
				there = false
			}
			got, ok, err := b.Get([]byte(k), nil)
			if err != nil || ok != there || ok && (string(got.Head) != want[0] || string(got.Body) != want[1]) {
				t.Fatalf("seed %d round %d: Batch.Get(%q) = %q %.20q %v %v, want %q %.20q %v", seed, round, k, got.Head, got.Body, ok, err, want[0], want[1], there)
			}
			if rnd.IntN(5) == 0 {
				b.Discard()
				continue
			}
			b.Commit()
			for k := range gone {
				delete(m, k)
			}
			maps.Copy(m, pending)
			if rnd.IntN(3) > 0 {
				advance(s)
			}
		}
		advance(s)
		if rnd.IntN(3) == 0 {
			s.Rotate()
		}
		if rnd.IntN(6) == 0 {
			m.expect(t, s)
		}
		if memory || rnd.IntN(25) > 0 {
			continue
		}
		flushed(t, s)
		want := s.Applied()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = Open(o); err != nil {
			t.Fatal(err)
		}
		if got := s.Durable(); got.Index != want.Index || string(got.Conf) != string(want.Conf) || got.Time != want.Time {
			t.Fatalf("after reopening the position is %+v, want %+v", got, want)
		}
		m.expect(t, s)
	}
	m.expect(t, s)
}

func randomBody(rnd *rand.Rand) string {
	sizes := []int{0, 1, 30, 512, 513, 3000, 70_000}
	return strings.Repeat(string(rune('a'+rnd.IntN(26))), sizes[rnd.IntN(len(sizes))])
}
