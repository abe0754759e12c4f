package record

import (
	"encoding/binary"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Reader takes the records out of a batch, and then of another. One goroutine at a time.
type Reader struct {
	// Verify makes Reset judge the checksum. Those who read what a server has sent want it; the server has judged it already.
	Verify bool
	// Fresh makes Reset decompress into new memory each time, so that records of compressed batches outlive the next Reset.
	Fresh bool

	left     cursor
	index    int // of the next record
	count    int
	base     int64 // offset
	baseTime int64
	memory   []byte // that a batch was decompressed into
}

// Reset turns to a batch. The records of the one before must not be used any more if that was compressed, unless Fresh is set.
// Invalid if the batch is not whole or damaged, TooLarge if it has more than MaxUncompressed bytes without compression.
func (r *Reader) Reset(b Batch) error {
	r.left, r.index, r.count = cursor{}, 0, 0
	if len(b) < HeadSize || int64(int32(binary.BigEndian.Uint32(b[atLength:])))+uncounted != int64(len(b)) || b[atMagic] != magic {
		return wire.Errorf(wire.Invalid, "%d bytes are not one whole record batch of version 2", len(b))
	}
	if r.Verify {
		if err := b.judgeChecksum(); err != nil {
			return err
		}
	}
	records := []byte(b[HeadSize:])
	if c := b.Compression(); c != wire.CompressionNone {
		if r.Fresh || cap(r.memory) > keepBytes {
			r.memory = nil
		}
		var err error
		if records, err = decompress(r.memory[:0], records, c); err != nil {
			return err
		}
		r.memory = records
	} else if len(records) > MaxUncompressed {
		return errTooMuch()
	}
	r.left, r.count = cursor{p: records}, b.Count()
	r.base, r.baseTime = b.BaseOffset(), b.BaseTimestamp()
	return nil
}

// Next reads the next record into rec; false when there is none. The record's slices share memory with the batch, or if that
// is compressed with the Reader, until its next Reset. It keeps cap(rec.Headers).
func (r *Reader) Next(rec *Record) (bool, error) {
	if r.index >= r.count {
		if r.left.left() > 0 {
			return false, wire.Errorf(wire.Invalid, "the record batch goes on for %d bytes after the last of its %d records", r.left.left(), r.count)
		}
		return false, nil
	}
	if !r.left.record(rec) {
		r.count, r.left = 0, cursor{} // nothing that follows can be found
		return false, wire.Errorf(wire.Invalid, "record %d of the batch is malformed: a length in it does not fit, or it has over %d headers", r.index, wire.MaxHeaders)
	}
	rec.Offset += r.base
	rec.Timestamp += r.baseTime
	r.index++
	return true, nil
}
