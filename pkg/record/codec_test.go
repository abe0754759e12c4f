package record

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestCodecsHaveNames(t *testing.T) {
	for c, name := range map[wire.Compression]string{
		wire.CompressionNone: "none", wire.CompressionGzip: "gzip", wire.CompressionSnappy: "snappy",
		wire.CompressionLZ4: "lz4", wire.CompressionZstd: "zstd",
	} {
		if got := CompressionName(c); got != name {
			t.Errorf("%d is %q", c, got)
		}
		for _, n := range []string{name, strings.ToUpper(name)} {
			if got, err := ParseCompression(n); got != c || err != nil {
				t.Errorf("%q is %d, %v", n, got, err)
			}
		}
	}
	if got := CompressionName(5); got != "unknown" {
		t.Errorf("5 is %q", got)
	}
	if _, err := ParseCompression("brotli"); wire.CodeOf(err) != wire.Invalid || !strings.Contains(err.Error(), "none, gzip, snappy, lz4, zstd") {
		t.Errorf("brotli: %v", err)
	}
}

func TestWhatDoesNotCompressComesBackAsWell(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, 100, 64 << 10, 3 << 20} {
		value := make([]byte, size)
		for i := range value {
			value[i] = byte(dice.Uint32())
		}
		for _, c := range allCodecs {
			b := build(t, c, NoProducer, Record{Value: value})
			if _, err := Check(b, wire.MaxRecord); err != nil {
				t.Fatalf("%s, %d bytes: %v", CompressionName(c), size, err)
			}
			same(t, read(t, b), []Record{{Value: value}})
		}
	}
}

// framed puts p into the framing of snappy-java.
func framed(p []byte, blockSize int) []byte {
	out := append([]byte(xerial), 0, 0, 0, 1, 0, 0, 0, 1)
	for len(p) > 0 {
		n := min(blockSize, len(p))
		block := s2.EncodeSnappy(nil, p[:n])
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(block))), block...)
		p = p[n:]
	}
	return out
}

func TestTheFramingOfSnappyJavaIsRead(t *testing.T) {
	want := sample(500)
	plain := build(t, wire.CompressionNone, NoProducer, want...)
	for _, blockSize := range []int{1, 1_000, 32 << 10} {
		b := raw(wire.CompressionSnappy, len(want), plain.BaseTimestamp(), plain.MaxTimestamp(), framed(plain[HeadSize:], blockSize))
		if _, err := Check(b, wire.MaxRecord); err != nil {
			t.Fatal(err)
		}
		same(t, read(t, b), want)
	}
}

// zeros are over the limit, though little when they are compressed.
func zeros() []byte { return make([]byte, MaxUncompressed+1) }

func TestABombIsNotDecompressed(t *testing.T) {
	if testing.Short() {
		t.Skip("compresses 64 MiB with each codec")
	}
	lz := new(bytes.Buffer)
	lw := lz4.NewWriter(lz)
	lw.Write(zeros())
	lw.Close()
	gz := new(bytes.Buffer)
	gw := gzip.NewWriter(gz)
	gw.Write(zeros())
	gw.Close()
	streamed := new(bytes.Buffer) // without its size in the head
	zw, _ := zstd.NewWriter(streamed)
	zw.Write(zeros())
	zw.Close()
	for name, c := range map[string]struct {
		codec wire.Compression
		p     []byte
	}{
		"gzip":                {wire.CompressionGzip, gz.Bytes()},
		"snappy":              {wire.CompressionSnappy, s2.EncodeSnappy(nil, zeros())},
		"snappy in blocks":    {wire.CompressionSnappy, framed(zeros(), 32<<10)},
		"lz4":                 {wire.CompressionLZ4, lz.Bytes()},
		"zstd":                {wire.CompressionZstd, zw.EncodeAll(zeros(), nil)},
		"zstd without a size": {wire.CompressionZstd, streamed.Bytes()},
	} {
		_, err := Check(raw(c.codec, 1, 0, 0, c.p), wire.MaxRecord)
		if wire.CodeOf(err) != wire.TooLarge || !strings.Contains(err.Error(), "67108864 bytes without compression") {
			t.Errorf("%s of %d bytes: %v", name, len(c.p), err)
		}
	}
}

func TestALieAboutTheSizeCostsNoMemory(t *testing.T) {
	lie := binary.AppendUvarint(nil, MaxUncompressed) // snappy: the size, and then nothing of it
	for name, p := range map[string][]byte{
		"raw":    lie,
		"framed": append(binary.BigEndian.AppendUint32(framed(nil, 1), uint32(len(lie))), lie...),
	} {
		b := raw(wire.CompressionSnappy, 1, 0, 0, p)
		var before, after runtime.MemStats
		const times = 100
		runtime.ReadMemStats(&before)
		for range times {
			if _, err := Check(b, 100); wire.CodeOf(err) != wire.Invalid {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		if n := (after.TotalAlloc - before.TotalAlloc) / times; n > 64<<10 {
			t.Errorf("%s: %d bytes were allocated each time", name, n)
		}
	}
}

func TestRecordsThatCannotBeDecompressedAreInvalid(t *testing.T) {
	plain := build(t, wire.CompressionNone, NoProducer, sample(50)...)
	dependent := new(bytes.Buffer)
	for _, c := range allCodecs[1:] {
		good := build(t, c, NoProducer, sample(50)...)
		body := good[HeadSize:]
		for name, p := range map[string][]byte{
			"nothing":         nil,
			"not compressed":  plain[HeadSize:],
			"cut off":         body[:len(body)/2],
			"with a tail":     append(bytes.Clone(body), "tail"...),
			"a flipped start": append([]byte{body[0] ^ 0x11}, body[1:]...),
		} {
			if _, err := Check(raw(c, 50, plain.BaseTimestamp(), plain.MaxTimestamp(), p), wire.MaxRecord); wire.CodeOf(err) != wire.Invalid {
				t.Errorf("%s, %s: %v", CompressionName(c), name, err)
			}
		}
	}
	// A frame of dependent blocks, as Kafka's Java client refuses it.
	body := bytes.Clone(build(t, wire.CompressionLZ4, NoProducer, sample(50)...)[HeadSize:])
	body[4] &^= 1 << 5
	dependent.Write(body)
	if _, err := Check(raw(wire.CompressionLZ4, 50, 0, 0, dependent.Bytes()), 100); wire.CodeOf(err) != wire.Invalid || !strings.Contains(err.Error(), "independent blocks") {
		t.Errorf("dependent blocks: %v", err)
	}
}

func TestAReaderKeepsLittleMemoryOfALargeBatch(t *testing.T) {
	large := build(t, wire.CompressionZstd, NoProducer, Record{Value: make([]byte, 8<<20)})
	small := build(t, wire.CompressionZstd, NoProducer, Record{Value: make([]byte, 100)})
	var r Reader
	for _, b := range []Batch{large, small} {
		if err := r.Reset(b); err != nil {
			t.Fatal(err)
		}
	}
	if cap(r.memory) > keepBytes {
		t.Fatalf("%d bytes were kept, over %d", cap(r.memory), keepBytes)
	}
}
