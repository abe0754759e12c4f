package systest

import (
	"bytes"
	coding "encoding/binary"
	"fmt"
	"hash/crc32"
	"reflect"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	flin "github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// kafkaCodecs are the codecs as both sides call them.
var kafkaCodecs = []struct {
	name   string
	ours   flin.Codec
	theirs kgo.CompressionCodec
}{
	{"none", flin.NoCompression, kgo.NoCompression()},
	{"gzip", flin.Gzip, kgo.GzipCompression()},
	{"snappy", flin.Snappy, kgo.SnappyCompression()},
	{"lz4", flin.LZ4, kgo.Lz4Compression()},
	{"zstd", flin.Zstd, kgo.ZstdCompression()},
}

// kafkaRecords returns n records of every shape.
func kafkaRecords(n int) []flin.Record {
	list := make([]flin.Record, n)
	for i := range list {
		r := &list[i]
		r.Timestamp = time.UnixMilli(1_700_000_000_000 + int64(i*7919%1_000))
		if i%3 > 0 {
			r.Key = fmt.Appendf([]byte{}, "key-%d", i)[:i%3*5-5] // one in three is empty, one there
		}
		if i%4 > 0 {
			r.Value = bytes.Repeat([]byte{byte('a' + i%26), byte(i)}, i%4*i%500)
		}
		for h := range i % 3 {
			r.Headers = append(r.Headers, flin.Header{Name: fmt.Sprint("h", h), Value: fmt.Appendf(nil, "value %d", i)})
		}
	}
	return list
}

// rawFetch returns the batches from an offset on as the server stores them, and the section that they came in.
func rawFetch(t *testing.T, n *frames, topic string, offset int64) wire.StreamSection {
	t.Helper()
	m := wire.StreamFetch{Topic: []byte(topic), Offset: offset, MaxBytes: wire.MaxFetchBytes}
	resp := n.do(t, wire.OpStreamFetch, m.Append(nil))
	if err := resp.Err(); err != nil {
		t.Fatal(err)
	}
	var s wire.StreamSection
	r := wire.NewReader(resp.Body)
	wire.TakeStreamSection(&r, &s)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if resp.Num != s.To-s.From {
		t.Fatalf("an answer of %d records from %d to %d", resp.Num, s.From, s.To)
	}
	return s
}

// readByKafka lets franz-go read a run of batches as it reads what a broker answers, checksums judged.
func readByKafka(t *testing.T, run []byte, from int64) []flin.Record {
	t.Helper()
	part := kmsg.NewFetchResponseTopicPartition()
	part.RecordBatches = run
	got, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Topic: "t", Offset: from}, &part, kgo.DefaultDecompressor(), nil)
	if got.Err != nil {
		t.Fatal(got.Err)
	}
	list := make([]flin.Record, len(got.Records))
	for i, r := range got.Records {
		list[i] = flin.Record{Offset: r.Offset, Timestamp: r.Timestamp, Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			list[i].Headers = append(list[i].Headers, flin.Header{Name: h.Key, Value: h.Value})
		}
	}
	return list
}

// batchesByKafka reads the heads of a run of batches with kmsg, which must write each again as it was.
func batchesByKafka(t *testing.T, run []byte) (list []kmsg.RecordBatch) {
	t.Helper()
	for len(run) > 0 {
		var b kmsg.RecordBatch
		if err := b.ReadFrom(run); err != nil {
			t.Fatal(err)
		}
		size := int(b.Length) + 12
		if !bytes.Equal(b.AppendTo(nil), run[:size]) {
			t.Fatalf("kmsg writes the batch at %d differently", b.FirstOffset)
		}
		list = append(list, b)
		run = run[size:]
	}
	return list
}

// sameRecords compares all but topics and partitions; of times the moment.
func sameRecords(t *testing.T, got, want []flin.Record) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d records, not %d", len(got), len(want))
	}
	for i := range want {
		g, w := got[i], want[i]
		g.Topic, g.Partition, w.Topic, w.Partition = "", 0, "", 0
		g.Timestamp, w.Timestamp = g.Timestamp.UTC(), w.Timestamp.UTC()
		if !reflect.DeepEqual(g, w) {
			t.Fatalf("record %d is %+v, not %+v", i, g, w)
		}
	}
}

func TestFranzGoReadsWhatTheServerStores(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	n := dialFrames(t, s.port)
	defer n.close()
	for _, codec := range kafkaCodecs {
		t.Run(codec.name, func(t *testing.T) {
			topic := "stored-" + codec.name
			if err := client.Stream.CreateTopic(topic, 1, 0, flin.Compression(codec.ours)); err != nil {
				t.Fatal(err)
			}
			want := kafkaRecords(1_000)
			for at := 0; at < len(want); {
				size := min(1+at%200, len(want)-at)
				places, err := client.Stream.PublishBatch(topic, 0, want[at:at+size])
				if err != nil {
					t.Fatal(err)
				}
				for i, p := range places {
					want[at+i].Offset = int64(at + i)
					if p.Partition != 0 || p.Offset != want[at+i].Offset {
						t.Fatalf("record %d is at %+v", at+i, p)
					}
				}
				at += size
			}
			all := rawFetch(t, n, topic, 0)
			if all.From != 0 || all.To != int64(len(want)) || all.End != all.To {
				t.Fatalf("records %d to %d of %d", all.From, all.To, all.End)
			}
			sameRecords(t, readByKafka(t, all.Batches, 0), want)
			next := int64(0)
			for _, b := range batchesByKafka(t, all.Batches) {
				if b.FirstOffset != next || b.Attributes != int16(codec.ours) || b.NumRecords != b.LastOffsetDelta+1 || b.ProducerID != -1 {
					t.Fatalf("at %d there is a batch of %d records, attributes %#x, at %d", next, b.NumRecords, b.Attributes, b.FirstOffset)
				}
				next += int64(b.NumRecords)
			}
			const middle = 533
			rest := rawFetch(t, n, topic, middle)
			if rest.From != middle {
				t.Fatalf("records from %d, not %d", rest.From, middle)
			}
			sameRecords(t, readByKafka(t, rest.Batches, middle), want[middle:])
			ours, err := client.Stream.Fetch(topic, 0, 0, flin.MaxBytes(8<<20))
			if err != nil {
				t.Fatal(err)
			}
			sameRecords(t, ours, want)
		})
	}
}

func TestFranzGoReadsWhatAProducerHasSent(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	n := dialFrames(t, s.port)
	defer n.close()
	for _, codec := range kafkaCodecs {
		t.Run(codec.name, func(t *testing.T) {
			topic := "sent-" + codec.name
			if err := client.Stream.CreateTopic(topic, 1, 0); err != nil {
				t.Fatal(err)
			}
			p, err := client.Stream.Producer(topic, flin.Compression(codec.ours), flin.MaxBatch(20_000))
			if err != nil {
				t.Fatal(err)
			}
			want := kafkaRecords(1_000)
			for i := range want {
				want[i].Offset = int64(i)
				if err := p.Send(0, want[i], nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			all := rawFetch(t, n, topic, 0)
			sameRecords(t, readByKafka(t, all.Batches, 0), want)
			sequence := int32(0)
			for _, b := range batchesByKafka(t, all.Batches) {
				if b.ProducerID < 0 || b.ProducerEpoch != 0 || b.FirstSequence != sequence || b.Attributes != int16(codec.ours) {
					t.Fatalf("a batch of producer %d, epoch %d, sequence %d, attributes %#x", b.ProducerID, b.ProducerEpoch, b.FirstSequence, b.Attributes)
				}
				sequence += b.NumRecords
			}
		})
	}
}

// kafkaBatch makes a batch with what franz-go has for it, at an offset and in an epoch that it cannot keep.
func kafkaBatch(t *testing.T, codec kgo.CompressionCodec, producer int64, sequence int32, records []flin.Record) []byte {
	t.Helper()
	b := kmsg.RecordBatch{
		FirstOffset: 777, PartitionLeaderEpoch: 55, Magic: 2, LastOffsetDelta: int32(len(records) - 1),
		FirstTimestamp: records[0].Timestamp.UnixMilli(), ProducerID: producer, ProducerEpoch: -1, FirstSequence: -1, NumRecords: int32(len(records)),
	}
	if producer >= 0 {
		b.ProducerEpoch, b.FirstSequence = 0, sequence
	}
	for i, r := range records {
		m := kmsg.Record{TimestampDelta64: r.Timestamp.UnixMilli() - b.FirstTimestamp, OffsetDelta: int32(i), Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, kmsg.Header{Key: h.Name, Value: h.Value})
		}
		m.Length = int32(len(m.AppendTo(nil)) - 1) // a length of 0 is one byte
		b.Records = m.AppendTo(b.Records)
		b.MaxTimestamp = max(b.MaxTimestamp, r.Timestamp.UnixMilli())
	}
	if z, err := kgo.DefaultCompressor(codec); err != nil {
		t.Fatal(err)
	} else if z != nil {
		out, used := z.Compress(new(bytes.Buffer), b.Records)
		b.Records, b.Attributes = out, int16(used)
	}
	b.Length = int32(len(b.AppendTo(nil)) - 12)
	b.CRC = int32(crc32.Checksum(b.AppendTo(nil)[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b.AppendTo(nil)
}

func TestBatchesOfFranzGoComeBackTheSameButForOffsetAndEpoch(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	n := dialFrames(t, s.port)
	defer n.close()
	for _, codec := range kafkaCodecs {
		t.Run(codec.name, func(t *testing.T) {
			topic := "appended-" + codec.name
			if err := client.Stream.CreateTopic(topic, 1, 0, flin.Compression(flin.Gzip)); err != nil {
				t.Fatal(err)
			}
			id := n.do(t, wire.OpStreamProducer, nil)
			if err := id.Err(); err != nil {
				t.Fatal(err)
			}
			appendBatch := func(b []byte) int64 {
				t.Helper()
				resp := n.do(t, wire.OpStreamAppend, (&wire.StreamAppend{Topic: []byte(topic), Batch: b}).Append(nil))
				if err := resp.Err(); err != nil {
					t.Fatal(err)
				}
				return resp.Num
			}
			var sent [][]byte
			var want []flin.Record
			next, sequence := int64(0), int32(0)
			for round, size := range []int{1, 300, 7, 2_000, 64} {
				records := kafkaRecords(size)
				producer := int64(-1)
				if round%2 == 0 {
					producer = id.Num
				}
				b := kafkaBatch(t, codec.theirs, producer, sequence, records)
				if got := appendBatch(b); got != next {
					t.Fatalf("batch %d went to %d, not %d", round, got, next)
				}
				if producer >= 0 {
					sequence += int32(size)
					if got := appendBatch(b); got != next {
						t.Fatalf("batch %d, sent again, is at %d, not %d", round, got, next)
					}
				}
				for i := range records {
					records[i].Offset = next + int64(i)
				}
				next += int64(size)
				want, sent = append(want, records...), append(sent, b)
			}
			all := rawFetch(t, n, topic, 0)
			run := all.Batches
			for i, b := range sent {
				if len(run) < len(b) {
					t.Fatalf("batch %d is not there", i)
				}
				const length, magic = 8, 16 // what lies before, and between offset and magic, is the server's
				if !bytes.Equal(run[length:length+4], b[length:length+4]) || !bytes.Equal(run[magic:len(b)], b[magic:]) {
					t.Fatalf("batch %d came back changed", i)
				}
				if got := int64(coding.BigEndian.Uint64(run)); got != offsetOf(sent[:i]) {
					t.Fatalf("batch %d is at %d, not %d", i, got, offsetOf(sent[:i]))
				}
				run = run[len(b):]
			}
			if len(run) != 0 {
				t.Fatalf("%d bytes more came back", len(run))
			}
			sameRecords(t, readByKafka(t, all.Batches, 0), want)
			ours, err := client.Stream.Fetch(topic, 0, 0, flin.MaxBytes(8<<20))
			if err != nil {
				t.Fatal(err)
			}
			sameRecords(t, ours, want)
		})
	}
}

// offsetOf returns the offset of what follows the batches.
func offsetOf(batches [][]byte) (n int64) {
	for _, b := range batches {
		const count = 57
		n += int64(coding.BigEndian.Uint32(b[count:]))
	}
	return n
}

// Keys land where Kafka's clients put them.
func TestKeysGoToThePartitionThatFranzGoGivesThem(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	const partitions = 17
	if err := client.Stream.CreateTopic("keyed", partitions, 0); err != nil {
		t.Fatal(err)
	}
	theirs := kgo.StickyKeyPartitioner(nil).ForTopic("keyed")
	records := make([]flin.Record, 500)
	for i := range records {
		records[i] = flin.Record{Key: fmt.Appendf(nil, "customer/%d", i*i), Value: []byte("v")}
	}
	places, err := client.Stream.PublishBatch("keyed", flin.AnyPartition, records)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range places {
		if want := theirs.Partition(&kgo.Record{Key: records[i].Key}, partitions); p.Partition != want {
			t.Fatalf("%s went to %d, not %d", records[i].Key, p.Partition, want)
		}
	}
}
