package flin

import (
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Places in a partition that stand for an offset, for Fetch, Offsets, Seek and Reset.
const (
	Latest   = wire.OffsetLatest   // behind the last record
	Earliest = wire.OffsetEarliest // the first record that is kept
)

// PublishOption is a property of the record that Publish puts in.
type PublishOption interface{ publish(m *wire.StreamRecord) }

type publishFunc func(m *wire.StreamRecord)

func (f publishFunc) publish(m *wire.StreamRecord) { f(m) }

// Key is a record's key, any bytes; an empty one is a key too.
func Key(key []byte) PublishOption {
	return publishFunc(func(m *wire.StreamRecord) {
		m.Flags |= wire.RecordKey
		m.Key = key
	})
}

// Timestamp is a record's time, to the millisecond and not before 1970. Without it the server's clock says it.
func Timestamp(t time.Time) PublishOption {
	return publishFunc(func(m *wire.StreamRecord) {
		m.Flags |= wire.RecordTime
		m.Time = max(t.UnixMilli(), 0)
	})
}

// RecordHeaders sends names and values with a record: at most 64, of together 64 KiB. A name may come more than once.
func RecordHeaders(headers ...Header) PublishOption {
	return publishFunc(func(m *wire.StreamRecord) {
		m.Headers, m.Flags = wireHeaders(m.Headers, headers), m.Flags|wire.RecordHeaders
	})
}

// NullValue publishes a record without a value, which is not an empty one: the mark of something deleted.
func NullValue() PublishOption {
	return publishFunc(func(m *wire.StreamRecord) {
		m.Flags |= wire.RecordNull
		m.Value = nil
	})
}

// FetchOption modifies Fetch.
type FetchOption interface{ fetch(m *wire.StreamFetch) }

// ConsumeOption modifies Consume.
type ConsumeOption interface{ consume(m *wire.StreamConsume) }

// OffsetOption modifies Offsets and Reset.
type OffsetOption interface{ place(p *place) }

// place is an offset, or a time that stands for one.
type place struct {
	offset int64
	byTime bool
}

func (o WaitOption) fetch(m *wire.StreamFetch)     { m.Wait = milliseconds(o.d) }
func (o WaitOption) consume(m *wire.StreamConsume) { m.Wait = milliseconds(o.d) }

// FromTimeOption is what FromTime returns: an option of Fetch, Offsets and Reset.
type FromTimeOption struct{ at time.Time }

func (o FromTimeOption) fetch(m *wire.StreamFetch) {
	m.Offset, m.ByTime = max(o.at.UnixMilli(), 0), true
}

func (o FromTimeOption) place(p *place) { *p = place{offset: max(o.at.UnixMilli(), 0), byTime: true} }

// FromTime stands for the offset of the first record that is not older than t, to the millisecond, in the place of the one that was
// given. Where there is none it is the end.
func FromTime(t time.Time) FromTimeOption { return FromTimeOption{t} }

type fetchFunc func(m *wire.StreamFetch)

func (f fetchFunc) fetch(m *wire.StreamFetch) { f(m) }

// MaxRecordsOption is what MaxRecords returns: an option of Fetch and Reader.
type MaxRecordsOption struct{ n int }

func (o MaxRecordsOption) fetch(m *wire.StreamFetch) { m.Count = uint64(max(o.n, 1)) }

// MaxRecords bounds how many records one answer brings, at least one.
func MaxRecords(n int) MaxRecordsOption { return MaxRecordsOption{n} }

// MinBytes makes a Fetch that Waits do so until there are so many bytes, as they are stored.
func MinBytes(n int) FetchOption {
	return fetchFunc(func(m *wire.StreamFetch) { m.MinBytes = uint64(max(n, 0)) })
}

// MaxBytesOption is what MaxBytes returns: a setting of topics, and an option of Fetch, Consume and Reader.
type MaxBytesOption struct{ n int64 }

func (o MaxBytesOption) fetch(m *wire.StreamFetch)     { m.MaxBytes = uint64(max(o.n, 1)) }
func (o MaxBytesOption) consume(m *wire.StreamConsume) { m.MaxBytes = uint64(max(o.n, 1)) }

// MaxBytes as a setting of a topic is how many bytes each of its partitions keeps at most; -1 is no bound. Elsewhere it bounds
// one answer, at most 8 MiB, of whole batches but at least one: by default 1 MiB of a Fetch, 4 MiB of a Consume.
func MaxBytes(n int64) MaxBytesOption { return MaxBytesOption{n} }
