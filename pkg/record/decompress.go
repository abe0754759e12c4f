package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// gunzip and unlz4 are decoders with the reader that they read from.
type (
	gunzip struct {
		gzip.Reader
		src bytes.Reader
	}
	unlz4 struct {
		*lz4.Reader
		src bytes.Reader
	}
)

var (
	gunzips = sync.Pool{New: func() any { return new(gunzip) }}                        // of *gunzip
	unlz4s  = sync.Pool{New: func() any { return &unlz4{Reader: lz4.NewReader(nil)} }} // of *unlz4

	// zstdDecoder decodes for any number of goroutines, as many at a time as there are processors.
	zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
		return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxUncompressed))
	})
)

// xerial is how the framing of snappy-java begins, before two versions of 32 bits. No raw block of snappy can begin so: it would
// refer to what is before its beginning.
const (
	xerial     = "\x82SNAPPY\x00"
	xerialHead = len(xerial) + 8
)

// decompress decompresses src into dst, which is empty, or into new memory if that has not the room. It never makes more than
// MaxUncompressed bytes of it.
func decompress(dst, src []byte, c wire.Compression) ([]byte, error) {
	out, err := dst, error(nil)
	switch c {
	case wire.CompressionNone:
		return src, nil
	case wire.CompressionGzip:
		out, err = ungzip(dst, src)
	case wire.CompressionSnappy:
		out, err = unsnappy(dst, src)
	case wire.CompressionLZ4:
		out, err = decompressLZ4(dst, src)
	case wire.CompressionZstd:
		var d *zstd.Decoder
		if d, err = zstdDecoder(); err == nil {
			out, err = d.DecodeAll(src, dst)
		}
		if errors.Is(err, zstd.ErrDecoderSizeExceeded) {
			return nil, errTooMuch()
		}
	default:
		return nil, knownCodec(c)
	}
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return nil, e
	}
	if err != nil {
		return nil, wire.Errorf(wire.Invalid, "the records of the batch cannot be decompressed as %s: %v", CompressionName(c), err)
	}
	return out, nil
}

func ungzip(dst, src []byte) ([]byte, error) {
	d := gunzips.Get().(*gunzip)
	defer gunzips.Put(d)
	d.src.Reset(src)
	defer d.src.Reset(nil) // it must not keep src alive
	if err := d.Reader.Reset(&d.src); err != nil {
		return dst, err
	}
	return drain(dst, len(src), d)
}

func decompressLZ4(dst, src []byte) ([]byte, error) {
	const (
		frame       = 0x184d2204
		version     = 3 << 6 // of the flags
		version1    = 1 << 6
		independent = 1 << 5
	)
	if len(src) < 5 || binary.LittleEndian.Uint32(src) != frame || src[4]&version != version1 || src[4]&independent == 0 {
		return dst, errors.New("it is not a frame of independent blocks, which Kafka's clients need")
	}
	d := unlz4s.Get().(*unlz4)
	defer unlz4s.Put(d)
	d.src.Reset(src)
	d.Reset(&d.src)
	defer func() { // it must not keep src alive
		d.Reset(nil)
		d.src.Reset(nil)
	}()
	return drain(dst, len(src), d)
}

// drain reads all of r, which has n bytes of compressed input. Memory grows with what has come, not with what is announced.
func drain(dst []byte, n int, r io.Reader) ([]byte, error) {
	dst = slices.Grow(dst, min(4*n, keepBytes)+bytes.MinRead)
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, len(dst))
		}
		got, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+got]
		if len(dst) > MaxUncompressed {
			return dst, errTooMuch()
		}
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

func unsnappy(dst, src []byte) ([]byte, error) {
	if len(src) <= xerialHead || string(src[:len(xerial)]) != xerial {
		n, err := snappySize(src, 0)
		if err != nil {
			return dst, err
		}
		return s2.Decode(slices.Grow(dst, n)[:n], src)
	}
	total := 0
	for p := src[xerialHead:]; len(p) > 0; {
		block, rest, err := xerialBlock(p)
		if err != nil {
			return dst, err
		}
		n, err := snappySize(block, total)
		if err != nil {
			return dst, err
		}
		total += n
		p = rest
	}
	dst = slices.Grow(dst, total)[:total]
	at := 0
	for p := src[xerialHead:]; len(p) > 0; {
		block, rest, err := xerialBlock(p)
		if err != nil {
			return dst, err
		}
		out, err := s2.Decode(dst[at:], block)
		if err != nil {
			return dst, err
		}
		at += len(out)
		p = rest
	}
	return dst, nil
}

// xerialBlock takes a block from what follows the header of the framing.
func xerialBlock(p []byte) (block, rest []byte, err error) {
	if len(p) < 4 {
		return nil, nil, io.ErrUnexpectedEOF
	}
	n := uint64(binary.BigEndian.Uint32(p))
	if p = p[4:]; n > uint64(len(p)) {
		return nil, nil, io.ErrUnexpectedEOF
	}
	return p[:n], p[n:], nil
}

// snappySize returns how many bytes a raw block says that it has without compression. What is more than its elements could
// make, 64 bytes of 3, is a lie that would cost memory; total is what the blocks before it have.
func snappySize(block []byte, total int) (int, error) {
	n, err := s2.DecodedLen(block)
	if err != nil {
		return 0, err
	}
	if n > MaxUncompressed-total {
		return 0, errTooMuch()
	}
	if n > 22*len(block) {
		return 0, s2.ErrCorrupt
	}
	return n, nil
}
