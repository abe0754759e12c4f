package kv

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// openWatch starts a watch and waits until it stands. The first answer is left in the returned answers.
func (w *world) openWatch(m *wire.KVWatch, credits int) (*enginetest.Client, wire.Response) {
	w.T.Helper()
	a := enginetest.NewClient(w.T)
	w.Submit(wire.Request{Op: wire.OpKVWatch, Tag: 1, Body: m.Append(nil)}, a)
	first := a.Answers(1)[0]
	w.Credit(a, 1, credits)
	return a, first
}

func TestAWatchTellsEveryChangeOnceAndInOrder(t *testing.T) {
	w := worlds.New(t, nil)
	w.set("w:0", "before")
	a, first := w.openWatch(&wire.KVWatch{Prefix: []byte("w:")}, 1<<20)
	if !first.More || first.Rev == 0 || len(first.Body) != 0 {
		t.Fatalf("the first answer is %+v", first)
	}
	var wg sync.WaitGroup
	const clients, each = 8, 50
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				w.set(fmt.Sprintf("w:%d", c), fmt.Sprint(i))
				w.set(fmt.Sprintf("other:%d", c), "x")
			}
		})
	}
	wg.Wait()
	w.Must(wire.OpKVDel, &wire.KVDel{Key: []byte("w:0")})
	var got []wire.KVEvent
	for n := 1; len(got) < clients*each+1; n++ {
		got = events(t, a.Answers(n))
	}
	next := map[string]int{}
	for i, e := range got {
		if i > 0 && e.Rev < got[i-1].Rev || e.Rev <= first.Rev {
			t.Fatalf("event %d is of revision %d after %d", i, e.Rev, got[i-1].Rev)
		}
		if e.Kind == wire.EventDelete {
			continue
		}
		key := string(e.Key)
		if !strings.HasPrefix(key, "w:") || string(e.Value) != fmt.Sprint(next[key]) {
			t.Fatalf("event %d: %q is %q, %d was to come", i, e.Key, e.Value, next[key])
		}
		next[key]++
	}
	if last := got[len(got)-1]; last.Kind != wire.EventDelete || string(last.Key) != "w:0" {
		t.Errorf("the last event is %+v", last)
	}
	// From a revision in the middle: what came from there on, again.
	from := got[200].Rev
	b, _ := w.openWatch(&wire.KVWatch{Prefix: []byte("w:"), From: from}, 1<<20)
	var again []wire.KVEvent
	for n := 1; len(again) < len(got)-200; n++ {
		again = events(t, b.Answers(n))
	}
	if again[0].Rev != from || len(again) != len(got)-200 {
		t.Errorf("from revision %d on %d events came, the first of %d", from, len(again), again[0].Rev)
	}
}

func TestAnAnswerOfAWatchEndsBetweenRevisions(t *testing.T) {
	w := worlds.New(t, nil)
	a, _ := w.openWatch(&wire.KVWatch{DB: wire.AllDatabases}, 0)
	const sets, pairs = 30, 40
	for i := range sets {
		m := wire.KVMSet{DB: byte(i % 16)}
		for p := range pairs {
			m.Pairs = append(m.Pairs, wire.KVPair{Key: fmt.Appendf(nil, "%d:%d", i, p), Value: make([]byte, 1000)})
		}
		w.Must(wire.OpKVMSet, &m)
	}
	total := 0
	for n := 2; total < sets*pairs; n++ {
		w.Credit(a, 1, 1)
		all := a.Answers(n)
		if len(all) != n {
			t.Fatalf("%d answers for %d credits", len(all)-1, n-1)
		}
		one := events(t, all[n-1:])
		total += len(one)
		if len(one)%pairs != 0 {
			t.Fatalf("an answer has %d events: a revision of %d was torn", len(one), pairs)
		}
		if one[len(one)-1].Rev > all[n-1].Rev {
			t.Fatalf("an answer that covers revision %d has an event of %d", all[n-1].Rev, one[len(one)-1].Rev)
		}
	}
}

func TestASlowWatchIsToldThatItIsTooLateAndHoldsNobodyUp(t *testing.T) {
	w := worlds.New(t, func(c *Config) { c.WatchRing = 1 << 20 })
	first := w.set("k", "v")
	slow, _ := w.openWatch(&wire.KVWatch{}, 0)
	value := strings.Repeat("x", 64<<10)
	for range 40 {
		w.set("k", value)
	}
	w.Credit(slow, 1, 1)
	all := slow.Answers(2)
	if last := all[1]; last.Code != wire.Compacted || last.More {
		t.Errorf("the slow watch was told %+v", last)
	}
	late := enginetest.NewClient(t)
	w.Submit(wire.Request{Op: wire.OpKVWatch, Tag: 9, Body: (&wire.KVWatch{From: first}).Append(nil)}, late)
	if resp := late.Answers(1)[0]; resp.Code != wire.Compacted {
		t.Errorf("a watch from a revision that has gone was told %v", resp.Code)
	}
}

func TestAWatchOfWhatHardlyChangesIsToldHowFarItIs(t *testing.T) {
	w := worlds.New(t, func(c *Config) { c.WatchRing = 1 << 20 })
	a, first := w.openWatch(&wire.KVWatch{Prefix: []byte("quiet")}, 100)
	value := strings.Repeat("x", 64<<10)
	for range 30 {
		w.set("loud", value)
	}
	all := a.Answers(2)
	if p := all[1]; !p.More || len(p.Body) != 0 || p.Rev <= first.Rev {
		t.Errorf("it was told %+v", p)
	}
}

func TestWatchesEndWhenTheEngineStops(t *testing.T) {
	w := worlds.Start(t, t.TempDir(), nil)
	a, _ := w.openWatch(&wire.KVWatch{}, 1)
	w.Stop()
	all := a.Answers(2)
	if last := all[1]; last.More || last.Code != wire.Unavailable {
		t.Errorf("the watch ended with %+v", last)
	}
}

// events decodes what watch answers tell.
func events(t testing.TB, answers []wire.Response) (all []wire.KVEvent) {
	t.Helper()
	for _, resp := range answers {
		r := wire.NewReader(resp.Body)
		for r.Len() > 0 {
			all = append(all, wire.TakeKVEvent(&r))
		}
		if r.Err() != nil {
			t.Fatal(r.Err())
		}
	}
	return all
}
