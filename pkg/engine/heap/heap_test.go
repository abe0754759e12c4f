package heap

import (
	"math/rand/v2"
	"slices"
	"testing"
)

type thing struct{ value, at int }

func newThings() Heap[*thing] {
	return New(func(a, b *thing) bool { return a.value < b.value }, func(t *thing, i int) { t.at = i })
}

// check looks whether every thing knows where it is, and none is less than the one above it.
func check(t *testing.T, h *Heap[*thing]) {
	t.Helper()
	for i, x := range h.Items() {
		if x.at != i {
			t.Fatalf("a thing is at %d and believes to be at %d", i, x.at)
		}
		if i > 0 && x.value < h.Items()[(i-1)/2].value {
			t.Fatalf("%d at %d is above %d", h.Items()[(i-1)/2].value, (i-1)/2, x.value)
		}
	}
}

func TestThingsComeOutInTheirOrder(t *testing.T) {
	h := New(func(a, b int) bool { return a < b }, nil)
	want := rand.New(rand.NewPCG(1, 2)).Perm(200)
	for _, n := range want {
		h.Push(n)
	}
	slices.Sort(want)
	var got []int
	for h.Len() > 0 {
		first := h.First()
		if n := h.Remove(0); n != first {
			t.Fatalf("%d was first, %d was removed", first, n)
		}
		got = append(got, first)
	}
	if !slices.Equal(got, want) {
		t.Errorf("they came as %v", got)
	}
}

func TestAHeapStaysOneWhateverHappensToIt(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	h := newThings()
	var in []*thing
	for range 20_000 {
		k := -1
		if len(in) > 0 {
			k = r.IntN(len(in))
		}
		switch n := r.IntN(4); {
		case k < 0 || n == 0 && len(in) < 100:
			in = append(in, &thing{value: r.IntN(50), at: -1})
			h.Push(in[len(in)-1])
		case n == 1:
			x := in[k]
			x.value = r.IntN(1000) // Remove does not look at it
			if h.Remove(x.at) != x || x.at != -1 {
				t.Fatalf("another was removed, or it believes to be at %d", x.at)
			}
			in = slices.Delete(in, k, k+1)
		default:
			in[k].value = r.IntN(50)
			h.Fix(in[k].at)
		}
		if h.Len() != len(in) {
			t.Fatalf("there are %d of %d", h.Len(), len(in))
		}
		check(t, &h)
	}
}

func TestWhatIsRemovedIsNotKeptInMemory(t *testing.T) {
	h := newThings()
	for n := range 10 {
		h.Push(&thing{value: n})
	}
	for h.Len() > 0 {
		h.Remove(h.Len() / 2)
	}
	if all := h.Items()[:10]; slices.ContainsFunc(all, func(x *thing) bool { return x != nil }) {
		t.Errorf("left is %v", all)
	}
}

func BenchmarkHeap(b *testing.B) {
	h := newThings()
	all := make([]thing, 10_000)
	for i := range all {
		all[i].value = i * 7919 % 10_007
		h.Push(&all[i])
	}
	b.ReportAllocs()
	for b.Loop() {
		x := h.Remove(0)
		x.value += 10_007
		h.Push(x)
	}
}
