package kv

import (
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestAKeyIsGoneAtItsTimeForEveryReader(t *testing.T) {
	w := worlds.New(t, nil)
	a, _ := w.openWatch(&wire.KVWatch{Prefix: []byte("e")}, 100)
	in := wire.Expiry{Kind: wire.ExpiryIn, Ms: 30}
	w.Must(wire.OpKVSet, &wire.KVSet{Key: []byte("e"), Value: []byte("1"), Expiry: in})
	resp := w.Must(wire.OpKVGet, &wire.KVKey{Key: []byte("e")})
	at := time.UnixMilli(resp.Num)
	for time.Now().Before(at) {
		time.Sleep(time.Until(at)) // an expiry is a matter of the clock
	}
	if _, ok := w.get("e"); ok {
		t.Error("a read after its time found the key")
	}
	if n := w.Must(wire.OpKVCount, &wire.KVDB{}).Num; n != 0 {
		t.Errorf("a count after its time counted %d", n)
	}
	w.Must(wire.OpKVSet, &wire.KVSet{Key: []byte("e2"), Value: []byte("1"), Expiry: in})
	// Set, expire of e, set, expire of e2: nobody but the sweeper makes the last one.
	var got []wire.KVEvent
	for n := 1; len(got) < 4; n++ {
		got = events(t, a.Answers(n))
	}
	if last := got[3]; last.Kind != wire.EventExpire || string(last.Key) != "e2" {
		t.Errorf("the last event is %+v", last)
	}
}

func TestAFlushedDatabaseIsCollected(t *testing.T) {
	w := worlds.New(t, nil)
	var m wire.KVMSet
	for i := range 5000 {
		m.Pairs = append(m.Pairs, wire.KVPair{Key: []byte{byte(i >> 8), byte(i)}, Value: []byte("v")})
	}
	w.Must(wire.OpKVMSet, &m)
	w.Must(wire.OpKVFlush, &wire.KVDB{DB: wire.AllDatabases})
	if n := w.Must(wire.OpKVCount, &wire.KVDB{}).Num; n != 0 {
		t.Errorf("%d keys are there after the flush", n)
	}
	deadline := time.Now().Add(30 * time.Second)
	for w.machine.Garbage() {
		if time.Now().After(deadline) {
			t.Fatal("the garbage is still there after 30 s")
		}
		time.Sleep(5 * time.Millisecond) // the collector has no event to wait for
	}
}
