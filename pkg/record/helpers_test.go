package record

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// allCodecs are those that there are.
var allCodecs = []wire.Compression{
	wire.CompressionNone, wire.CompressionGzip, wire.CompressionSnappy, wire.CompressionLZ4, wire.CompressionZstd,
}

const someTime = 1_700_000_000_000

// sample returns n records of every shape: without key, without value, empty ones, with headers, older than the first.
func sample(n int) []Record {
	dice := rand.New(rand.NewPCG(uint64(n), 7))
	out := make([]Record, n)
	for i := range out {
		r := &out[i]
		*r = Record{Offset: int64(i), Timestamp: someTime + dice.Int64N(10_000) - 5_000}
		switch i % 4 {
		case 0:
			r.Key = fmt.Appendf(nil, "key-%d", i)
		case 1:
			r.Key = []byte{}
		}
		switch i % 5 {
		case 0:
			r.Value = []byte{}
		case 1:
		default:
			r.Value = bytes.Repeat([]byte{byte('a' + i%26), byte(i)}, dice.IntN(300))
		}
		for h := range i % 3 {
			r.Headers = append(r.Headers, wire.Header{Name: fmt.Appendf(nil, "h%d", h), Value: []byte("v")})
		}
		if i%7 == 0 {
			r.Headers = append(r.Headers, wire.Header{Name: []byte{}}, wire.Header{Name: []byte("empty"), Value: []byte{}})
		}
	}
	return out
}

// build makes a batch of the records.
func build(t testing.TB, c wire.Compression, p Producer, records ...Record) Batch {
	t.Helper()
	var b Builder
	for i := range records {
		b.Add(&records[i])
	}
	out, err := b.AppendTo(nil, c, p)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// read returns copies of the batch's records.
func read(t testing.TB, b Batch) []Record {
	t.Helper()
	r := Reader{Verify: true}
	if err := r.Reset(b); err != nil {
		t.Fatal(err)
	}
	var out []Record
	for {
		var rec Record
		ok, err := r.Next(&rec)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return out
		}
		rec.Key, rec.Value = bytes.Clone(rec.Key), bytes.Clone(rec.Value)
		for i := range rec.Headers {
			h := &rec.Headers[i]
			h.Name, h.Value = bytes.Clone(h.Name), bytes.Clone(h.Value)
		}
		out = append(out, rec)
	}
}

// same fails the test unless the records are the same, nil and empty being different.
func same(t testing.TB, got, want []Record) {
	t.Helper()
	if !reflect.DeepEqual(got, want) { // cmp takes seconds for large values
		t.Fatalf("records differ (-want +got):\n%s", cmp.Diff(want, got))
	}
}

// resum gives a batch that was tampered with the checksum and the length that it should have.
func resum(b []byte) []byte {
	binary.BigEndian.PutUint32(b[atLength:], uint32(len(b)-uncounted))
	binary.BigEndian.PutUint32(b[atChecksum:], crc32.Checksum(b[atAttributes:], castagnoli))
	return b
}

// raw makes a batch whose head is that of a batch of count records, and whose records are any bytes.
func raw(c wire.Compression, count int, baseTime, maxTime int64, records []byte) []byte {
	b := append(make([]byte, HeadSize), records...)
	Batch(b).seal(c, count, baseTime, maxTime, NoProducer)
	return b
}
