package systest

import (
	"bytes"
	coding "encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// hello returns the magic and a hello of the version.
func hello(version uint64) []byte {
	req := wire.Request{Op: wire.OpHello, Tag: 1, Body: (&wire.Hello{Version: version}).Append(nil)}
	return append([]byte(wire.Magic), wire.AppendRequest(nil, &req, 0)...)
}

// What a native client must not send is answered by an error that says what is wrong with it, and then a close where
// the rest cannot be understood.
func TestNativeBadFramesAreAnsweredAndTheServerGoesOn(t *testing.T) {
	s := start(t, "-max-request=1MiB", "-max-value=512KiB")
	long := make([]byte, wire.LenSize, 64)
	coding.BigEndian.PutUint32(long, 1<<20+1)
	huge := []byte{0xFF, 0xFF, 0xFF, 0xFF}
	get := wire.AppendRequest(nil, &wire.Request{Op: wire.OpKVGet, Tag: 7, Body: []byte{0, 'k'}}, 0)
	closing := []struct {
		name  string
		bytes []byte
		code  wire.Code
		parts []string
	}{
		{"no hello", append([]byte(wire.Magic), get...), wire.Invalid, []string{"hello"}},
		{"version 0", hello(0), wire.Unsupported, []string{"version 0", "version 1"}},
		{"a truncated hello", append([]byte(wire.Magic), wire.AppendRequest(nil, &wire.Request{Op: wire.OpHello}, 0)...), wire.Invalid, []string{"ends before"}},
		{"an empty frame", append(hello(1), 0, 0, 0, 0), wire.Invalid, []string{"frame of 0 bytes"}},
		{"a short frame", append(hello(1), 0, 0, 0, 3, 1, 2, 3), wire.Invalid, []string{"frame of 3 bytes"}},
		{"a long frame", append(hello(1), append(long, get[wire.LenSize:]...)...), wire.TooLarge, []string{"1048577", "1048576", "-max-request"}},
		{"a huge frame", append(hello(1), append(huge, get[wire.LenSize:]...)...), wire.TooLarge, []string{"4294967295", "-max-request"}},
	}
	for _, c := range closing {
		t.Run(c.name, func(t *testing.T) {
			n := dialRaw(t, s.port)
			defer n.close()
			n.write(t, c.bytes)
			var last wire.Response
			for {
				_, resp, err := n.read()
				if err != nil {
					break
				}
				last = resp
			}
			if last.Code != c.code {
				t.Errorf("the last answer is %v %q, not %v", last.Code, last.Body, c.code)
			}
			says(t, string(last.Body), c.parts...)
			stillServes(t, s)
		})
	}
}

// A client of a later version is told the version that this server speaks.
func TestALaterVersionOfTheProtocolIsTalkedDown(t *testing.T) {
	s := start(t)
	n := dialRaw(t, s.port)
	defer n.close()
	n.write(t, hello(99))
	_, resp, err := n.read()
	if err != nil || resp.Code != wire.OK {
		t.Fatalf("%v %q %v", resp.Code, resp.Body, err)
	}
	var w wire.Welcome
	if err := w.Decode(resp.Body); err != nil || w.Version != wire.Version {
		t.Errorf("welcome %+v, %v", w, err)
	}
}

// Requests that are wrong in themselves are answered so, and the connection goes on.
func TestNativeBadRequestsAreAnsweredAndTheConnectionGoesOn(t *testing.T) {
	s := start(t)
	n := dialFrames(t, s.port)
	defer n.close()
	key := bytes.Repeat([]byte{'k'}, wire.MaxKey+1)
	pairs := wire.KVMSet{Pairs: make([]wire.KVPair, wire.MaxBatch+1)}
	fat := wire.KVMSet{}
	for i := range 2000 {
		fat.Pairs = append(fat.Pairs, wire.KVPair{Key: coding.BigEndian.AppendUint32(bytes.Repeat([]byte{'k'}, 5000), uint32(i))})
	}
	wide := wire.KVMSet{}
	for i := range 3 {
		wide.Pairs = append(wide.Pairs, wire.KVPair{Key: []byte{byte(i)}, Value: make([]byte, 7<<20)})
	}
	set := wire.KVSet{Key: []byte("k"), Value: make([]byte, wire.MaxValue+1)}
	for _, c := range []struct {
		name  string
		op    wire.Op
		body  []byte
		code  wire.Code
		parts []string
	}{
		{"a key too long", wire.OpKVSet, (&wire.KVSet{Key: key}).Append(nil), wire.TooLarge, []string{"key", "64001", "64000"}},
		{"a key too long to read", wire.OpKVGet, (&wire.KVKey{Key: key}).Append(nil), wire.TooLarge, []string{"key", "64001", "64000"}},
		{"a value too long", wire.OpKVSet, set.Append(nil), wire.TooLarge, []string{"value", "8388609", "8388608", "-max-value"}},
		{"a batch too long", wire.OpKVMSet, pairs.Append(nil), wire.TooLarge, []string{"10001", "10000"}},
		{"a batch of keys too long", wire.OpKVMGet, (&wire.KVKeys{Keys: make([][]byte, wire.MaxBatch+1)}).Append(nil), wire.TooLarge, []string{"10001", "10000"}},
		{"too much for one command", wire.OpKVMSet, wide.Append(nil), wire.TooLarge, []string{"22020", "178257"}},
		{"too many bytes of keys", wire.OpKVMSet, fat.Append(nil), wire.TooLarge, []string{"8388608"}},
		{"a database too many", wire.OpKVGet, []byte{16, 'k'}, wire.Invalid, []string{"DB index"}},
		{"an unknown operation", 0x0199, nil, wire.Unsupported, []string{"0x0199"}},
		{"an engine that does not exist", 0x5501, nil, wire.Unsupported, []string{"flin-server"}},
		{"an operation of the engine's own", wire.OpKVSweep, nil, wire.Unsupported, []string{"sweep"}},
		{"an unknown operation on the connection", 0x7F99, nil, wire.Unsupported, nil},
		{"a second hello", wire.OpHello, (&wire.Hello{Version: 1}).Append(nil), wire.Invalid, []string{"hello"}},
		{"an empty payload", wire.OpKVGet, nil, wire.Invalid, nil},
		{"a truncated payload", wire.OpKVSet, []byte{0, 0, 0, 200, 'k'}, wire.Invalid, []string{"ends before"}},
		{"an unknown kind of expiry", wire.OpKVSet, []byte{0, 0, 99, 1, 'k'}, wire.Invalid, []string{"expiry"}},
		{"a count that lies", wire.OpKVMGet, []byte{0, 0xFF, 0xFF, 0xFF, 0x7F}, wire.Invalid, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp := n.do(t, c.op, c.body)
			if resp.Code != c.code {
				t.Errorf("answered %v %q, not %v", resp.Code, resp.Body[:min(len(resp.Body), 200)], c.code)
			}
			says(t, string(resp.Body), c.parts...)
			if resp := n.do(t, wire.OpPing, []byte("are you there")); string(resp.Body) != "are you there" {
				t.Errorf("ping after it: %v %q", resp.Code, resp.Body)
			}
		})
	}
	for _, op := range []wire.Op{wire.OpKVSweep, wire.OpKVCollect, wire.OpKVTxn, wire.OpKVScan, wire.OpKVWatch, 0x0199} {
		t.Run(fmt.Sprintf("a transaction of %v", op), func(t *testing.T) {
			txn := wire.KVTxn{Ops: []wire.KVOp{{Op: op, Body: []byte{0, 0}}}}
			resp := n.do(t, wire.OpKVTxn, txn.Append(nil))
			if resp.Code == wire.OK { // the transaction went well, its operation did not
				r := wire.NewReader(resp.Body)
				resp = wire.TakeKVResult(&r)
			}
			if resp.Code != wire.Unsupported && resp.Code != wire.Invalid {
				t.Errorf("answered %v %q", resp.Code, resp.Body)
			}
		})
	}
	t.Run("unknown flags", func(t *testing.T) {
		b := n.frame(wire.OpKVGet, []byte{0, 'k'})
		b[wire.LenSize+2] = 0x80
		n.write(t, b)
		tag, resp, err := n.read()
		if err != nil || tag != n.tag || resp.Code != wire.Unsupported {
			t.Errorf("answered %v %q %v", resp.Code, resp.Body, err)
		}
		says(t, string(resp.Body), "flags", "0x80")
	})
	stillServes(t, s)
}

// What is exactly as long as it may be is taken.
func TestTheLimitsThemselvesAreLegal(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	key := strings.Repeat("k", wire.MaxKey)
	value := payload("limit", 1, wire.MaxValue)
	keys := make([]string, wire.MaxBatch)
	values := make([][]byte, wire.MaxBatch)
	for i := range keys {
		keys[i], values[i] = "batch/"+string(coding.BigEndian.AppendUint32(nil, uint32(i))), []byte{byte(i)}
	}
	check := func() {
		if got, err := client.KV.Get(key); err != nil || !bytes.Equal(got, value) {
			t.Errorf("the longest key and value: %s, %v", brief(got), err)
		}
		if got, err := client.KV.Get(""); err != nil || string(got) != "of no name" {
			t.Errorf("the empty key: %s, %v", brief(got), err)
		}
		got, err := client.KV.MGet(keys)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if !bytes.Equal(v, values[i]) {
				t.Fatalf("key %d of the largest batch: %s", i, brief(v))
			}
		}
	}
	if err := errors.Join(client.KV.Set(key, value), client.KV.Set("", []byte("of no name")), client.KV.MSet(keys, values)); err != nil {
		t.Fatal(err)
	}
	check()
	s.kill()
	s.launch()
	check()
	if err := client.KV.Set("over", append(value, 0)); !errors.Is(err, flin.ErrTooLarge) {
		t.Errorf("one byte more: %v", err)
	}
}

// Every operation number with every kind of garbage for a payload is answered, and what of it got into the log is
// applied again at the next start.
func TestGarbagePayloadsOfEveryOperation(t *testing.T) {
	s := start(t)
	rng := rand.New(rand.NewPCG(seeded(t), 9))
	n := dialFrames(t, s.port)
	defer n.close()
	const rounds = 200
	for op := wire.Op(0x0100); op < 0x0130; op++ {
		if op.Streams() {
			continue
		}
		var sent bytes.Buffer
		for range rounds {
			body := make([]byte, rng.IntN(40))
			for i := range body {
				body[i] = byte(rng.Uint32())
				if rng.IntN(2) == 0 {
					body[i] = byte(rng.IntN(4)) // small numbers go deeper into a decoder
				}
			}
			if len(body) > 0 && rng.IntN(4) > 0 {
				body[0] = byte(rng.IntN(16)) // a database that there is
			}
			sent.Write(n.frame(op, body))
		}
		go func() { _, _ = n.conn.Write(sent.Bytes()) }() // a failure shows in what is read
		for range rounds {
			if _, _, err := n.read(); err != nil {
				t.Fatalf("%v: %v\n%s", op, err, s.log.tail(4<<10))
			}
		}
	}
	stillServes(t, s)
	s.kill()
	s.launch()
	stillServes(t, s)
}
