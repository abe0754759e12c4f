package record

import (
	"bytes"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestNextWalksARunOfBatches(t *testing.T) {
	var run []byte
	var all []Batch
	for i, c := range append(allCodecs, allCodecs...) {
		b := build(t, c, NoProducer, sample(i+1)...)
		b.Patch(int64(100*i), int32(i))
		all = append(all, b)
		run = append(run, b...)
	}
	rest := run
	for i, want := range all {
		b, after, err := Next(rest)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, want) || cap(b) != len(b) || b.BaseOffset() != int64(100*i) {
			t.Fatalf("batch %d: %d bytes of capacity %d at %d", i, len(b), cap(b), b.BaseOffset())
		}
		same(t, read(t, b), read(t, want))
		rest = after
	}
	if len(rest) != 0 {
		t.Fatalf("%d bytes are left", len(rest))
	}
	for _, bad := range [][]byte{nil, run[:HeadSize-1], run[:len(all[0])-1]} {
		if b, rest, err := Next(bad); wire.CodeOf(err) != wire.Invalid || b != nil || len(rest) != len(bad) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}

func TestAReaderKeepsNothingOfTheBatchBefore(t *testing.T) {
	r := Reader{Verify: true}
	var rec Record
	for round, c := range append(allCodecs, allCodecs...) {
		want := sample(20 + round)
		if err := r.Reset(build(t, c, NoProducer, want...)); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			ok, err := r.Next(&rec)
			if err != nil || !ok {
				t.Fatalf("record %d: %v %v", i, ok, err)
			}
			same(t, []Record{{rec.Offset, rec.Timestamp, rec.Key, rec.Value, append([]wire.Header(nil), rec.Headers...)}}, want[i:i+1])
			if round%2 == 1 && i == 10 {
				break // the rest is left unread
			}
		}
	}
	spoilt := build(t, wire.CompressionNone, NoProducer, sample(3)...)
	spoilt[len(spoilt)-1] ^= 1
	if err := r.Reset(spoilt); wire.CodeOf(err) != wire.Invalid {
		t.Fatalf("a damaged batch: %v", err)
	}
	if ok, err := r.Next(&rec); ok || err != nil {
		t.Fatalf("after a Reset that failed: %v %v", ok, err)
	}
	r.Verify = false
	if err := r.Reset(spoilt); err != nil {
		t.Fatalf("the checksum was judged though nobody asked: %v", err)
	}
	if err := r.Reset(spoilt[:len(spoilt)-1]); wire.CodeOf(err) != wire.Invalid {
		t.Fatalf("half a batch: %v", err)
	}
}

func TestRecordsOutliveTheNextResetOfAFreshReader(t *testing.T) {
	for _, c := range allCodecs {
		r := Reader{Fresh: true}
		if err := r.Reset(build(t, c, NoProducer, Record{Value: []byte("first")})); err != nil {
			t.Fatal(err)
		}
		var first, second Record
		if ok, err := r.Next(&first); !ok || err != nil {
			t.Fatal(err)
		}
		if err := r.Reset(build(t, c, NoProducer, Record{Value: []byte("after")})); err != nil {
			t.Fatal(err)
		}
		if ok, err := r.Next(&second); !ok || err != nil {
			t.Fatal(err)
		}
		if string(first.Value) != "first" || string(second.Value) != "after" {
			t.Errorf("%s: %q, %q", CompressionName(c), first.Value, second.Value)
		}
	}
}

func TestAReaderSaysWhereABatchIsMalformedAndStopsThere(t *testing.T) {
	b := build(t, wire.CompressionNone, NoProducer, Record{Value: []byte("a")}, Record{Value: []byte("b")})
	b[HeadSize] = 2 * 50
	var r Reader
	if err := r.Reset(resum(b)); err != nil {
		t.Fatal(err)
	}
	var rec Record
	if ok, err := r.Next(&rec); ok || wire.CodeOf(err) != wire.Invalid {
		t.Fatalf("%v %v", ok, err)
	}
	if ok, err := r.Next(&rec); ok || err != nil {
		t.Fatalf("after that: %v %v", ok, err)
	}
}
