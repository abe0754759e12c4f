package systest

import (
	"bytes"
	coding "encoding/binary"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Where the fields of a record batch lie (https://kafka.apache.org/documentation/#recordbatch).
const (
	batchLength     = 8
	batchMagic      = 16
	batchCRC        = 17
	batchAttributes = 21
	batchLastDelta  = 23
	batchProducer   = 43
	batchEpoch      = 51
	batchSequence   = 53
	batchCount      = 57
	batchRecords    = 61
)

// recrc makes a batch whose bytes were changed one with a good checksum.
func recrc(b []byte) []byte {
	sum := crc32.Checksum(b[batchAttributes:], crc32.MakeTable(crc32.Castagnoli))
	coding.BigEndian.PutUint32(b[batchCRC:], sum)
	return b
}

// edited returns a copy of a batch after fn.
func edited(batch []byte, fn func(b []byte)) []byte {
	b := bytes.Clone(batch)
	fn(b)
	return b
}

// aBatch returns a batch of one record of a topic, as the server stores it.
func aBatch(t *testing.T, n *frames, topic string) []byte {
	t.Helper()
	m := wire.StreamFetch{Topic: []byte(topic)}
	resp := n.do(t, wire.OpStreamFetch, m.Append(nil))
	if err := resp.Err(); err != nil {
		t.Fatal(err)
	}
	r := wire.NewReader(resp.Body)
	var section wire.StreamSection
	wire.TakeStreamSection(&r, &section)
	size := batchLength + 4 + int(coding.BigEndian.Uint32(section.Batches[batchLength:]))
	if err := r.Close(); err != nil || len(section.Batches) < size {
		t.Fatalf("a batch of %d bytes in %d: %v", size, len(section.Batches), err)
	}
	return bytes.Clone(section.Batches[:size])
}

// A batch that is damaged, or not what it says, is refused, and leaves nothing behind.
func TestDamagedBatchesAreRefused(t *testing.T) {
	s := start(t, "-auto-create-topics=false")
	client := newClient(t, s.addrs())
	unharmed := topicCanary(t, client, "t")
	n := dialFrames(t, s.port)
	defer n.close()
	good := aBatch(t, n, "t")
	put32 := func(at int, v uint32) func([]byte) { return func(b []byte) { coding.BigEndian.PutUint32(b[at:], v) } }
	for _, c := range []struct {
		name  string
		batch []byte
		code  wire.Code
		says  []string
	}{
		{"no bytes", nil, wire.Invalid, nil},
		{"half of a head", good[:30], wire.Invalid, nil},
		{"all but its last byte", good[:len(good)-1], wire.Invalid, nil},
		{"one byte more", append(bytes.Clone(good), 0), wire.Invalid, []string{"1 bytes"}},
		{"two batches", slices.Concat(good, good), wire.Invalid, nil},
		{"a flipped bit of a value", edited(good, func(b []byte) { b[len(b)-20] ^= 1 }), wire.Invalid, []string{"checksum"}},
		{"another checksum", edited(good, func(b []byte) { b[batchCRC] ^= 1 }), wire.Invalid, []string{"checksum"}},
		{"version 1", edited(good, func(b []byte) { b[batchMagic] = 1 }), wire.Invalid, []string{"version 1"}},
		{"a length of nothing", edited(good, put32(batchLength, 0)), wire.Invalid, nil},
		{"a length below nothing", edited(good, put32(batchLength, 1<<31)), wire.Invalid, nil},
		{"a transaction", recrc(edited(good, func(b []byte) { b[batchAttributes+1] |= 0x10 })), wire.Invalid, []string{"transaction"}},
		{"control records", recrc(edited(good, func(b []byte) { b[batchAttributes+1] |= 0x20 })), wire.Invalid, []string{"control"}},
		{"an unknown codec", recrc(edited(good, func(b []byte) { b[batchAttributes+1] |= 7 })), wire.Invalid, []string{"7"}},
		{"a codec that it was not packed with", recrc(edited(good, func(b []byte) { b[batchAttributes+1] |= 4 })), wire.Invalid, []string{"zstd"}},
		{"no records", recrc(edited(good, put32(batchCount, 0))), wire.Invalid, nil},
		{"more records than it has", recrc(edited(edited(good, put32(batchCount, 2)), put32(batchLastDelta, 1))), wire.Invalid, nil},
		{"a thousand million records", recrc(edited(edited(good, put32(batchCount, 1<<30)), put32(batchLastDelta, 1<<30-1))), wire.Invalid, nil},
		{"a gap in its offsets", recrc(edited(good, put32(batchLastDelta, 5))), wire.Invalid, nil},
		{"a record that is longer than the batch", recrc(edited(good, func(b []byte) { b[batchRecords] = 0x7E })), wire.Invalid, nil},
		{"a producer without a sequence", recrc(edited(good, func(b []byte) { coding.BigEndian.PutUint64(b[batchProducer:], 7) })), wire.Invalid, []string{"producer"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp := n.do(t, wire.OpStreamAppend, (&wire.StreamAppend{Topic: []byte("t"), Batch: c.batch}).Append(nil))
			if resp.Code != c.code {
				t.Fatalf("answered %v %q, not %v", resp.Code, resp.Body, c.code)
			}
			says(t, string(resp.Body), c.says...)
		})
	}
	for _, c := range []struct {
		name  string
		topic string
		at    int32
		code  wire.Code
		says  string
	}{
		{"a topic that is not there", "nowhere", 0, wire.NotFound, "nowhere"},
		{"a partition that is not there", "t", 2, wire.OutOfRange, "2 partitions"},
		{"any partition", "t", -1, wire.OutOfRange, "2 partitions"},
		{"a name that is none", "a b", 0, wire.Invalid, "topic"},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp := n.do(t, wire.OpStreamAppend, (&wire.StreamAppend{Topic: []byte(c.topic), Partition: c.at, Batch: good}).Append(nil))
			if resp.Code != c.code {
				t.Fatalf("answered %v %q, not %v", resp.Code, resp.Body, c.code)
			}
			says(t, string(resp.Body), c.says)
		})
	}
	unharmed()
	stillServes(t, s)
}

// A producer's batches come in once and in their order, whatever it sends; one that another has taken the place of is told so.
func TestAProducersBatchesAreTakenOnceAndInOrder(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	unharmed := topicCanary(t, client, "canary")
	n := dialFrames(t, s.port)
	defer func() { n.close() }()
	good := aBatch(t, n, "canary")
	if err := client.Stream.CreateTopic("t", 1, -1); err != nil {
		t.Fatal(err)
	}
	id := n.do(t, wire.OpStreamProducer, nil)
	if id.Code != wire.OK {
		t.Fatalf("%v %q", id.Code, id.Body)
	}
	send := func(epoch uint16, sequence uint32) wire.Response {
		batch := recrc(edited(good, func(b []byte) {
			coding.BigEndian.PutUint64(b[batchProducer:], uint64(id.Num))
			coding.BigEndian.PutUint16(b[batchEpoch:], epoch)
			coding.BigEndian.PutUint32(b[batchSequence:], sequence)
		}))
		return n.do(t, wire.OpStreamAppend, (&wire.StreamAppend{Topic: []byte("t"), Batch: batch}).Append(nil))
	}
	expect := func(epoch uint16, sequence uint32, code wire.Code, offset int64) {
		t.Helper()
		resp := send(epoch, sequence)
		if resp.Code != code || code == wire.OK && resp.Num != offset {
			t.Errorf("epoch %d, sequence %d is answered %v %d %q, not %v %d", epoch, sequence, resp.Code, resp.Num, resp.Body, code, offset)
		}
	}
	for i := range uint32(7) {
		expect(1, i, wire.OK, int64(i))
		expect(1, i, wire.OK, int64(i)) // once more, as after a lost answer
	}
	expect(1, 2, wire.OK, 2)
	expect(1, 1, wire.Exists, 0)
	expect(1, 8, wire.Conflict, 0)
	expect(0, 0, wire.Fenced, 0)
	expect(2, 3, wire.Conflict, 0)
	expect(2, 0, wire.OK, 7)
	expect(1, 7, wire.Fenced, 0)
	n.close()
	s.kill()
	s.launch()
	n = dialFrames(t, s.port)
	expect(2, 0, wire.OK, 7)
	expect(2, 2, wire.Conflict, 0)
	expect(2, 1, wire.OK, 8)
	if info, err := client.Stream.Topic("t"); err != nil || info.Partitions[0].End != 9 {
		t.Errorf("9 batches were taken, and the topic has %+v, %v", info.Partitions, err)
	}
	unharmed()
}
