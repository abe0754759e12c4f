package fsm

import (
	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// appendBatch serves OpStreamAppend. That the batch is good was judged before it was proposed (Check); here only what memory
// relies on is.
func appendBatch(m *Machine, c *replica.Command, ans *wire.Response) error {
	a := &m.p.append
	if err := a.Decode(c.Body); err != nil {
		return err
	}
	t, err := m.named(a.Topic)
	if err != nil {
		return err
	}
	p, err := t.partition(a.Partition)
	if err != nil {
		return err
	}
	b, err := whole(a.Batch)
	if err != nil {
		return err
	}
	records, from := b.Count(), b.Producer()
	var pr *producer
	if from.ID >= 0 {
		var known int64
		if pr, known, err = m.judge(p, from, records); err != nil {
			return err
		}
		if known >= 0 {
			ans.Num = known
			return nil
		}
	}
	base, time := p.end, b.MaxTimestamp()
	batch := m.st.Begin()
	m.key = appendBatchKey(m.key[:0], t.snap.ID, p.no, base)
	m.value = appendHead(m.value[:0], records, len(b), time)
	batch.Set(m.key, m.value, b)
	if pr != nil {
		pr.accept(from, records, base, c)
		m.producers.renew(pr)
		m.key = appendProducerKey(m.key[:0], t.snap.ID, p.no, pr.pid)
		m.value = pr.append(m.value[:0])
		batch.Set(m.key, m.value, nil)
	}
	batch.Commit()
	m.keep(p, records, len(b), time)
	m.noted.appended(p)
	m.appendedRecords.Add(uint64(records))
	m.appendedBytes.Add(uint64(len(b)))
	ans.Num = base
	return nil
}

// whole returns p as a batch if that is what it is by its head.
func whole(p []byte) (record.Batch, error) {
	if len(p) > wire.MaxRecordBatch {
		return nil, errLargeBatch(len(p))
	}
	b, rest, err := record.Next(p)
	switch {
	case err != nil:
		return nil, wire.Errorf(wire.Invalid, "not a record batch: %v", err)
	case len(rest) > 0:
		return nil, wire.Errorf(wire.Invalid, "%d bytes follow the record batch: append one at a time", len(rest))
	case b.Count() < 1 || b.LastOffset()-b.BaseOffset() != int64(b.Count())-1:
		return nil, wire.Errorf(wire.Invalid, "a record batch says that it has %d records, the last with offset %d: they must count from 0",
			b.Count(), b.LastOffset()-b.BaseOffset())
	}
	return b, nil
}

func errLargeBatch(n int) *wire.Error {
	return wire.Errorf(wire.TooLarge, "record batch of %d bytes is over the limit of %d", n, wire.MaxRecordBatch)
}

// keep adds a batch to what memory has of a partition.
func (m *Machine) keep(p *partition, records, size int, time int64) {
	p.list.add(p.end, size, time)
	p.end += int64(records)
	m.batches++
	m.bytes += int64(size)
	m.records += int64(records)
	m.schedule(p)
}
