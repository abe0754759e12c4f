package record

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestWhatABuilderMakesIsReadAgainWithEveryCodec(t *testing.T) {
	for _, c := range allCodecs {
		for _, n := range []int{1, 2, 100, 5_000} {
			want := sample(n)
			b := build(t, c, Producer{ID: 77, Epoch: 3, Sequence: 12}, want...)
			if _, err := Check(b, wire.MaxRecord); err != nil {
				t.Fatalf("%s, %d records: %v", CompressionName(c), n, err)
			}
			same(t, read(t, b), want)
			if got := b.Producer(); got != (Producer{ID: 77, Epoch: 3, Sequence: 12}) {
				t.Errorf("producer %+v", got)
			}
			if b.BaseOffset() != 0 || b.LeaderEpoch() != -1 || b.Count() != n || b.LastOffset() != int64(n-1) || b.Compression() != c {
				t.Errorf("%s: base %d, epoch %d, %d records, last %d, codec %d", CompressionName(c), b.BaseOffset(), b.LeaderEpoch(), b.Count(), b.LastOffset(), b.Compression())
			}
			newest := int64(0)
			for i := range want {
				newest = max(newest, want[i].Timestamp)
			}
			if b.BaseTimestamp() != want[0].Timestamp || b.MaxTimestamp() != newest {
				t.Errorf("times %d to %d", b.BaseTimestamp(), b.MaxTimestamp())
			}
		}
	}
}

func TestSizeIsExactWithoutCompressionAfterEveryRecord(t *testing.T) {
	var b Builder
	records := sample(300)
	records = append(records,
		Record{Timestamp: 0, Value: make([]byte, 70_000)},
		Record{Timestamp: math.MaxInt64 - 1, Value: make([]byte, 63)},
		Record{Timestamp: 1, Value: make([]byte, 64), Headers: []wire.Header{{Name: make([]byte, 200), Value: make([]byte, 9_000)}}})
	for i := range records {
		before := b.Size()
		b.Add(&records[i])
		if grown, most := b.Size()-before, Size(&records[i])+Overhead+HeaderOverhead*len(records[i].Headers); grown > most {
			t.Fatalf("record %d took %d bytes, over the %d that were promised", i, grown, most)
		}
		out, err := b.AppendTo([]byte("before"), wire.CompressionNone, NoProducer)
		if err != nil {
			t.Fatal(err)
		}
		if len(out) != len("before")+b.Size() || b.Len() != i+1 || !bytes.HasPrefix(out, []byte("before")) {
			t.Fatalf("record %d: %d bytes, Size %d, Len %d", i, len(out), b.Size(), b.Len())
		}
		if _, err := Check(out[len("before"):], wire.MaxRecord); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
}

func TestABuilderCopiesWhatItIsGiven(t *testing.T) {
	key, value, name, hv := []byte("key"), []byte("value"), []byte("name"), []byte("hv")
	var b Builder
	b.Add(&Record{Timestamp: 5, Key: key, Value: value, Headers: []wire.Header{{Name: name, Value: hv}}})
	for _, p := range [][]byte{key, value, name, hv} {
		clear(p)
	}
	out, err := b.AppendTo(nil, wire.CompressionNone, NoProducer)
	if err != nil {
		t.Fatal(err)
	}
	same(t, read(t, out), []Record{{
		Timestamp: 5, Key: []byte("key"), Value: []byte("value"),
		Headers: []wire.Header{{Name: []byte("name"), Value: []byte("hv")}},
	}})
}

func TestABuilderThatWasResetIsAsNew(t *testing.T) {
	var b Builder
	for _, size := range []int{10, 2 * keepBytes, 10} {
		b.Add(&Record{Timestamp: int64(size), Value: make([]byte, size)})
		b.Reset()
		if b.Len() != 0 || b.Size() != HeadSize {
			t.Fatalf("%d records, %d bytes", b.Len(), b.Size())
		}
		if cap(b.records) > keepBytes {
			t.Fatalf("%d bytes were kept, over %d", cap(b.records), keepBytes)
		}
		want := sample(3)
		for i := range want {
			b.Add(&want[i])
		}
		out, err := b.AppendTo(nil, wire.CompressionNone, NoProducer)
		if err != nil {
			t.Fatal(err)
		}
		same(t, read(t, out), want)
		b.Reset()
	}
}

func TestABatchOfNothingAndAnUnknownCodecAreRefused(t *testing.T) {
	var b Builder
	dst := []byte("dst")
	if out, err := b.AppendTo(dst, wire.CompressionNone, NoProducer); !errors.Is(err, &wire.Error{Code: wire.Invalid}) || string(out) != "dst" {
		t.Errorf("%q, %v", out, err)
	}
	b.Add(&Record{})
	for _, c := range []wire.Compression{5, 7, 255} {
		if out, err := b.AppendTo(dst, c, NoProducer); !errors.Is(err, &wire.Error{Code: wire.Invalid}) || string(out) != "dst" {
			t.Errorf("codec %d: %q, %v", c, out, err)
		}
	}
}

func TestTheHotPathsAllocateNothing(t *testing.T) {
	var (
		b     Builder
		r     Reader
		rec   Record
		all   = sample(100)
		dst   []byte
		batch Batch
	)
	fill := func() {
		b.Reset()
		for i := range all {
			b.Add(&all[i])
		}
		dst, _ = b.AppendTo(dst[:0], wire.CompressionNone, NoProducer)
	}
	fill()
	for _, c := range []struct {
		name string
		fn   func()
	}{
		{"Add and AppendTo", fill},
		{"Next", func() { batch, _, _ = Next(dst) }},
		{"Reader", func() {
			if r.Reset(batch) != nil {
				t.Error("Reset failed")
			}
			for ok := true; ok; ok, _ = r.Next(&rec) {
			}
		}},
	} {
		if n := testing.AllocsPerRun(100, c.fn); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}
