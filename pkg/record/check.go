package record

import (
	"sync"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// checker is what Check needs: memory for the records of a compressed batch, and for headers.
type checker struct {
	reader Reader
	rec    Record
}

var checkers = sync.Pool{New: func() any { return new(checker) }} // a pool

// Check judges bytes that somebody else has made: they must be exactly one batch of version 2 that is good in every respect, so
// that every Reader, and every client of Kafka, reads it to its end. maxRecord is how many bytes the key, value and headers of a
// record may have. The base offset and the leader epoch do not matter. Nothing is allocated for a batch without compression.
//
// The error is a *wire.Error: TooLarge if the batch has over wire.MaxRecordBatch bytes, over MaxUncompressed without compression,
// a record over maxRecord or over wire.MaxHeaderBytes of names and values of headers, else Invalid. It shares no memory with p.
func Check(p []byte, maxRecord int) (Batch, error) {
	b, err := checkHead(p)
	if err != nil {
		return nil, err
	}
	c := checkers.Get().(*checker)
	err = c.records(b, maxRecord)
	c.release()
	if err != nil {
		return nil, err
	}
	return b, nil
}

// checkHead judges all but the records.
func checkHead(p []byte) (Batch, error) {
	if len(p) > wire.MaxRecordBatch {
		return nil, wire.Errorf(wire.TooLarge, "record batch of %d bytes is over the limit of %d: send fewer records in one", len(p), wire.MaxRecordBatch)
	}
	b, rest, err := Next(p)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, wire.Errorf(wire.Invalid, "%d bytes follow the record batch: one is sent at a time", len(rest))
	}
	if err := b.judgeChecksum(); err != nil {
		return nil, err
	}
	if err := b.judgeAttributes(); err != nil {
		return nil, err
	}
	count, delta := b.Count(), int(b.lastDelta())
	if count < 1 || delta != count-1 {
		return nil, wire.Errorf(wire.Invalid, "a record batch of %d records whose last offset is %d behind its first: there must be at least one, without gaps", count, delta)
	}
	if b.BaseTimestamp() < 0 {
		return nil, wire.Errorf(wire.Invalid, "base timestamp %d of a record batch is before 1970", b.BaseTimestamp())
	}
	if q := b.Producer(); q.ID < -1 || q.ID >= 0 && (q.Epoch < 0 || q.Sequence < 0) {
		return nil, wire.Errorf(wire.Invalid, "record batch with producer %d, epoch %d, sequence %d: a producer has all three from 0 on, and a batch without one has producer -1", q.ID, q.Epoch, q.Sequence)
	}
	return b, nil
}

// judgeAttributes refuses what a batch of a plain producer does not have.
func (b Batch) judgeAttributes() error {
	switch a := b.attributes(); {
	case a&(1<<4) != 0:
		return wire.Errorf(wire.Invalid, "the record batch belongs to a transaction, which there are none of")
	case a&(1<<5) != 0:
		return wire.Errorf(wire.Invalid, "the record batch is one of control records, which only a server makes")
	case a&(1<<3) != 0:
		return wire.Errorf(wire.Invalid, "the record batch has the timestamps of a log, which only a server gives")
	case a&^codecMask != 0:
		return wire.Errorf(wire.Invalid, "the record batch has attributes %#04x, of which %#04x are unknown", a, a&^codecMask)
	}
	return knownCodec(b.Compression())
}

// records judges each record.
func (c *checker) records(b Batch, maxRecord int) error {
	if err := c.reader.Reset(b); err != nil {
		return err
	}
	first, base, newest := b.BaseOffset(), b.BaseTimestamp(), int64(0)
	for i := 0; ; i++ {
		ok, err := c.reader.Next(&c.rec)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		n := Size(&c.rec)
		if n > maxRecord {
			return wire.Errorf(wire.TooLarge, "record %d of the batch has %d bytes of key, value and headers, over the limit of %d", i, n, maxRecord)
		}
		if n -= len(c.rec.Key) + len(c.rec.Value); n > wire.MaxHeaderBytes {
			return wire.Errorf(wire.TooLarge, "record %d of the batch has %d bytes of names and values of headers, over the limit of %d: put them into the value", i, n, wire.MaxHeaderBytes)
		}
		if c.rec.Offset != first+int64(i) {
			return wire.Errorf(wire.Invalid, "record %d of the batch has offset delta %d: they count from 0 without gaps", i, c.rec.Offset-first)
		}
		if c.rec.Timestamp < 0 {
			return wire.Errorf(wire.Invalid, "record %d of the batch has a timestamp that is before 1970, or too large (%d after %d)", i, c.rec.Timestamp-base, base)
		}
		newest = max(newest, c.rec.Timestamp)
	}
	if newest != b.MaxTimestamp() {
		return wire.Errorf(wire.Invalid, "the record batch says that its largest timestamp is %d, but it is %d", b.MaxTimestamp(), newest)
	}
	return nil
}

// release gives the checker back without anything of the batch.
func (c *checker) release() {
	headers := c.rec.Headers[:cap(c.rec.Headers)]
	clear(headers)
	c.rec = Record{Headers: headers[:0]}
	memory := c.reader.memory
	if cap(memory) > keepBytes {
		memory = nil
	}
	c.reader = Reader{memory: memory}
	checkers.Put(c)
}
