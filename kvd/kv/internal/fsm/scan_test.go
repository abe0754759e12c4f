package fsm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func never() error { return nil }

// pages goes through a scan page by page and returns its keys in order.
func pages(t *testing.T, b *bench, m wire.KVScan) (keys []string) {
	t.Helper()
	for range 10_000 {
		ans, _ := b.m.Scan(b.m.ops.Row(wire.OpKVScan), m.Append(nil), Request{Stop: never})
		if ans.Code != wire.OK {
			t.Fatalf("%v: %s", ans.Code, ans.Body)
		}
		r := wire.NewReader(ans.Body)
		last := slices.Clone(r.Bytes())
		n := uint64(0)
		for r.Len() > 0 {
			e := wire.TakeKVEntry(&r)
			keys = append(keys, string(e.Key))
			n++
			if m.Flags&wire.ScanKeysOnly == 0 && string(e.Value) != "v"+string(e.Key) {
				t.Fatalf("key %q came with value %q", e.Key, e.Value)
			}
		}
		if r.Err() != nil {
			t.Fatal(r.Err())
		}
		if m.Limit > 0 && n > m.Limit {
			t.Fatalf("a page of %d has %d entries", m.Limit, n)
		}
		if ans.Num == 0 {
			return keys
		}
		m.Flags |= wire.ScanAfter
		m.After = last
	}
	t.Fatal("the scan does not end")
	return nil
}

func TestPagesTogetherAreTheWholeRangeOnceAndInOrder(t *testing.T) {
	b := newBench(t, store.Options{Dir: t.TempDir()})
	defer b.Close()
	b.Now = 1000
	r := rand.New(rand.NewPCG(5, 5))
	all := map[string]bool{}
	for i := range 600 {
		key := fmt.Sprintf("%c%x", 'a'+r.IntN(3), r.IntN(5000))
		if r.IntN(20) == 0 {
			key += "\xff\xff"
		}
		m := wire.KVSet{Key: []byte(key), Value: []byte("v" + key)}
		b.apply(wire.OpKVSet, m.Append(nil), false)
		all[key] = true
		if i == 300 {
			<-b.Store.Rotate()
		}
		if i%7 == 0 {
			other := wire.KVSet{DB: 1, Key: []byte(key), Value: []byte("other")}
			b.apply(wire.OpKVSet, other.Append(nil), false)
		}
	}
	for range 200 {
		m := wire.KVScan{Limit: uint64(r.IntN(40)), Examine: uint64(r.IntN(60)), Flags: wire.ScanFlags(r.IntN(4))}
		if r.IntN(2) == 0 {
			m.Prefix = []byte{byte('a' + r.IntN(4))}
		}
		if r.IntN(2) == 0 {
			m.Start = fmt.Appendf(nil, "%c%x", 'a'+r.IntN(3), r.IntN(5000))
		}
		if r.IntN(2) == 0 {
			m.End = fmt.Appendf(nil, "%c%x", 'a'+r.IntN(3), r.IntN(5000))
		}
		if r.IntN(3) == 0 {
			m.Match = []byte("*[0-9a]")
		}
		var want []string
		for key := range all {
			if strings.HasPrefix(key, string(m.Prefix)) && key >= string(m.Start) && (len(m.End) == 0 || key < string(m.End)) &&
				(len(m.Match) == 0 || strings.ContainsAny(key[len(key)-1:], "0123456789a")) {
				want = append(want, key)
			}
		}
		slices.Sort(want)
		if m.Flags&wire.ScanReverse != 0 {
			slices.Reverse(want)
		}
		if got := pages(t, b, m); !slices.Equal(got, want) {
			t.Fatalf("%+v: got %d keys %q, want %d keys %q", m, len(got), got, len(want), want)
		}
	}
	counted, _ := b.m.Scan(b.m.ops.Row(wire.OpKVCount), (&wire.KVDB{Prefix: []byte("a")}).Append(nil), Request{Stop: never})
	if n := len(pages(t, b, wire.KVScan{Prefix: []byte("a")})); counted.Num != int64(n) {
		t.Errorf("counted %d keys, a scan finds %d", counted.Num, n)
	}
}

func TestARandomKeyIsAnyKey(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.Now = 1000
	for _, n := range []int{5, 3000} {
		for i := range n {
			b.apply(wire.OpKVSet, (&wire.KVSet{Key: fmt.Appendf(nil, "key:%06d", i*37)}).Append(nil), false)
		}
		seen := map[string]bool{}
		for seed := range uint64(400) {
			ans, _ := b.m.Scan(b.m.ops.Row(wire.OpKVRandom), (&wire.KVDB{}).Append(nil), Request{Stop: never, Seed: seed})
			if ans.Code != wire.OK {
				t.Fatalf("%v: %s", ans.Code, ans.Body)
			}
			seen[string(ans.Body)] = true
		}
		if len(seen) < min(n, 200) {
			t.Errorf("of %d keys only %d were ever found in 400 tries", n, len(seen))
		}
	}
}

func TestAScanThatNobodyWaitsForStops(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.Now = 1000
	for i := range 2000 {
		b.apply(wire.OpKVSet, (&wire.KVSet{Key: fmt.Append(nil, i)}).Append(nil), false)
	}
	stop := func() error { return &wire.Error{Code: wire.Canceled, Msg: "withdrawn"} }
	for op, body := range map[wire.Op][]byte{
		wire.OpKVScan:  (&wire.KVScan{Match: []byte("nothing")}).Append(nil),
		wire.OpKVCount: (&wire.KVDB{}).Append(nil),
	} {
		if ans, _ := b.m.Scan(b.m.ops.Row(op), body, Request{Stop: stop}); ans.Code != wire.Canceled {
			t.Errorf("%v went on to %v", op, ans.Code)
		}
	}
}

func TestGlobsMatchAsInRedis(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"*", "", true},
		{"*", "x", true},
		{"", "", true},
		{"", "x", false},
		{"a*", "a", true},
		{"a*b", "acb", true},
		{"a*b", "ac", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"[abc]", "b", true},
		{"[abc]", "d", false},
		{"[^abc]", "d", true},
		{"[^abc]", "a", false},
		{"[a-c]x", "bx", true},
		{"[c-a]x", "bx", true},
		{"[a-c", "b", true},
		{"\\*", "*", true},
		{"\\*", "x", false},
		{"[\\]]", "]", true},
		{"[a\\-c]", "b", false},
		{"h**o", "hello", true},
		{"a*a*a*b", "aaaaaaaaaaaaaaaa", false},
		{"[]", "a", false},
		{"[^]", "a", true},
		{"a\\", "a\\", true},
		{"?*", "", false},
		{"*?", "ab", true},
		{"**", "", false},
		{"a**", "a", true},
		{"[-a]", "-", true},
		{"[a-]", "-", false},
		{"[a-]", "^", true},
	} {
		if got := globMatch([]byte(c.pattern), []byte(c.s)); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.s, got)
		}
	}
	// A pattern that would take for ever without the cut after a star that cannot match.
	if globMatch([]byte(strings.Repeat("a*", 30)+"b"), []byte(strings.Repeat("a", 100_000))) {
		t.Error("a pattern without its b matches")
	}
}
