package record

import (
	"bytes"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// FuzzCheck gives Check any bytes, as they are and with the checksum put right: it never panics, and what it accepts a Reader reads
// to its end and a Builder writes again with the same records.
func FuzzCheck(f *testing.F) {
	for _, c := range allCodecs {
		f.Add([]byte(build(f, c, NoProducer, sample(3)...)))
		f.Add([]byte(build(f, c, Producer{ID: 9, Epoch: 1, Sequence: 1 << 30}, sample(8)...)))
	}
	plain := build(f, wire.CompressionNone, NoProducer, sample(9)...)
	f.Add(raw(wire.CompressionSnappy, 9, plain.BaseTimestamp(), plain.MaxTimestamp(), framed(plain[HeadSize:], 100)))
	f.Fuzz(func(t *testing.T, p []byte) {
		const limit = 1 << 20
		before := bytes.Clone(p)
		judge(t, p, limit)
		if !bytes.Equal(p, before) {
			t.Fatal("the batch was changed")
		}
		if len(p) >= HeadSize {
			judge(t, resum(before), limit)
		}
	})
}

// judge reads a batch to its end, after Check and in spite of it.
func judge(t *testing.T, p []byte, limit int) {
	b, bad := Check(p, limit)
	if c := wire.CodeOf(bad); c != wire.OK && c != wire.Invalid && c != wire.TooLarge {
		t.Fatalf("%v is not an answer of Check: %v", c, bad)
	}
	if bad != nil {
		readSpoilt(p)
		return
	}
	records := read(t, b)
	if len(records) != b.Count() {
		t.Fatalf("%d records, of %d", len(records), b.Count())
	}
	var again Builder
	for i := range records {
		if n := Size(&records[i]); n > limit {
			t.Fatalf("record %d has %d bytes, over the limit", i, n)
		}
		if want := b.BaseOffset() + int64(i); records[i].Offset != want {
			t.Fatalf("record %d has offset %d, not %d", i, records[i].Offset, want)
		}
		again.Add(&records[i])
	}
	out, err := again.AppendTo(nil, wire.CompressionNone, b.Producer())
	if err != nil {
		t.Fatal(err)
	}
	Batch(out).Patch(b.BaseOffset(), b.LeaderEpoch())
	if _, err := Check(out, limit); err != nil && len(out) <= wire.MaxRecordBatch {
		t.Fatalf("what was written again is refused: %v", err)
	}
	same(t, read(t, out), records)
}

// readSpoilt reads what Check has refused: it must end, and not panic.
func readSpoilt(p []byte) {
	b, _, err := Next(p)
	if err != nil {
		return
	}
	var r Reader
	if r.Reset(b) != nil {
		return
	}
	var rec Record
	for ok := true; ok && err == nil; {
		ok, err = r.Next(&rec)
	}
}
