package record

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// HeadSize is the bytes of a batch before its records.
const HeadSize = 61

// Where the fields of a batch's head begin. All numbers are big-endian.
const (
	atBaseOffset  = 0
	atLength      = 8 // of what follows it
	atLeaderEpoch = 12
	atMagic       = 16
	atChecksum    = 17 // CRC-32C of all that follows it
	atAttributes  = 21
	atLastDelta   = 23
	atBaseTime    = 27
	atMaxTime     = 35
	atProducerID  = 43
	atEpoch       = 51
	atSequence    = 53
	atCount       = 57
	uncounted     = atLength + 4 // bytes of a batch that its length does not count
	magic         = 2
	codecMask     = 7 // of the attributes; all other bits must be 0 in what a client may send
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Batch is one whole batch. Its methods need HeadSize bytes, as Next and Check guarantee; what they return of a batch that no
// Check has seen may be anything.
type Batch []byte

// Next returns the first batch of a run of batches and what follows it. It looks at the length and the version alone. The
// batch's capacity ends with it.
func Next(p []byte) (b Batch, rest []byte, err error) {
	if len(p) < HeadSize {
		return nil, p, wire.Errorf(wire.Invalid, "a run of record batches ends with %d bytes, fewer than the %d of a batch's head", len(p), HeadSize)
	}
	if p[atMagic] != magic {
		return nil, p, wire.Errorf(wire.Invalid, "a record batch has version %d: only version 2 is understood", p[atMagic])
	}
	n := int64(int32(binary.BigEndian.Uint32(p[atLength:]))) + uncounted
	if n < HeadSize || n > int64(len(p)) {
		return nil, p, wire.Errorf(wire.Invalid, "a record batch says that it has %d bytes, where %d to %d are possible", n, HeadSize, len(p))
	}
	return Batch(p[:n:n]), p[n:], nil
}

// BaseOffset returns the offset of the first record.
func (b Batch) BaseOffset() int64 { return int64(binary.BigEndian.Uint64(b[atBaseOffset:])) }

// LastOffset returns the offset of the last record.
func (b Batch) LastOffset() int64 { return b.BaseOffset() + int64(b.lastDelta()) }

// Count returns how many records the batch has.
func (b Batch) Count() int { return int(int32(binary.BigEndian.Uint32(b[atCount:]))) }

// Compression returns the codec of the records. It may be one that there is not.
func (b Batch) Compression() wire.Compression { return wire.Compression(b.attributes() & codecMask) }

// BaseTimestamp returns what the records' timestamps count from, in ms since 1970.
func (b Batch) BaseTimestamp() int64 { return int64(binary.BigEndian.Uint64(b[atBaseTime:])) }

// MaxTimestamp returns the largest timestamp of the records, in ms since 1970.
func (b Batch) MaxTimestamp() int64 { return int64(binary.BigEndian.Uint64(b[atMaxTime:])) }

// LeaderEpoch returns the number that Patch has put in last; -1 in a batch as it was built.
func (b Batch) LeaderEpoch() int32 { return int32(binary.BigEndian.Uint32(b[atLeaderEpoch:])) }

// Producer returns who has made the batch; its ID is negative if that is not said.
func (b Batch) Producer() Producer {
	return Producer{
		ID:       int64(binary.BigEndian.Uint64(b[atProducerID:])),
		Epoch:    int16(binary.BigEndian.Uint16(b[atEpoch:])),
		Sequence: int32(binary.BigEndian.Uint32(b[atSequence:])),
	}
}

// Patch gives the batch its place in a log, in its own memory. Both numbers lie before the checksum, which stays right.
func (b Batch) Patch(baseOffset int64, leaderEpoch int32) {
	binary.BigEndian.PutUint64(b[atBaseOffset:], uint64(baseOffset))
	binary.BigEndian.PutUint32(b[atLeaderEpoch:], uint32(leaderEpoch))
}

func (b Batch) attributes() uint16 { return binary.BigEndian.Uint16(b[atAttributes:]) }

func (b Batch) lastDelta() int32 { return int32(binary.BigEndian.Uint32(b[atLastDelta:])) }

// judgeChecksum returns an error unless the checksum is that of the content.
func (b Batch) judgeChecksum() error {
	says, is := binary.BigEndian.Uint32(b[atChecksum:]), crc32.Checksum(b[atAttributes:], castagnoli)
	if says != is {
		return wire.Errorf(wire.Invalid, "the record batch is damaged: its checksum is %08x, its content has %08x", says, is)
	}
	return nil
}

// seal fills in the head of a batch whose records are in place. The base offset is 0, the leader's epoch unknown.
func (b Batch) seal(c wire.Compression, count int, baseTime, maxTime int64, p Producer) {
	b.Patch(0, -1)
	binary.BigEndian.PutUint32(b[atLength:], uint32(len(b)-uncounted))
	b[atMagic] = magic
	binary.BigEndian.PutUint16(b[atAttributes:], uint16(c))
	binary.BigEndian.PutUint32(b[atLastDelta:], uint32(count-1))
	binary.BigEndian.PutUint64(b[atBaseTime:], uint64(baseTime))
	binary.BigEndian.PutUint64(b[atMaxTime:], uint64(maxTime))
	binary.BigEndian.PutUint64(b[atProducerID:], uint64(p.ID))
	binary.BigEndian.PutUint16(b[atEpoch:], uint16(p.Epoch))
	binary.BigEndian.PutUint32(b[atSequence:], uint32(p.Sequence))
	binary.BigEndian.PutUint32(b[atCount:], uint32(count))
	binary.BigEndian.PutUint32(b[atChecksum:], crc32.Checksum(b[atAttributes:], castagnoli))
}
