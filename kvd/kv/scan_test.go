package kv

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestAnOrderedScanSeesTheWritesSentBeforeIt(t *testing.T) {
	w := worlds.New(t, nil)
	a := enginetest.NewClient(t)
	for i := range 50 {
		set := wire.KVSet{Key: fmt.Append(nil, i)}
		w.Submit(wire.Request{Op: wire.OpKVSet, Tag: uint64(i), Flags: wire.FlagOrdered, Body: set.Append(nil)}, a)
	}
	if n := w.Do(wire.OpKVCount, &wire.KVDB{}, 0).Num; n > 50 {
		t.Fatalf("counted %d", n)
	}
	count := enginetest.NewClient(t)
	w.Submit(wire.Request{Op: wire.OpKVCount, Tag: 1, Flags: wire.FlagOrdered, Body: (&wire.KVDB{}).Append(nil)}, count)
	if resp := count.Answers(1)[0]; resp.Num != 50 {
		t.Errorf("an ordered count behind 50 writes found %d: %v %s", resp.Num, resp.Code, resp.Body)
	}
	a.Answers(50)
}

func TestStatsNameWhatIsThere(t *testing.T) {
	w := worlds.New(t, nil)
	w.set("a", "1")
	w.Must(wire.OpKVSet, &wire.KVSet{Key: []byte("b"), Expiry: wire.Expiry{Kind: wire.ExpiryIn, Ms: 1e7}})
	w.Must(wire.OpKVSet, &wire.KVSet{DB: 5, Key: []byte("c")})
	text := string(w.Must(wire.OpKVStats, &wire.KVKey{}).Body)
	for _, line := range []string{"db0_keys 2\n", "db0_expires 1\n", "db5_keys 1\n", "db5_expires 0\n", "watchers 0\n", "revision "} {
		if !strings.Contains(text, line) {
			t.Errorf("%q is missing in\n%s", line, text)
		}
	}
}

func TestWhatWasAnsweredIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	w := worlds.Start(t, dir, nil)
	w.set("small", "1")
	w.set("large", strings.Repeat("x", 100<<10))
	w.Must(wire.OpKVSwap, &wire.KVDB{DB: 0, Other: 1})
	w.set("after", "2")
	rev := w.set("last", "3")
	w.Stop()
	w = worlds.Start(t, dir, nil)
	if v, _ := w.get("after"); v != "2" {
		t.Errorf("after is %q", v)
	}
	resp := w.Must(wire.OpKVGet, &wire.KVKey{DB: 1, Key: []byte("large")})
	if len(resp.Body) != 100<<10 {
		t.Errorf("large has %d bytes", len(resp.Body))
	}
	if resp := w.Must(wire.OpKVGet, &wire.KVKey{Key: []byte("last")}); resp.Rev != rev {
		t.Errorf("the version was %d and is %d", rev, resp.Rev)
	}
	if next := w.set("next", "4"); next <= rev {
		t.Errorf("revision %d came after %d", next, rev)
	}
}
