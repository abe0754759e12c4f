package fsm

import (
	"github.com/skshohagmiah/flin/pkg/wire"
)

// partition is what memory has of a partition.
type partition struct {
	t          *topic
	no         int32
	noted      bool  // is in notes.parts
	agendaAt   int32 // in Machine.retention
	start, end int64
	retainAt   int64 // when the first batch may go; never; or 0: now, because there is too much
	list       batches
	producers  map[int64]*producer // nil until the first
}

func (p *partition) due() int64 { return p.retainAt }

func (p *partition) before(other *partition) bool {
	if a, b := p.t.snap.ID, other.t.snap.ID; a != b {
		return a < b
	}
	return p.no < other.no
}

func (p *partition) place() *int32 { return &p.agendaAt }

// retainable says when the first batch may go.
func (p *partition) retainable() int64 {
	if p.list.count == 0 {
		return never
	}
	s, front := &p.t.snap.Settings, p.list.front()
	if s.MaxBytes >= 0 && p.list.count > 1 {
		if second, ok := p.list.next(front); ok && p.list.pos-p.list.posOf(second) >= s.MaxBytes {
			return 0
		}
	}
	time := p.list.timeOf(front)
	if s.Retention < 0 || time > never-s.Retention {
		return never
	}
	return time + s.Retention
}

// schedule has retention look at a partition when it is time.
func (m *Machine) schedule(p *partition) {
	at := p.retainable()
	if at == p.retainAt {
		return
	}
	p.retainAt = at
	m.retention.set(p)
}

// Span returns the offsets of the first record that a partition keeps and of the next that it will get. A topic that is not there
// is NotFound, a partition OutOfRange. Any goroutine may call it.
func (m *Machine) Span(topic []byte, partition int) (start, end int64, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	p, err := m.locate(topic, partition)
	if err != nil {
		return 0, 0, err
	}
	return p.start, p.end, nil
}

// Available returns the bytes of the batches from the one on that holds the offset from; 0 if that is the end. The errors are
// those of Span, and OutOfRange for an offset that is not kept or not there yet. Any goroutine may call it.
func (m *Machine) Available(topic []byte, partition int, from int64) (bytes int64, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	p, err := m.locate(topic, partition)
	switch {
	case err != nil:
		return 0, err
	case from < p.start || from > p.end:
		return 0, errOffset(p, from)
	case from == p.end:
		return 0, nil
	}
	return p.list.pos - p.list.posOf(p.list.find(from)), nil
}

// info says what is known of a partition.
func (p *partition) info() wire.PartitionInfo {
	i := wire.PartitionInfo{Start: p.start, End: p.end, Bytes: uint64(p.list.bytes()), Batches: uint64(p.list.count)}
	if p.list.count > 0 {
		i.Newest = p.list.timeOf(p.list.back())
	}
	return i
}

// appendHead writes what the store keeps of a batch beside its bytes.
func appendHead(b []byte, records, size int, time int64) []byte {
	b = wire.AppendUvarint(wire.AppendUvarint(b, uint64(records)), uint64(size))
	return wire.AppendVarint(b, time)
}

// decodeHead reads what appendHead wrote.
func decodeHead(p []byte) (records, size int, time int64, err error) {
	r := wire.NewReader(p)
	n, k := r.Uvarint(), r.Uvarint()
	time = r.Varint()
	if r.Close() != nil || n == 0 || n > 1<<32 || k > wire.MaxRecordBatch {
		return 0, 0, 0, errDamaged
	}
	return int(n), int(k), time, nil
}
