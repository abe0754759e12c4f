package record

import (
	"bytes"
	"hash/crc32"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// fetched lets franz-go read a run of batches as it reads what a broker answers.
func fetched(t *testing.T, run []byte) []*kgo.Record {
	t.Helper()
	part := kmsg.NewFetchResponseTopicPartition()
	part.RecordBatches = run
	got, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Topic: "t"}, &part, kgo.DefaultDecompressor(), nil)
	if got.Err != nil {
		t.Fatal(got.Err)
	}
	return got.Records
}

// sameAsKafka fails the test unless franz-go has read the same records.
func sameAsKafka(t *testing.T, got []*kgo.Record, want []Record) {
	t.Helper()
	ours := make([]Record, len(got))
	for i, r := range got {
		ours[i] = Record{Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			ours[i].Headers = append(ours[i].Headers, wire.Header{Name: []byte(h.Key), Value: h.Value})
		}
	}
	same(t, ours, want)
}

func TestFranzGoReadsWhatABuilderMakes(t *testing.T) {
	for _, c := range allCodecs {
		t.Run(CompressionName(c), func(t *testing.T) {
			want := sample(300)
			b := build(t, c, Producer{ID: 1 << 40, Epoch: 2, Sequence: 9}, want...)
			b.Patch(5_000, 4)
			for i := range want {
				want[i].Offset += 5_000
			}
			var k kmsg.RecordBatch
			if err := k.ReadFrom(b); err != nil {
				t.Fatal(err)
			}
			if k.FirstOffset != 5_000 || k.PartitionLeaderEpoch != 4 || k.Magic != 2 || k.LastOffsetDelta != 299 || k.NumRecords != 300 ||
				k.ProducerID != 1<<40 || k.ProducerEpoch != 2 || k.FirstSequence != 9 || k.Attributes != int16(c) || int(k.Length) != len(b)-12 ||
				k.FirstTimestamp != b.BaseTimestamp() || k.MaxTimestamp != b.MaxTimestamp() {
				t.Fatalf("the head is %+v", k)
			}
			if again := k.AppendTo(nil); !bytes.Equal(again, b) {
				t.Fatal("franz-go writes the batch that it has read differently")
			}
			sameAsKafka(t, fetched(t, b), want)
		})
	}
}

// kafkaBatch makes a batch with what franz-go has for it.
func kafkaBatch(t *testing.T, codec kgo.CompressionCodec, records []Record) []byte {
	t.Helper()
	k := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, LastOffsetDelta: int32(len(records) - 1), FirstTimestamp: records[0].Timestamp,
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: int32(len(records)),
	}
	for i := range records {
		r := &records[i]
		m := kmsg.Record{TimestampDelta64: r.Timestamp - k.FirstTimestamp, OffsetDelta: int32(i), Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, kmsg.Header{Key: string(h.Name), Value: h.Value})
		}
		m.Length = int32(len(m.AppendTo(nil)) - 1) // the length 0 is one byte
		k.Records = m.AppendTo(k.Records)
		k.MaxTimestamp = max(k.MaxTimestamp, r.Timestamp)
	}
	if z, err := kgo.DefaultCompressor(codec); err != nil {
		t.Fatal(err)
	} else if z != nil {
		out, used := z.Compress(new(bytes.Buffer), k.Records)
		k.Records, k.Attributes = out, int16(used)
	}
	k.Length = int32(len(k.AppendTo(nil)) - 12)
	k.CRC = int32(crc32.Checksum(k.AppendTo(nil)[21:], crc32.MakeTable(crc32.Castagnoli)))
	return k.AppendTo(nil)
}

func TestWhatFranzGoMakesIsGoodAndReadTheSame(t *testing.T) {
	for c, codec := range map[wire.Compression]kgo.CompressionCodec{
		wire.CompressionNone: kgo.NoCompression(), wire.CompressionGzip: kgo.GzipCompression(), wire.CompressionSnappy: kgo.SnappyCompression(),
		wire.CompressionLZ4: kgo.Lz4Compression(), wire.CompressionZstd: kgo.ZstdCompression(),
	} {
		t.Run(CompressionName(c), func(t *testing.T) {
			for _, n := range []int{1, 300, 5_000} {
				want := sample(n)
				b, err := Check(kafkaBatch(t, codec, want), wire.MaxRecord)
				if err != nil {
					t.Fatal(err)
				}
				if b.Compression() != c || b.Producer() != NoProducer {
					t.Fatalf("codec %d, producer %+v", b.Compression(), b.Producer())
				}
				same(t, read(t, b), want)
			}
		})
	}
}

func TestWithoutCompressionABuilderWritesTheBytesThatFranzGoWrites(t *testing.T) {
	for _, n := range []int{1, 2, 1_000} {
		records := sample(n)
		if ours, theirs := build(t, wire.CompressionNone, NoProducer, records...), kafkaBatch(t, kgo.NoCompression(), records); !bytes.Equal(ours, theirs) {
			t.Errorf("%d records: %d bytes, and %d from franz-go", n, len(ours), len(theirs))
		}
	}
}
