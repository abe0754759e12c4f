package fsm

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// manyKeys makes n keys of size bytes.
func manyKeys(n, size int) (keys [][]byte) {
	for i := range n {
		keys = append(keys, append(fmt.Appendf(nil, "%06d", i), bytes.Repeat([]byte{'k'}, size-6)...))
	}
	return keys
}

func TestBoundsAreJudgedBeforeProposingAndAgainAtApply(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.Now = 1000
	desk := NewDesk(b.m, func() int64 { return b.Now })
	long := bytes.Repeat([]byte{'x'}, wire.MaxKey+1)
	var wide wire.KVMSet
	for _, k := range manyKeys(200, 50_000) {
		wide.Pairs = append(wide.Pairs, wire.KVPair{Key: k})
	}
	var deep wire.KVTxn
	for range 6 {
		m := wire.KVMSet{}
		for _, k := range manyKeys(wire.MaxBatch, 8) {
			m.Pairs = append(m.Pairs, wire.KVPair{Key: k})
		}
		deep.Ops = append(deep.Ops, wire.KVOp{Op: wire.OpKVMSet, Body: m.Append(nil)})
	}
	for _, c := range []struct {
		name string
		op   wire.Op
		body []byte
		both bool // apply refuses it as well: otherwise it is this node's configuration
	}{
		{"a key over the limit", wire.OpKVSet, (&wire.KVSet{Key: long}).Append(nil), true},
		{"a key over the limit that is read", wire.OpKVGet, (&wire.KVKey{Key: long}).Append(nil), true},
		{"a key over the limit behind others", wire.OpKVMDel, (&wire.KVKeys{Keys: [][]byte{[]byte("a"), long}}).Append(nil), true},
		{"a value over the limit", wire.OpKVSet, (&wire.KVSet{Value: make([]byte, wire.MaxValue+1)}).Append(nil), false},
		{"a value over the limit in a batch", wire.OpKVMSet, (&wire.KVMSet{Pairs: []wire.KVPair{{Value: make([]byte, wire.MaxValue+1)}}}).Append(nil), false},
		{"too many bytes of keys", wire.OpKVMSet, wide.Append(nil), true},
		{"too many entries", wire.OpKVTxn, deep.Append(nil), true},
		{"too many keys", wire.OpKVMGet, (&wire.KVKeys{Keys: make([][]byte, wire.MaxBatch+1)}).Append(nil), true},
	} {
		before := b.Hash()
		if err := desk.Rehearse(b.m.ops.Row(c.op), c.body); wire.CodeOf(err) != wire.TooLarge {
			t.Errorf("%s: before proposing it was %v", c.name, err)
		}
		if !c.both {
			continue
		}
		if ans := b.apply(c.op, c.body, false); ans.Code != wire.TooLarge {
			t.Errorf("%s: at apply it was %v %s", c.name, ans.Code, ans.Body)
		}
		if b.Hash() != before {
			t.Errorf("%s: something was written", c.name)
		}
	}
}

func TestACommandThatMakesTooMuchOfWhatIsThereChangesNothing(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.Now = 1000
	b.apply(wire.OpKVSet, (&wire.KVSet{Key: []byte("big"), Value: make([]byte, 6<<20)}).Append(nil), false)
	var m wire.KVTxn
	for i := range 20 {
		c := wire.KVCopy{Src: []byte("big"), Dst: fmt.Appendf(nil, "copy%d", i)}
		m.Ops = append(m.Ops, wire.KVOp{Op: wire.OpKVCopy, Body: c.Append(nil)})
	}
	before := b.Hash()
	if ans := b.apply(wire.OpKVTxn, m.Append(nil), false); ans.Code != wire.TooLarge {
		t.Errorf("answered %v %s", ans.Code, ans.Body)
	}
	if b.Hash() != before {
		t.Error("something was written")
	}
	at, _, _ := b.ring.Seek(0)
	if s, _ := b.ring.Read(at); len(s.Events) != 0 {
		t.Error("watchers were told")
	}
	// A value grows up to the hard limit and no further, on every replica alike.
	for range 5 {
		b.apply(wire.OpKVAppend, (&wire.KVPair{Key: []byte("big"), Value: make([]byte, 4<<20)}).Append(nil), false)
	}
	ans := b.apply(wire.OpKVStat, (&wire.KVKey{Key: []byte("big")}).Append(nil), true)
	var s wire.KVStat
	if err := s.Decode(ans.Body); err != nil || s.Size != 14<<20 {
		t.Errorf("the value has %d bytes, %v", s.Size, err)
	}
}

func TestAGarbageRangeIsMergedWhateverTheOrder(t *testing.T) {
	ks := &keyspace{}
	for _, g := range []uint64{5, 9, 7, 6, 1, 8, 2, 20} {
		ks.discard(g)
	}
	if got, want := fmt.Sprint(ks.garbage), "[{1 3} {5 10} {20 21}]"; got != want {
		t.Errorf("garbage is %s, want %s", got, want)
	}
	back, err := decodeKeyspace(ks.append(nil))
	if err != nil || fmt.Sprint(back.garbage) != fmt.Sprint(ks.garbage) {
		t.Errorf("read back as %v, %v", back, err)
	}
	if _, err := decodeKeyspace([]byte{9}); err == nil {
		t.Error("a newer format was read")
	}
}
