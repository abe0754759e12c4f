package record

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Builder puts records together to a batch. The zero value is ready. One goroutine at a time.
type Builder struct {
	records  []byte // as they will lie in the batch, if it is not compressed
	count    int
	baseTime int64 // of the first record
	maxTime  int64
}

// Add appends a copy of the record. It judges nothing: what is over a limit is for Check to refuse.
func (b *Builder) Add(r *Record) {
	if b.count == 0 {
		b.baseTime, b.maxTime = r.Timestamp, r.Timestamp
	}
	b.maxTime = max(b.maxTime, r.Timestamp)
	p := binary.AppendVarint(b.records, int64(bodySize(r, r.Timestamp-b.baseTime, b.count)))
	p = append(p, 0) // attributes: none are defined
	p = binary.AppendVarint(p, r.Timestamp-b.baseTime)
	p = binary.AppendVarint(p, int64(b.count))
	p = appendNullable(p, r.Key)
	p = appendNullable(p, r.Value)
	p = binary.AppendVarint(p, int64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		p = binary.AppendVarint(p, int64(len(h.Name)))
		p = append(p, h.Name...)
		p = appendNullable(p, h.Value)
	}
	b.records = p
	b.count++
}

// Len returns how many records there are.
func (b *Builder) Len() int { return b.count }

// Size returns the bytes that the batch would have if it were finished now without compression.
func (b *Builder) Size() int { return HeadSize + len(b.records) }

// Reset makes the Builder empty. It keeps its memory unless that is large.
func (b *Builder) Reset() {
	if cap(b.records) > keepBytes {
		b.records = nil
	}
	*b = Builder{records: b.records[:0]}
}

// AppendTo appends the finished batch to dst: base offset 0, leader epoch -1. The Builder stays as it is. Without compression and
// with at least one record it cannot fail, and allocates nothing if dst has Size bytes of room. A codec that does not make the batch
// smaller is used all the same. An error leaves dst as it was: Invalid if there is no record or no such codec.
func (b *Builder) AppendTo(dst []byte, c wire.Compression, p Producer) ([]byte, error) {
	if b.count == 0 {
		return dst, wire.Errorf(wire.Invalid, "a record batch needs at least one record")
	}
	start := len(dst)
	dst = slices.Grow(dst, b.Size())[:start+HeadSize]
	if c == wire.CompressionNone {
		dst = append(dst, b.records...)
	} else {
		var err error
		if dst, err = compress(dst, b.records, c); err != nil {
			return dst[:start], err
		}
	}
	Batch(dst[start:]).seal(c, b.count, b.baseTime, b.maxTime, p)
	return dst, nil
}

// Overhead is how many bytes a record takes in a batch beside its key, value and headers, at most; each header takes up to
// HeaderOverhead more.
const (
	Overhead       = 5 + 1 + 10 + 5 + 5 + 5 + 5
	HeaderOverhead = 5 + 5
)

// bodySize returns the bytes of a record behind its length.
func bodySize(r *Record, timeDelta int64, offsetDelta int) int {
	n := 1 + varintSize(timeDelta) + varintSize(int64(offsetDelta))
	n += nullableSize(r.Key) + nullableSize(r.Value)
	n += varintSize(int64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		n += varintSize(int64(len(h.Name))) + len(h.Name) + nullableSize(h.Value)
	}
	return n
}

// appendNullable appends a length and the bytes; the length of nil is -1.
func appendNullable(p, b []byte) []byte {
	if b == nil {
		return append(p, 1) // -1, zigzag
	}
	return append(binary.AppendVarint(p, int64(len(b))), b...)
}

func nullableSize(b []byte) int {
	if b == nil {
		return 1
	}
	return varintSize(int64(len(b))) + len(b)
}

// varintSize returns the bytes of v zigzag-encoded, seven bits a byte.
func varintSize(v int64) int {
	return (bits.Len64(uint64(v)<<1^uint64(v>>63)|1) + 6) / 7
}
