package kv

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestAnOrderedScanSeesTheWritesSentBeforeIt(t *testing.T) {
	w := newWorld(t, nil)
	a := newAnswers()
	for i := range 50 {
		set := wire.KVSet{Key: fmt.Append(nil, i)}
		w.Submit(wire.Request{Op: wire.OpKVSet, Tag: uint64(i), Flags: wire.FlagOrdered, Body: set.Append(nil)}, a)
	}
	if n := w.do(wire.OpKVCount, &wire.KVDB{}, 0).Num; n > 50 {
		t.Fatalf("counted %d", n)
	}
	count := newAnswers()
	w.Submit(wire.Request{Op: wire.OpKVCount, Tag: 1, Flags: wire.FlagOrdered, Body: (&wire.KVDB{}).Append(nil)}, count)
	if resp := count.wait(t, 1)[0]; resp.Num != 50 {
		t.Errorf("an ordered count behind 50 writes found %d: %v %s", resp.Num, resp.Code, resp.Body)
	}
	a.wait(t, 50)
}

func TestScansOverTheBoundsAreBusy(t *testing.T) {
	p := newPool(1, 2)
	defer p.close()
	hold, held := make(chan struct{}), make(chan struct{})
	submit := func(tag uint64, run func(*task)) *answers {
		a := newAnswers()
		p.add(p.open(a, &wire.Request{Tag: tag}, run))
		return a
	}
	ok := func(t *task) { t.answer(wire.Response{Num: 7}) }
	first := submit(1, func(t *task) { close(held); <-hold; t.answer(wire.Response{Num: 1}) })
	<-held
	second, third, fourth := submit(2, ok), submit(3, ok), submit(4, ok)
	if resp := fourth.wait(t, 1)[0]; resp.Code != wire.Busy || !strings.Contains(string(resp.Body), "-workers") {
		t.Errorf("over the bound a scan was answered %v %s", resp.Code, resp.Body)
	}
	if !p.cancel(third, 3) || p.cancel(third, 3) {
		t.Error("a waiting scan is withdrawn once")
	}
	if !p.cancel(first, 1) {
		t.Error("a running scan can be withdrawn")
	}
	close(hold)
	for i, c := range []struct {
		a    *answers
		code wire.Code
	}{{first, wire.Canceled}, {second, wire.OK}, {third, wire.Canceled}} {
		if resp := c.a.wait(t, 1)[0]; resp.Code != c.code {
			t.Errorf("scan %d was answered %v", i+1, resp.Code)
		}
	}
	p.close()
	if resp := submit(5, ok).wait(t, 1)[0]; resp.Code != wire.Unavailable {
		t.Errorf("after the end a scan was answered %v", resp.Code)
	}
	for _, a := range []*answers{first, second, third, fourth} {
		if n := len(a.wait(t, 1)); n != 1 {
			t.Errorf("%d answers to one scan", n)
		}
	}
}

func TestStatsNameWhatIsThere(t *testing.T) {
	w := newWorld(t, nil)
	w.set("a", "1")
	w.must(wire.OpKVSet, &wire.KVSet{Key: []byte("b"), Expiry: wire.Expiry{Kind: wire.ExpiryIn, Ms: 1e7}})
	w.must(wire.OpKVSet, &wire.KVSet{DB: 5, Key: []byte("c")})
	text := string(w.must(wire.OpKVStats, &wire.KVKey{}).Body)
	for _, line := range []string{"db0_keys 2\n", "db0_expires 1\n", "db5_keys 1\n", "db5_expires 0\n", "watchers 0\n", "revision "} {
		if !strings.Contains(text, line) {
			t.Errorf("%q is missing in\n%s", line, text)
		}
	}
}

func TestWhatWasAnsweredIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	w, stop := bootWorld(t, dir, nil)
	w.set("small", "1")
	w.set("large", strings.Repeat("x", 100<<10))
	w.must(wire.OpKVSwap, &wire.KVDB{DB: 0, Other: 1})
	w.set("after", "2")
	rev := w.set("last", "3")
	stop()
	w = startWorld(t, dir, nil)
	if v, _ := w.get("after"); v != "2" {
		t.Errorf("after is %q", v)
	}
	resp := w.must(wire.OpKVGet, &wire.KVKey{DB: 1, Key: []byte("large")})
	if len(resp.Body) != 100<<10 {
		t.Errorf("large has %d bytes", len(resp.Body))
	}
	if resp := w.must(wire.OpKVGet, &wire.KVKey{Key: []byte("last")}); resp.Rev != rev {
		t.Errorf("the version was %d and is %d", rev, resp.Rev)
	}
	if next := w.set("next", "4"); next <= rev {
		t.Errorf("revision %d came after %d", next, rev)
	}
}
