package record

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestCheckSaysWhatIsWrongWithABatch(t *testing.T) {
	good := build(t, wire.CompressionNone, Producer{ID: 1, Epoch: 0, Sequence: 5},
		Record{Timestamp: 10, Key: []byte("k"), Value: []byte("value")},
		Record{Timestamp: 200, Value: []byte("other"), Headers: []wire.Header{{Name: []byte("n"), Value: []byte("v")}}})
	// The first record: length, attributes, time delta, offset delta, key's length, key, value's length, value, headers.
	const first = HeadSize
	put := func(at int, c byte) func([]byte) []byte {
		return func(b []byte) []byte {
			b[at] = c
			return resum(b)
		}
	}
	for name, c := range map[string]struct {
		spoil func(b []byte) []byte
		code  wire.Code
		says  string
	}{
		"nothing":            {func([]byte) []byte { return nil }, wire.Invalid, "0 bytes"},
		"half a head":        {func(b []byte) []byte { return b[:40] }, wire.Invalid, "40 bytes"},
		"cut off":            {func(b []byte) []byte { return b[:len(b)-1] }, wire.Invalid, "says that it has"},
		"bytes behind it":    {func(b []byte) []byte { return append(b, 1, 2) }, wire.Invalid, "2 bytes follow"},
		"two batches":        {func(b []byte) []byte { return append(b, b...) }, wire.Invalid, "one is sent at a time"},
		"a negative length":  {func(b []byte) []byte { b[atLength] = 0x80; return b }, wire.Invalid, "says that it has"},
		"a length too short": {func(b []byte) []byte { copy(b[atLength:], []byte{0, 0, 0, 10}); return b }, wire.Invalid, "says that it has 22 bytes"},
		"version 1":          {put(atMagic, 1), wire.Invalid, "version 1"},
		"a flipped bit":      {func(b []byte) []byte { b[len(b)-3] ^= 4; return b }, wire.Invalid, "checksum"},
		"a wrong checksum":   {func(b []byte) []byte { b[atChecksum]++; return b }, wire.Invalid, "checksum"},
		"an unknown codec":   {put(atAttributes+1, 5), wire.Invalid, "compression 5"},
		"a log's timestamps": {put(atAttributes+1, 1<<3), wire.Invalid, "timestamps of a log"},
		"a transaction":      {put(atAttributes+1, 1<<4), wire.Invalid, "transaction"},
		"control records":    {put(atAttributes+1, 1<<5), wire.Invalid, "control records"},
		"a delete horizon":   {put(atAttributes+1, 1<<6), wire.Invalid, "attributes"},
		"unknown attributes": {put(atAttributes, 0x80), wire.Invalid, "attributes"},
		"no records": {func(b []byte) []byte {
			copy(b[atCount:], []byte{0, 0, 0, 0})
			copy(b[atLastDelta:], []byte{255, 255, 255, 255})
			return resum(b)
		}, wire.Invalid, "at least one"},
		"a negative count":            {put(atCount, 0x80), wire.Invalid, "without gaps"},
		"a gap at the end":            {put(atLastDelta+3, 2), wire.Invalid, "without gaps"},
		"more than there are":         {func(b []byte) []byte { b[atCount+3], b[atLastDelta+3] = 3, 2; return resum(b) }, wire.Invalid, "record 2 of the batch is malformed"},
		"fewer than there are":        {func(b []byte) []byte { b[atCount+3], b[atLastDelta+3] = 1, 0; return resum(b) }, wire.Invalid, "goes on for"},
		"a time before 1970":          {put(atBaseTime, 0x80), wire.Invalid, "before 1970"},
		"a record's time before 1970": {put(first+2, 0x7f), wire.Invalid, "before 1970"},
		"a wrong largest time":        {put(atMaxTime+7, 99), wire.Invalid, "largest timestamp"},
		"a producer below -1":         {func(b []byte) []byte { binary.BigEndian.PutUint64(b[atProducerID:], math.MaxUint64-1); return resum(b) }, wire.Invalid, "producer -2"},
		"a producer without epoch":    {put(atEpoch, 0xff), wire.Invalid, "epoch -"},
		"a producer without sequence": {put(atSequence, 0xff), wire.Invalid, "sequence -"},
		"an offset that is left out":  {put(first+3, 2), wire.Invalid, "offset delta 1"},
		"a record that is longer":     {put(first, 2*20), wire.Invalid, "malformed"},
		"a record that is shorter":    {put(first, 2*3), wire.Invalid, "malformed"},
		"a record of negative length": {put(first, 1), wire.Invalid, "malformed"},
		"a key that is too long":      {put(first+4, 2*60), wire.Invalid, "malformed"},
		"a key of length -2":          {put(first+4, 3), wire.Invalid, "malformed"},
		"a value that is shorter":     {put(first+6, 2*2), wire.Invalid, "malformed"},
		"headers that are not there":  {put(first+12, 2), wire.Invalid, "malformed"},
		"a negative count of headers": {put(first+12, 1), wire.Invalid, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Check(c.spoil(bytes.Clone(good)), wire.MaxRecord)
			if wire.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) || b != nil {
				t.Fatalf("got %v (%v), want %v with %q", err, wire.CodeOf(err), c.code, c.says)
			}
		})
	}
	if b, err := Check(good, 7); err != nil || !bytes.Equal(b, good) {
		t.Fatalf("the batch itself: %v", err)
	}
}

func TestWhereABatchLiesDoesNotMatterToCheck(t *testing.T) {
	b := build(t, wire.CompressionZstd, NoProducer, sample(10)...)
	b.Patch(1<<40, 9)
	if _, err := Check(b, wire.MaxRecord); err != nil {
		t.Fatal(err)
	}
	if b.BaseOffset() != 1<<40 || b.LastOffset() != 1<<40+9 || b.LeaderEpoch() != 9 {
		t.Fatalf("base %d, last %d, epoch %d", b.BaseOffset(), b.LastOffset(), b.LeaderEpoch())
	}
	if got := read(t, b); got[3].Offset != 1<<40+3 {
		t.Fatalf("offset %d", got[3].Offset)
	}
}

func TestALimitHoldsForEachRecordAndIsMetExactly(t *testing.T) {
	records := []Record{
		{Value: []byte("small")},
		{Key: make([]byte, 10), Value: make([]byte, 80), Headers: []wire.Header{{Name: make([]byte, 4), Value: make([]byte, 6)}}},
	}
	for _, c := range allCodecs {
		b := build(t, c, NoProducer, records...)
		if _, err := Check(b, 100); err != nil {
			t.Errorf("%s: %v", CompressionName(c), err)
		}
		_, err := Check(b, 99)
		if wire.CodeOf(err) != wire.TooLarge || !strings.Contains(err.Error(), "record 1 of the batch has 100 bytes") || !strings.Contains(err.Error(), "limit of 99") {
			t.Errorf("%s: %v", CompressionName(c), err)
		}
	}
}

func TestTheNumberOfHeadersIsBounded(t *testing.T) {
	for n, want := range map[int]wire.Code{wire.MaxHeaders: wire.OK, wire.MaxHeaders + 1: wire.Invalid} {
		b := build(t, wire.CompressionNone, NoProducer, Record{Headers: make([]wire.Header, n)})
		if _, err := Check(b, wire.MaxRecord); wire.CodeOf(err) != want {
			t.Errorf("%d headers: %v", n, err)
		}
	}
}

func TestABatchOverTheLimitIsTooLarge(t *testing.T) {
	b := build(t, wire.CompressionNone, NoProducer, Record{Value: make([]byte, wire.MaxRecordBatch)})
	if _, err := Check(b, math.MaxInt); wire.CodeOf(err) != wire.TooLarge || !strings.Contains(err.Error(), "record batch of") {
		t.Fatal(err)
	}
}

// Kafka's clients refuse a number of 32 bits in more than five bytes, and a header without a name.
func TestWhatKafkasClientsCannotReadIsRefused(t *testing.T) {
	for name, body := range map[string][]byte{
		"a key's length in six bytes":    {0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 1, 0},
		"a key's length of 33 bits":      {0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x7f, 1, 0},
		"a header whose name is null":    {0, 0, 0, 1, 1, 2, 1, 1},
		"a header that ends in its name": {0, 0, 0, 1, 1, 2, 4, 'a'},
	} {
		b := raw(wire.CompressionNone, 1, 0, 0, append(binary.AppendVarint(nil, int64(len(body))), body...))
		if _, err := Check(b, 100); wire.CodeOf(err) != wire.Invalid || !strings.Contains(err.Error(), "malformed") {
			t.Errorf("%s: %v", name, err)
		}
	}
	longer := raw(wire.CompressionNone, 1, 0, 0, []byte{2 * 7, 0, 0, 0, 0x81, 0, 1, 0}) // -1 in two bytes: odd, but read by all
	if _, err := Check(longer, 100); err != nil {
		t.Errorf("a number that could be shorter: %v", err)
	}
}

func TestCheckAllocatesNothingWithoutCompression(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties pools at random")
	}
	b := build(t, wire.CompressionNone, NoProducer, sample(200)...)
	if n := testing.AllocsPerRun(200, func() {
		if _, err := Check(b, wire.MaxRecord); err != nil {
			t.Error(err)
		}
	}); n >= 1 { // the pool may be emptied now and then
		t.Errorf("%v allocations", n)
	}
}
