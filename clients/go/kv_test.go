package flin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// TestEveryCallSendsItsPayload looks at the frames, and at what becomes of a made-up answer.
func TestEveryCallSendsItsPayload(t *testing.T) {
	f := newFake(t)
	kv := connect(t, f.addr()).KV.Database(2)
	at := time.UnixMilli(1_900_000_000_000)
	one := wire.KVEntry{Version: 7, Key: []byte("k"), Value: []byte("v")}
	cases := []callCase{
		{
			"set", wire.OpKVSet, &wire.KVSet{DB: 2, Flags: wire.SetIfVersion, Version: 9, Expiry: wire.Expiry{Kind: wire.ExpiryIn, Ms: 1500}, Key: []byte("k"), Value: []byte("v")},
			wire.Response{Rev: 1},
			func() (any, error) { return 0, kv.Set("k", []byte("v"), TTL(1500*time.Millisecond), IfVersion(9)) }, "0",
		},
		{
			"set if absent", wire.OpKVSet, &wire.KVSet{DB: 2, Flags: wire.SetIfAbsent, Expiry: wire.Expiry{Kind: wire.ExpiryAt, Ms: at.UnixMilli()}, Key: []byte("k")},
			wire.Response{Rev: 1},
			func() (any, error) { return 0, kv.Set("k", nil, IfAbsent(), ExpireAt(at)) }, "0",
		},
		{
			"set if present", wire.OpKVSet, &wire.KVSet{DB: 2, Flags: wire.SetIfPresent, Expiry: wire.Expiry{Kind: wire.ExpiryKeep}, Key: []byte("k")},
			wire.Response{Rev: 1},
			func() (any, error) { return 0, kv.Set("k", nil, IfPresent(), KeepTTL()) }, "0",
		},
		{
			"swap", wire.OpKVSet, &wire.KVSet{DB: 2, Flags: wire.SetReturnOld, Key: []byte("k")},
			wire.Response{Rev: 1, Num: 1, Body: []byte("old")},
			func() (any, error) {
				old, written, err := kv.Swap("k", nil)
				return fmt.Sprint(string(old), written), err
			}, "oldtrue",
		},
		{
			"delete", wire.OpKVDel, &wire.KVDel{DB: 2, IfVersion: true, Version: 4, Key: []byte("k")},
			wire.Response{},
			func() (any, error) { return 0, kv.Delete("k", IfVersion(4)) }, "0",
		},
		{
			"entry", wire.OpKVGet, &wire.KVKey{DB: 2, Key: []byte("k")},
			wire.Response{Rev: 3, Num: at.UnixMilli(), Body: []byte("v")},
			func() (any, error) {
				e, err := kv.Entry("k")
				return fmt.Sprint(e.Key, string(e.Value), e.Version, e.Expires.Equal(at)), err
			}, "kv3 true",
		},
		{
			"getdel", wire.OpKVGetDel, &wire.KVKey{DB: 2, Key: []byte("k")},
			wire.Response{Body: []byte("v")},
			func() (any, error) { v, err := kv.GetDelete("k"); return string(v), err }, "v",
		},
		{
			"msetnx", wire.OpKVMSet, &wire.KVMSet{DB: 2, IfAbsent: true, Pairs: []wire.KVPair{{Key: []byte("k"), Value: []byte("v")}}},
			wire.Response{},
			func() (any, error) { return 0, kv.MSetNX([]string{"k"}, [][]byte{[]byte("v")}) }, "0",
		},
		{
			"append", wire.OpKVAppend, &wire.KVPair{DB: 2, Key: []byte("k"), Value: []byte("v")},
			wire.Response{Num: 5},
			func() (any, error) { return kv.Append("k", []byte("v")) }, "5",
		},
		{
			"getrange", wire.OpKVGetRange, &wire.KVRange{DB: 2, Start: 1, End: -2, Key: []byte("k")},
			wire.Response{Body: []byte("part")},
			func() (any, error) { v, err := kv.GetRange("k", 1, -2); return string(v), err }, "part",
		},
		{
			"setrange", wire.OpKVSetRange, &wire.KVRange{DB: 2, Start: 3, Key: []byte("k"), Value: []byte("v")},
			wire.Response{Num: 4},
			func() (any, error) { return kv.SetRange("k", 3, []byte("v")) }, "4",
		},
		{
			"expire", wire.OpKVExpire, &wire.KVExpire{DB: 2, Expiry: wire.Expiry{Kind: wire.ExpiryIn, Ms: 1000}, Key: []byte("k")},
			wire.Response{Num: 1},
			func() (any, error) { return kv.Expire("k", time.Second) }, "true",
		},
		{
			"expireat", wire.OpKVExpire, &wire.KVExpire{DB: 2, Expiry: wire.Expiry{Kind: wire.ExpiryAt, Ms: at.UnixMilli()}, Key: []byte("k")},
			wire.Response{},
			func() (any, error) { return kv.ExpireAt("k", at) }, "false",
		},
		{
			"persist", wire.OpKVPersist, &wire.KVKey{DB: 2, Key: []byte("k")},
			wire.Response{Num: 1},
			func() (any, error) { return kv.Persist("k") }, "true",
		},
		{
			"ttl", wire.OpKVStat, &wire.KVKey{DB: 2, Key: []byte("k")},
			wire.Response{Body: (&wire.KVStat{Size: 3}).Append(nil)},
			func() (any, error) { d, ok, err := kv.TTL("k"); return fmt.Sprint(d, ok), err }, "0s false",
		},
		{
			"stat", wire.OpKVStat, &wire.KVKey{DB: 2, Key: []byte("k")},
			wire.Response{Rev: 8, Body: (&wire.KVStat{Size: 3}).Append(nil)},
			func() (any, error) { i, err := kv.Stat("k"); return fmt.Sprint(i.Size, i.Version), err }, "3 8",
		},
		{
			"count", wire.OpKVCount, &wire.KVDB{DB: 2, Prefix: []byte("p")},
			wire.Response{Num: 12},
			func() (any, error) { return kv.Count("p") }, "12",
		},
		{
			"random", wire.OpKVRandom, &wire.KVDB{DB: 2},
			wire.Response{Body: []byte("key")},
			func() (any, error) { return kv.RandomKey() }, "key",
		},
		{
			"flush", wire.OpKVFlush, &wire.KVDB{DB: 2},
			wire.Response{},
			func() (any, error) { return 0, kv.Flush() }, "0",
		},
		{
			"entries", wire.OpKVMGet, &wire.KVKeys{DB: 2, Keys: [][]byte{[]byte("k"), []byte("l")}},
			wire.Response{Body: wire.AppendKVEntry(wire.AppendKVEntry(nil, &one), &wire.KVEntry{})},
			func() (any, error) {
				es, err := kv.Entries([]string{"k", "l"})
				return fmt.Sprint(es[0].Version, string(es[0].Value), es[1].Version), err
			}, "7v0",
		},
		{"txn", wire.OpKVTxn, &wire.KVTxn{
			Compares: []wire.KVCompare{{DB: 2, Version: 5, Key: []byte("c")}},
			Ops: []wire.KVOp{
				{Op: wire.OpKVSet, Body: (&wire.KVSet{DB: 2, Key: []byte("k"), Value: []byte("v")}).Append(nil)},
				{Op: wire.OpKVGet, Body: (&wire.KVKey{DB: 2, Key: []byte("k")}).Append(nil)},
				{Op: wire.OpKVDel, Body: (&wire.KVDel{DB: 2, Key: []byte("k")}).Append(nil)},
				{Op: wire.OpKVIncr, Body: (&wire.KVIncr{DB: 2, By: 3, Key: []byte("n")}).Append(nil)},
				{Op: wire.OpKVAppend, Body: (&wire.KVPair{DB: 2, Key: []byte("k"), Value: []byte("x")}).Append(nil)},
			},
		}, wire.Response{Body: results(5)}, func() (any, error) {
			rs, err := kv.Txn().IfVersion("c", 5).Set("k", []byte("v")).Get("k").Delete("k").IncrBy("n", 3).Append("k", []byte("x")).Commit()
			return fmt.Sprint(len(rs), rs[0].Err, rs[4].Num), err
		}, "5 <nil> 4"},
	}
	for _, tc := range cases {
		tc.run(t, f)
	}
}

func results(n int) (b []byte) {
	for i := range n {
		b = wire.AppendKVResult(b, &wire.Response{Num: int64(i)})
	}
	return b
}

func TestAFailedOperationOfATransactionSaysSo(t *testing.T) {
	f := newFake(t)
	f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
		resp := wire.Failf(wire.WrongType, "no number")
		fc.answer(req.Tag, wire.Response{Body: wire.AppendKVResult(nil, &resp)})
		return true
	})
	rs, err := connect(t, f.addr()).KV.Txn().IncrBy("k", 1).Commit()
	if err != nil || len(rs) != 1 || !errors.Is(rs[0].Err, ErrWrongType) || rs[0].Value != nil {
		t.Errorf("%+v %v", rs, err)
	}
}

func TestScanGoesFromPageToPage(t *testing.T) {
	f := newFake(t)
	var asked []wire.KVScan
	f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
		var m wire.KVScan
		if err := m.Decode(req.Body); err != nil {
			t.Error(err)
		}
		asked = append(asked, m)
		page := map[string][]string{"": {"a", "b"}, "b": {}, "b2": {"c"}}[string(m.After)]
		after := map[string]string{"": "b", "b": "b2", "b2": "c"}[string(m.After)]
		body := wire.AppendString(nil, after)
		for _, k := range page {
			body = wire.AppendKVEntry(body, &wire.KVEntry{Version: 1, Key: []byte(k), Value: []byte("v" + k)})
		}
		resp := wire.Response{Num: 1, Body: body}
		if after == "c" {
			resp.Num = 0
		}
		fc.answer(req.Tag, resp)
		return true
	})
	kv := connect(t, f.addr()).KV
	var got string
	for e, err := range kv.Scan("p", PageSize(2), From("a"), Below("z"), Match("*")) {
		must(t, err)
		got += e.Key + string(e.Value) + " "
	}
	if got != "ava bvb cvc " || len(asked) != 3 || asked[0].Limit != 2 || string(asked[0].Prefix) != "p" || string(asked[0].End) != "z" {
		t.Errorf("%q %+v", got, asked)
	}
	for range kv.Scan("p", Reverse(), KeysOnly(), After("b2")) {
		break
	}
	if last := asked[len(asked)-1]; last.Flags != wire.ScanReverse|wire.ScanKeysOnly|wire.ScanAfter {
		t.Errorf("%+v", last)
	}
	f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
		fc.answer(req.Tag, wire.Response{Body: []byte{0, 1, 2, 200}})
		return true
	})
	for _, err := range kv.Scan("p") {
		if !errors.Is(err, ErrInternal) {
			t.Errorf("an answer that cannot be read: %v", err)
		}
	}
}

// watchServer answers watches from a list of revisions, each with one event, up to last.
func watchServer(t *testing.T, f *fake, last uint64, dropAt map[uint64]bool) {
	var mu sync.Mutex // guards dropAt
	f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
		if req.Op != wire.OpKVWatch {
			return req.Op == wire.OpCancel || req.Op == wire.OpCredit
		}
		var m wire.KVWatch
		if err := m.Decode(req.Body); err != nil {
			t.Error(err)
		}
		from := m.From
		if from == 0 {
			from = 10
		}
		fc.answer(req.Tag, wire.Response{More: true, Rev: from - 1})
		for rev := from; rev <= last; rev++ {
			mu.Lock()
			drop := dropAt[rev]
			delete(dropAt, rev)
			mu.Unlock()
			if drop {
				_ = fc.nc.Close()
				return true
			}
			fc.answer(req.Tag, wire.Response{More: true, Rev: rev, Body: wire.AppendKVEvent(nil, &wire.KVEvent{
				Kind: wire.EventSet, Rev: rev, Key: []byte("k"), Value: fmt.Append(nil, rev),
			})})
		}
		return true
	})
}

func TestAWatchGoesOnWhereItWasWhenItsConnectionIsLost(t *testing.T) {
	f := newFake(t)
	watchServer(t, f, 300, map[uint64]bool{10: true, 15: true, 200: true})
	w, err := connect(t, f.addr()).KV.Watch(t.Context(), "k")
	must(t, err)
	want := uint64(10)
	for e, err := range w.Events() {
		must(t, err)
		if e.Version != want || e.Kind != EventSet || string(e.Value) != fmt.Sprint(want) || e.Key != "k" {
			t.Fatalf("%+v, want revision %d", e, want)
		}
		if want == 300 {
			break
		}
		want++
	}
	if f.count(wire.OpKVWatch) != 4 {
		t.Errorf("asked %d times", f.count(wire.OpKVWatch))
	}
}

func TestAWatchEndsWithItsContextOrClose(t *testing.T) {
	f := newFake(t)
	watchServer(t, f, 10, nil)
	c := connect(t, f.addr())
	for _, byClose := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		w, err := c.KV.Watch(ctx, "", FromRevision(10), AllDatabases())
		must(t, err)
		var last error
		events := 0
		for _, err := range w.Events() {
			last = err
			if events++; byClose {
				w.Close()
			} else {
				cancel()
			}
		}
		cancel()
		if byClose && (last != nil || events != 1) || !byClose && (!errors.Is(last, context.Canceled) || events != 2) {
			t.Errorf("close %v: %v after %d", byClose, last, events)
		}
		if w.Revision() != 10 {
			t.Errorf("revision %d", w.Revision())
		}
	}
}

func TestAWatchOfWhatIsNotKeptIsCompacted(t *testing.T) {
	f := newFake(t)
	f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
		if req.Op == wire.OpKVWatch {
			fc.answer(req.Tag, wire.Failf(wire.Compacted, "revision 1 is not kept any more"))
		}
		return true
	})
	if _, err := connect(t, f.addr()).KV.Watch(t.Context(), "", FromRevision(1)); !errors.Is(err, ErrCompacted) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(wire.AppendResponse(wire.AppendResponse(nil, 1, &wire.Response{Body: []byte("x")}), 2, &wire.Response{Code: 3, Rev: 1, Num: 2, Sub: 3}))
	f.Add([]byte{0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, p []byte) {
		var into [4]answer
		used, count, err := parse(p, into[:])
		if used > len(p) || count > len(into) || err == nil && count == 0 && used != 0 {
			t.Fatalf("%d bytes, %d frames of %d bytes: %v", used, count, len(p), err)
		}
	})
}
