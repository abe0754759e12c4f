package record

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Encoders are pooled for all Builders: one of gzip's has a megabyte of tables, and there may be a Builder for each of
// thousands of partitions.
var (
	gzips = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }} // of *gzip.Writer
	lz4s  = sync.Pool{New: func() any { return newLZ4() }}                   // of *lz4.Writer

	// zstdEncoder encodes for any number of goroutines: it has an encoder for each processor, made when it is needed. A batch
	// has a checksum of its own, and is seldom larger than the window, which bounds an encoder's memory.
	zstdEncoder = sync.OnceValues(func() (*zstd.Encoder, error) {
		return zstd.NewWriter(nil, zstd.WithEncoderCRC(false), zstd.WithWindowSize(256<<10), zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true))
	})
)

// newLZ4 returns a writer of frames as Kafka's Java client writes them: independent blocks, the only ones that it reads, of 64
// KiB, and no checksum of the content, which it does not look at.
func newLZ4() *lz4.Writer {
	w := lz4.NewWriter(io.Discard)
	_ = w.Apply(lz4.BlockSizeOption(lz4.Block64Kb), lz4.ChecksumOption(false)) // both are legal, which is all that can fail
	return w
}

// compress appends src to dst, compressed.
func compress(dst, src []byte, c wire.Compression) ([]byte, error) {
	switch c {
	case wire.CompressionGzip:
		w := gzips.Get().(*gzip.Writer)
		defer gzips.Put(w)
		return stream(dst, src, c, w)
	case wire.CompressionSnappy:
		return snappy(dst, src)
	case wire.CompressionLZ4:
		w := lz4s.Get().(*lz4.Writer)
		defer lz4s.Put(w)
		return stream(dst, src, c, w)
	case wire.CompressionZstd:
		e, err := zstdEncoder()
		if err != nil {
			return dst, fmt.Errorf("compress records with zstd: %w", err)
		}
		return e.EncodeAll(src, dst), nil
	default:
		return dst, knownCodec(c)
	}
}

// snappy appends src as one raw block. There are two framings of snappy in Kafka: what snappy-java writes (a header, then
// blocks of 32 KiB with their lengths), and a raw block as the clients in C and Go have always written it. snappy-java takes what
// does not begin with its header as a raw block, so both are read by all; the raw one is smaller, and finds what repeats at a
// distance of 64 KiB.
func snappy(dst, src []byte) ([]byte, error) {
	n := s2.MaxEncodedLen(len(src))
	if n < 0 {
		return dst, errTooMuch()
	}
	dst = slices.Grow(dst, n)
	block := s2.EncodeSnappy(dst[len(dst):len(dst)+n], src)
	return dst[:len(dst)+len(block)], nil
}

// resettable is a compressing writer that can be used again.
type resettable interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// stream appends src to dst through w.
func stream(dst, src []byte, c wire.Compression, w resettable) ([]byte, error) {
	out := bytes.NewBuffer(dst)
	w.Reset(out)
	defer w.Reset(io.Discard) // it must not keep dst alive
	if _, err := w.Write(src); err != nil {
		return dst, fmt.Errorf("compress records with %s: %w", CompressionName(c), err)
	}
	if err := w.Close(); err != nil {
		return dst, fmt.Errorf("compress records with %s: %w", CompressionName(c), err)
	}
	return out.Bytes(), nil
}
