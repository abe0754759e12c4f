package fsm

import (
	"errors"
	"fmt"
	"math"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// OffsetAt returns the offset of the first record of a partition that is not older than ms, a time in ms since 1970, and its own
// timestamp; or of what wire.OffsetEarliest and wire.OffsetLatest stand for. Where there is no such record it is the end, with the
// timestamp -1. The errors are those of Span, or faults of the disk. Any goroutine may call it; it may read the disk.
func (m *Machine) OffsetAt(topic []byte, partition int, ms int64) (offset, ts int64, err error) {
	for range readTries {
		x, tid, found, err := m.candidate(topic, partition, ms)
		if err != nil || !found {
			return x.base, -1, err
		}
		offset, ts, ok, err := m.search(tid, int32(partition), x, ms)
		if err != nil || ok {
			return offset, ts, err
		}
		// Retention has been here: what there is now is younger.
		err = m.gone(topic, partition, tid, x.base)
		if !errors.Is(err, &wire.Error{Code: wire.OutOfRange}) {
			return 0, 0, err
		}
	}
	return 0, 0, wire.Errorf(wire.Busy, "records of partition %d of topic %q go faster than they can be looked up: try again", partition, topic)
}

// candidate returns the batch that has the record; if none has, the end as its base.
func (m *Machine) candidate(topic []byte, partition int, ms int64) (x piece, tid uint64, found bool, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	p, err := m.locate(topic, partition)
	if err != nil {
		return x, 0, false, err
	}
	x.base, tid = p.end, p.t.snap.ID
	if ms == wire.OffsetLatest || p.list.count == 0 {
		return x, tid, false, nil
	}
	at, ok := p.list.front(), true
	if ms != wire.OffsetEarliest {
		at, ok = p.list.since(ms)
	}
	if !ok {
		return x, tid, false, nil
	}
	x.base, x.size = p.list.offsetOf(at), p.list.sizeOf(at)
	return x, tid, true, nil
}

// search reads a batch and finds its first record that is not older than ms; ok is false if the batch is not there any more.
func (m *Machine) search(tid uint64, partition int32, x piece, ms int64) (offset, ts int64, ok bool, err error) {
	list := [1]piece{x}
	body, done, err := m.readPieces(nil, tid, partition, list[:])
	if err != nil || done == 0 {
		return 0, 0, false, err
	}
	r := m.reads.Get().(*record.Reader) //nolint:forcetypeassert // the pool holds nothing else
	defer m.reads.Put(r)
	if err := r.Reset(record.Batch(body)); err != nil {
		return 0, 0, false, fmt.Errorf("stream: batch at offset %d of a partition: %w", x.base, err)
	}
	if ms == wire.OffsetEarliest {
		ms = math.MinInt64 // the first in any case
	}
	var rec record.Record
	for {
		more, err := r.Next(&rec)
		if err != nil {
			return 0, 0, false, fmt.Errorf("stream: batch at offset %d of a partition: %w", x.base, err)
		}
		if !more {
			return 0, 0, false, errDamaged // its largest timestamp was said to be young enough
		}
		if rec.Timestamp >= ms {
			return rec.Offset, rec.Timestamp, true, nil
		}
	}
}

// lookUp serves OpStreamOffsets.
func lookUp(m *Machine, p *payloads, _, buf []byte) (ans wire.Response, err error) {
	q := &p.offsets
	from, to := int(q.Partition), int(q.Partition)+1
	if q.Partition == wire.AnyPartition {
		t, ok := m.Topic(q.Topic)
		if !ok {
			return ans, errNoTopic(q.Topic)
		}
		from, to = 0, t.Partitions
	}
	out := buf
	for i := from; i < to; i++ {
		o := wire.StreamOffset{Partition: int32(i)}
		if o.Offset, o.Time, err = m.OffsetAt(q.Topic, i, q.Time); err != nil {
			return ans, err
		}
		out = wire.AppendStreamOffset(out, o)
	}
	ans.Body = out[len(buf):]
	return ans, nil
}
