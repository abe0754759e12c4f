package flin

import (
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Fetch reads records of a partition from an offset on, or from Earliest, Latest or FromTime. It returns what is there, nothing and no
// error if nothing is, and does not wait unless Wait says so. An offset before the first record that is kept, or behind the next, is
// ErrOutOfRange, and the error names both.
//
// An answer may have fewer records than there are: MaxBytes, and MaxRecords if it is given, end it. The next Fetch goes on at the
// last record's Offset+1.
func (s *Stream) Fetch(topic string, partition int, offset int64, opts ...FetchOption) ([]Record, error) {
	m := wire.StreamFetch{Topic: []byte(topic), Partition: number(partition), Offset: offset}
	for _, o := range opts {
		o.fetch(&m)
	}
	resp, err := s.askWaiting(wire.OpStreamFetch, reads, &m, millisecondsOf(m.Wait))
	if err != nil || resp.Num == 0 {
		return nil, err
	}
	r := wire.NewReader(resp.Body)
	var section wire.StreamSection
	wire.TakeStreamSection(&r, &section)
	if err := r.Close(); err != nil {
		return nil, badAnswer(wire.OpStreamFetch, err)
	}
	list, err := appendSection(roomForRecords(resp.Num, len(resp.Body)), topic, &section)
	if err != nil {
		return nil, badAnswer(wire.OpStreamFetch, err)
	}
	return list, nil
}

// PartitionOffset is a place in a partition.
type PartitionOffset struct {
	Partition int
	Offset    int64
	Timestamp time.Time // of the record there; zero: there is none
}

// Offsets looks up where Earliest, Latest or FromTime is in a partition, or with AnyPartition in each.
func (s *Stream) Offsets(topic string, partition int, offset int64, opts ...OffsetOption) ([]PartitionOffset, error) {
	p := place{offset: offset}
	for _, o := range opts {
		o.place(&p)
	}
	if !p.byTime && p.offset != Earliest && p.offset != Latest {
		return nil, wire.Errorf(wire.Invalid, "flin: Offsets looks up Earliest, Latest or FromTime, not offset %d", p.offset)
	}
	resp, err := s.ask(wire.OpStreamOffsets, reads, &wire.StreamOffsets{Topic: []byte(topic), Partition: number(partition), Time: p.offset})
	if err != nil {
		return nil, err
	}
	return partitionOffsets(wire.OpStreamOffsets, resp.Body)
}

func partitionOffsets(op wire.Op, body []byte) ([]PartitionOffset, error) {
	var list []PartitionOffset
	r := wire.NewReader(body)
	for r.Len() > 0 {
		if o := wire.TakeStreamOffset(&r); r.Err() == nil {
			one := PartitionOffset{Partition: int(o.Partition), Offset: o.Offset}
			if o.Time >= 0 {
				one.Timestamp = time.UnixMilli(o.Time)
			}
			list = append(list, one)
		}
	}
	if err := r.Close(); err != nil {
		return nil, badAnswer(op, err)
	}
	return list, nil
}
