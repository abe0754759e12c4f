package replica

import (
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestOneVoterAnswersAndKeepsWhatItAnswered(t *testing.T) {
	n := single(t)
	for i := range 100 {
		r := n.must(opIncr, []byte("n"))
		if r.Num != int64(i+1) || r.Rev != uint64(i+1) {
			t.Fatalf("increment %d gave %d at revision %d", i+1, r.Num, r.Rev)
		}
	}
	n.must(opSet, pair("k", "v"))
	if !n.CanRead() || n.get("k") != "v" {
		t.Fatalf("the write is not there: %q", n.get("k"))
	}
	n = n.restart()
	n.lead()
	if got := n.must(opIncr, []byte("n")); got.Num != 101 || got.Rev != 102 {
		t.Fatalf("after a restart the counter is %d at revision %d", got.Num, got.Rev)
	}
	if n.get("k") != "v" {
		t.Fatal("the value is gone")
	}
}

func TestAFullPipeIsAnsweredInOrder(t *testing.T) {
	n := single(t)
	c := newCollector()
	const total = 5000
	for i := range total {
		n.Propose(&wire.Request{Op: opIncr, Tag: uint64(i), Body: []byte("n")}, false, c)
	}
	for i := range total {
		if r := c.wait(t, uint64(i)); r.Num != int64(i+1) {
			t.Fatalf("command %d was executed as number %d", i, r.Num)
		}
	}
}

func TestAnOrderedReadSeesTheWriteBeforeIt(t *testing.T) {
	n := single(t)
	c := newCollector()
	for i := range 500 {
		n.Propose(&wire.Request{Op: opSet, Tag: uint64(2 * i), Body: pair("k", fmt.Sprint(i))}, false, c)
		n.Propose(&wire.Request{Op: opGet, Tag: uint64(2*i + 1), Body: []byte("k")}, true, c)
	}
	for i := range 500 {
		w, r := c.wait(t, uint64(2*i)), c.wait(t, uint64(2*i+1))
		if string(r.Body) != fmt.Sprint(i) || r.Rev != w.Rev {
			t.Fatalf("read %d saw %q at revision %d, the write was at %d", i, r.Body, r.Rev, w.Rev)
		}
	}
}
